// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.gen.SinterKernelHost.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.sinter.gen.SinterKernelMoves;

/**
 * What forward and backward attention share: scratch memory, panels, products and steps.
 *
 * <p>A <em>panel</em> is a matrix with one lane for each query (or key) of the task's block, its rows
 * {@link #row} bytes apart.
 */
abstract class AttentionParts {
    /** For generated code and the steps' kernels. */
    private static final int CODE_SCRATCH = 8192;

    final AttentionCode code;
    final GemmTiles tiles;
    final AttentionPlan plan;
    final long params;
    final int size;

    /** Distance of a panel's rows in bytes. */
    final long row;

    private final long start;
    private final long stepParams;
    final long codeScratch;
    private long next;

    AttentionParts(AttentionCode code, GemmTiles tiles, AttentionPlan plan, long params, long scratch) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.size = plan.size;
        this.row = (long) plan.panel * size;
        this.start = scratch;
        this.next = scratch;
        this.codeScratch = take(CODE_SCRATCH);
        this.stepParams = take(AttentionSteps.SLOTS * 8L);
    }

    /** The next {@code bytes} bytes of scratch memory. */
    final long take(long bytes) {
        long at = next;
        next = (at + bytes + 63) & -64;
        return at;
    }

    final long takePanel(int rows) {
        return take(rows * row);
    }

    /** Dense rows of {@code columns} elements. */
    final long takeRows(int rows, int columns) {
        return take(rows * denseRow(columns));
    }

    final long denseRow(int columns) {
        return GemmPlan.roundUp(columns, plan.lanes) * size;
    }

    final long scratchBytes() {
        return next - start;
    }

    /** A matrix with rows and columns at fixed distances. */
    record Matrix(long base, long row, long column) {
        Matrix transposed() {
            return new Matrix(base, column, row);
        }
    }

    /** Rows of an operand: where they lie, if tiles can read them there; else read into {@code dense}. */
    final Matrix rows(int which, GemmView view, long batch, long first, int rows, int columns, long dense) {
        if (view.isLinear()) {
            return new Matrix(view.base(batch) + first * view.rowStride(), view.rowStride(), view.columnStride());
        }
        return read(which, batch, first, rows, 0, columns, dense);
    }

    /** As {@link #rows}, but whole vectors may be loaded from each row. */
    final Matrix denseRows(int which, GemmView view, long batch, long first, int rows, int columns, long dense) {
        if (view.isLinear() && view.isUnitColumn(size) && columns % plan.lanes == 0) {
            return rows(which, view, batch, first, rows, columns, dense);
        }
        return read(which, batch, first, rows, 0, columns, dense);
    }

    final Matrix read(int which, long batch, long first, int rows, long column, int columns, long dense) {
        code.read(which, params, batch, first, column, columns, rows, dense, denseRow(columns), codeScratch);
        return new Matrix(dense, denseRow(columns), size);
    }

    /** Reads rows {@code first} to {@code first + lanes} of an operand and turns them into a panel. */
    final void readPanel(
            int which, long batch, long first, int lanes, long column, int columns, long dense, long panel) {
        read(which, batch, first, lanes, column, columns, dense);
        int padded = (int) GemmPlan.roundUp(lanes, plan.lanes);
        tiles.transpose(dense, denseRow(columns), panel, row, lanes, columns, padded);
    }

    /**
     * Turns a panel into rows and stores them as rows {@code first} to {@code first + lanes} of a result.
     */
    final void writePanel(int which, long batch, long first, int lanes, int columns, long panel, long dense) {
        tiles.transpose(panel, row, dense, denseRow(columns), columns, lanes, columns);
        code.write(which, params, batch, first, 0, columns, lanes, dense, denseRow(columns), codeScratch);
    }

    /** {@code c = a · b} for panels b and c; a has {@code rows} rows of {@code k} elements. */
    final void product(Matrix a, int rows, int k, long b, long c, int lanes) {
        int vectors = (int) GemmPlan.ceilDiv(lanes, plan.lanes);
        for (int r = 0; r < rows; r += tiles.rows()) {
            int height = Math.min(tiles.rows(), rows - r);
            tiles.tile(height, vectors, a.base + r * a.row, a.row, a.column, b, row, c + r * row, row, k);
        }
    }

    /** {@code c += a} for panels. */
    final void add(long a, long c, int rows, int lanes) {
        tiles.add(a, row, c, row, rows, (int) GemmPlan.ceilDiv(lanes, plan.lanes));
    }

    final void clear(long panel, int rows) {
        SinterKernelMoves.clear(panel, rows * row);
    }

    /** Runs a step on the panels (and rows of statistics) {@code buffers}. */
    final void step(JvmKernel step, int rows, int lanes, long diagonal, long... buffers) {
        slot(AttentionSteps.ROWS, rows);
        slot(AttentionSteps.LANES, GemmPlan.roundUp(lanes, plan.lanes));
        slot(AttentionSteps.DIAGONAL, diagonal);
        for (int i = 0; i < buffers.length; i++) slot(AttentionSteps.FIRST_BUFFER + i, buffers[i]);
        step.run(0, stepParams, 0, 1, codeScratch, 0);
    }

    /** How often a sample calls a piece: with that HotSpot compiles methods that loop over {@link #sampleRows}. */
    static final int SAMPLES = 32;

    /** Rows of a sample's pieces. */
    final int sampleRows() {
        return 2 * tiles.rows();
    }

    /**
     * Products of few rows, in all the tiles that a task uses.
     *
     * @param panel three times {@link #sampleRows} rows; they are overwritten
     */
    final void sampleProducts(long panel) {
        int few = sampleRows();
        Matrix a = new Matrix(panel, row, size);
        long b = panel + few * row;
        long c = b + few * row;
        for (int rows : new int[] {few, plan.d % tiles.rows(), plan.e % tiles.rows()}) {
            product(a, rows, few, b, c, plan.panel);
        }
    }

    private void slot(int slot, long value) {
        MEMORY.set(JAVA_LONG_UNALIGNED, stepParams + 8L * slot, value);
    }
}
