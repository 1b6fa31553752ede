// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/** Brings the operands of a block into the form that tiles read, and says where it is. */
final class GemmPack {
    private final GemmCode code;
    private final GemmTiles tiles;
    private final GemmPlan plan;
    private final long params;
    private final GemmScratch scratch;
    private final int size;
    private final boolean packsWide;
    private final boolean packsTall;
    private long tallBase;
    private long tallRow;
    private long tallK;
    private long wideBase;
    private long wideBatch;
    private long wideColumn;
    private long wideFirst;
    private int depth;

    GemmPack(GemmCode code, GemmTiles tiles, GemmPlan plan, long params, GemmScratch scratch) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.scratch = scratch;
        this.size = plan.size;
        this.packsWide = plan.packsWide;
        this.packsTall = plan.packsTall();
    }

    /**
     * Address of the tall operand's first element; element (r, k) lies {@code r · tallRow + k · tallK}
     * further.
     */
    long tallBase() {
        return tallBase;
    }

    long tallRow() {
        return tallRow;
    }

    long tallK() {
        return tallK;
    }

    /** Address of the wide operand's panel that begins at column {@code column} of the block. */
    long wideBase(int column, int width) {
        if (isPacked(width)) return scratch.wide + column / plan.panel * scratch.panelBytes;
        return plan.wide.isLinear()
                ? wideBase + (long) column * size
                : plan.wide.at(wideBatch, wideColumn + column, wideFirst);
    }

    /** Distance of that panel's rows. */
    long wideK(int column, int width) {
        return isPacked(width) ? panelRow(width) : plan.wide.columnStride();
    }

    private boolean isPacked(int width) {
        return packsWide || width % plan.lanes != 0;
    }

    private long panelRow(int width) {
        return GemmPlan.roundUp(width, plan.lanes) * size;
    }

    /**
     * Makes columns {@code column} to {@code column + columns} and k to k + depth of the wide operand
     * ready.
     */
    void wide(long batch, long column, int columns, long k, int depth) {
        this.depth = depth;
        wideBatch = batch;
        wideColumn = column;
        wideFirst = k;
        GemmView v = plan.wide;
        if (v.isLinear()) wideBase = v.base(batch) + column * v.rowStride() + k * v.columnStride();
        int whole = columns / plan.panel;
        if (packsWide && whole > 1 && v.isLinear() && v.rowStride() == size) {
            tiles.panels(wideBase, v.columnStride(), scratch.wide, scratch.panelBytes, depth, whole);
        } else {
            whole = 0;
        }
        for (int c = whole * plan.panel; c < columns; c += plan.panel) {
            int width = Math.min(plan.panel, columns - c);
            if (isPacked(width)) panel(batch, column + c, width, k, scratch.wide + c / plan.panel * scratch.panelBytes);
        }
    }

    private void panel(long batch, long column, int width, long k, long to) {
        GemmView v = plan.wide;
        long row = panelRow(width);
        if (v.isPlain()) {
            pieces(v, batch, column, width, k, to, row);
        } else if (alongK(v, width)) {
            long stripRow = GemmPlan.roundUp(depth, plan.lanes) * size;
            alongK(plan.swapped, batch, column, width, k, scratch.turned, stripRow);
            tiles.transpose(scratch.turned, stripRow, to, row, width, depth, (int) (row / size));
        } else {
            alongRows(plan.swapped, batch, column, width, k, to, row);
        }
    }

    /** A panel of a plain matrix, piece by piece; a linear one is one piece. */
    private void pieces(GemmView v, long batch, long column, int width, long k, long to, long row) {
        int padded = (int) (row / size);
        boolean whole = v.rowRun() - column % v.rowRun() >= width;
        // Only a piece as wide as the panel is filled up with zeros as it is moved.
        if (!whole && width < padded) SinterKernelMoves.clear(to, depth * row);
        for (int c = 0; c < width; ) {
            int columns = run(v.rowRun(), column + c, width - c);
            for (int d = 0; d < depth; ) {
                int steps = run(v.columnRun(), k + d, depth - d);
                long from = v.at(batch, column + c, k + d);
                piece(v, from, to + d * row + (long) c * size, row, columns, steps, whole ? padded : columns);
                d += steps;
            }
            c += columns;
        }
    }

    private void piece(GemmView v, long from, long to, long row, int columns, int steps, int padded) {
        if (v.rowStride() == size || columns == 1) {
            tiles.copy(from, v.columnStride(), to, row, steps, columns, padded);
        } else if (v.columnStride() == size) {
            tiles.transpose(from, v.rowStride(), to, row, columns, steps, padded);
        } else {
            SinterKernelMoves.strided(size, from, v.columnStride(), v.rowStride(), to, row, size, steps, columns);
        }
    }

    /** How far a piece of {@code run} goes from {@code at} on, at most {@code most}. */
    private static int run(long run, long at, int most) {
        return (int) Math.min(most, run - at % run);
    }

    /** Makes rows {@code row} to {@code row + rows} and k to k + depth of the tall operand ready. */
    void tall(long batch, long row, int rows, long k, int depth) {
        this.depth = depth;
        GemmView v = plan.tall;
        if (v.isLinear()) {
            tallBase = v.base(batch) + row * v.rowStride() + k * v.columnStride();
            tallRow = v.rowStride();
            tallK = v.columnStride();
        }
        if (!packsTall) return;
        boolean alongK = v.isLinear()
                ? v.columnStride() <= v.rowStride()
                : v.isPlain() ? v.isUnitColumn(size) || !v.isUnitRow(size) : alongK(v, rows);
        tallBase = scratch.tall;
        tallRow = alongK ? GemmPlan.roundUp(depth, plan.lanes) * size : size;
        tallK = alongK ? size : GemmPlan.roundUp(rows, plan.lanes) * size;
        if (!v.isPlain()) {
            if (alongK) {
                alongK(!plan.swapped, batch, row, rows, k, tallBase, tallRow);
            } else {
                alongRows(!plan.swapped, batch, row, rows, k, tallBase, tallK);
            }
            return;
        }
        for (int r = 0; r < rows; ) {
            int height = run(v.rowRun(), row + r, rows - r);
            for (int d = 0; d < depth; ) {
                int steps = run(v.columnRun(), k + d, depth - d);
                strip(v, v.at(batch, row + r, k + d), tallBase + r * tallRow + d * tallK, height, steps);
                d += steps;
            }
            r += height;
        }
    }

    /** Moves a piece of the tall operand to where it belongs. */
    private void strip(GemmView v, long from, long to, int rows, int steps) {
        if (tallK == size && v.columnStride() == size) {
            tiles.copy(from, v.rowStride(), to, tallRow, rows, steps, steps);
        } else if (tallRow == size && v.rowStride() == size) {
            tiles.copy(from, v.columnStride(), to, tallK, steps, rows, rows);
        } else {
            SinterKernelMoves.strided(size, from, v.rowStride(), v.columnStride(), to, tallRow, tallK, rows, steps);
        }
    }

    /**
     * Whether generated code should read an operand by runs along k: where only these are contiguous, or
     * they are longer.
     */
    private boolean alongK(GemmView v, int rows) {
        if (!v.isUnitColumn(size)) return false;
        return !v.isUnitRow(size) || Math.min(v.innerColumn(), depth) > 2 * Math.min(v.innerRow(), rows);
    }

    private void alongRows(boolean isA, long batch, long row, int rows, long k, long to, long step) {
        long inner = isA == !plan.swapped ? plan.tall.innerRow() : plan.wide.innerRow();
        for (int done = 0; done < rows; ) {
            int run = (int) Math.min(rows - done, inner - (row + done) % inner);
            generated(isA, false, batch, row + done, k, run, depth, to + (long) done * size, step);
            done += run;
        }
    }

    private void alongK(boolean isA, long batch, long row, int rows, long k, long to, long step) {
        long inner = plan.tall.innerColumn();
        for (int done = 0; done < depth; ) {
            int run = (int) Math.min(depth - done, inner - (k + done) % inner);
            generated(isA, true, batch, row, k + done, run, rows, to + (long) done * size, step);
            done += run;
        }
    }

    private void generated(
            boolean isA, boolean alongK, long batch, long row, long k, int run, int steps, long to, long step) {
        if (isA) {
            code.packA(alongK, params, batch, row, k, run, steps, to, step, scratch.lanes);
        } else {
            code.packB(alongK, params, batch, row, k, run, steps, to, step, scratch.lanes);
        }
    }
}
