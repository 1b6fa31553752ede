// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;
import java.util.Arrays;

/**
 * Makes blocks of a matrix product: packs the operands' parts, runs the tiles, and hands finished results
 * to the epilogue while they are in the cache. One object serves one call of a kernel on one worker.
 */
final class GemmBlock {
    /** Bytes of a row that is worth a call of its own. */
    private static final long LONG_ROW = 4096;

    /** Products in a block of k of a sample: more than a vector's lanes, and not a multiple of them. */
    private static final int SAMPLE_DEPTH = 19;

    private final GemmCode code;
    private final GemmTiles tiles;
    private final GemmPlan plan;
    private final long params;
    private final long workspace;
    private final GemmScratch scratch;
    private final GemmPack pack;
    private final int size;

    /** Heights of a sample's tiles, one below the other; null for all that there are. */
    private final int[] heights;

    /** At most so many rows, columns, slices (or blocks of k in one slice), and products in a block of k. */
    private final int mostRows;

    private final int mostColumns;
    private final long mostSlices;
    private final int mostDepth;

    /** Whole tasks. */
    GemmBlock(GemmCode code, GemmTiles tiles, GemmPlan plan, long params, long scratch, long workspace) {
        this(code, tiles, plan, params, scratch, workspace, null, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    /**
     * Of each task only so much that every shape of tile occurs that occurs in whole ones (see {@link
     * JvmKernel#sample}): a tile of each height, a whole panel and the rest, some products in each of two
     * blocks of k, and two slices of a sum.
     */
    static GemmBlock sample(GemmCode code, GemmTiles tiles, GemmPlan plan, long params, long scratch, long workspace) {
        int[] heights = plan.heights(tiles.rows());
        int columns = plan.panel + (int) (plan.columns % plan.panel);
        return new GemmBlock(code, tiles, plan, params, scratch, workspace, heights, columns, SAMPLE_DEPTH);
    }

    private GemmBlock(
            GemmCode code,
            GemmTiles tiles,
            GemmPlan plan,
            long params,
            long scratch,
            long workspace,
            int[] heights,
            int mostColumns,
            int mostDepth) {
        this.heights = heights;
        this.mostRows = heights == null
                ? Integer.MAX_VALUE
                : Arrays.stream(heights).max().getAsInt();
        this.mostColumns = mostColumns;
        this.mostDepth = mostDepth;
        this.mostSlices = mostDepth < plan.kBlock ? 2 : Integer.MAX_VALUE;
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.workspace = workspace;
        this.scratch = new GemmScratch(plan, tiles, scratch);
        this.pack = new GemmPack(code, tiles, plan, params, this.scratch);
        this.size = plan.size;
    }

    /**
     * One block of one slice by tiles: outer to inner, blocks of k, strips of rows, panels of columns.
     */
    void tiles(long task) {
        long columnBlock = task % plan.columnBlocks;
        task /= plan.columnBlocks;
        long rowBlock = task % plan.rowBlocks;
        task /= plan.rowBlocks;
        long slice = task % plan.slices;
        long batch = task / plan.slices;
        long row = rowBlock * plan.blockRows;
        long column = columnBlock * plan.blockColumns;
        int rows = (int) Math.min(Math.min(plan.blockRows, mostRows), plan.rows - row);
        int columns = (int) Math.min(Math.min(plan.blockColumns, mostColumns), plan.columns - column);
        long from = slice * plan.sliceLength;
        long to = Math.min(plan.k, from + Math.min(plan.sliceLength, mostSlices * plan.kBlock));
        if (plan.k == 0) clear(rows, columns);
        Target target = target(slice, batch, row, column, columns);
        for (long k = from; k < to; k += plan.kBlock) {
            int depth = (int) Math.min(Math.min(plan.kBlock, mostDepth), to - k);
            pack.wide(batch, column, columns, k, depth);
            boolean last = k + plan.kBlock >= to && target.finishes;
            Pass pass = new Pass(target, batch, row, column, columns, k, depth, k == from, last);
            if (heights != null) {
                for (int height : heights) strip(pass, 0, height);
                continue;
            }
            for (int r = 0; r < rows; r += plan.stripRows) {
                strip(pass, r, Math.min(plan.stripRows, rows - r));
            }
        }
        if (plan.slices == 1 && (plan.swapped || plan.k == 0)) {
            finishBlock(batch, row, rows, column, columns, scratch.block, scratch.blockRow);
        }
    }

    /**
     * One block of k of a block of the product.
     *
     * @param row the block's first row
     * @param column its first column
     * @param first whether nothing has been summed before
     * @param last whether tiles are finished now
     */
    private record Pass(
            Target target,
            long batch,
            long row,
            long column,
            int columns,
            long k,
            int depth,
            boolean first,
            boolean last) {}

    /** The tiles of {@code rows} rows of a block from its row {@code begin} on, for which the tall operand is packed at once. */
    private void strip(Pass pass, int begin, int rows) {
        pack.tall(pass.batch, pass.row + begin, rows, pass.k, pass.depth);
        for (int done = 0, height; done < rows; done += height) {
            height = GemmPlan.height(rows - done, tiles.rows());
            long a = pack.tallBase() + done * pack.tallRow();
            int r = begin + done;
            for (int c = 0; c < pass.columns; c += plan.panel) {
                int width = Math.min(plan.panel, pass.columns - c);
                tile(pass, a, r, height, c, width);
                if (pass.last && !pass.target.isDirect(c, width)) {
                    long from = pass.target.at(r, c, width);
                    long step = pass.target.step(c, width);
                    finish(pass.batch, pass.row + r, height, pass.column + c, width, from, step);
                }
            }
        }
    }

    private void tile(Pass pass, long a, int r, int height, int c, int width) {
        int vectors = (int) GemmPlan.ceilDiv(width, plan.lanes);
        long b = pack.wideBase(c, width);
        long bK = pack.wideK(c, width);
        long to = pass.target.at(r, c, width);
        long step = pass.target.step(c, width);
        tiles.tile(!pass.first, height, vectors, a, pack.tallRow(), pack.tallK(), b, bK, to, step, pass.depth);
    }

    /**
     * Where a task's tiles go.
     *
     * @param base address of the block's first result where it belongs, if results go there at once; else
     *     of the block in scratch memory or in a slice's part of the workspace
     * @param row distance of rows
     * @param one tiles are finished as soon as they are made, and all go to the same place, which stays in the first-level cache
     * @param direct whole vectors go to the result itself; the rest of a row goes to the block in scratch
     *     memory
     * @param finishes the epilogue runs tile by tile
     */
    private record Target(
            long base,
            long row,
            boolean one,
            boolean direct,
            boolean finishes,
            GemmScratch scratch,
            int lanes,
            int size) {
        boolean isDirect(int column, int width) {
            return direct && width % lanes == 0;
        }

        long at(int r, int c, int width) {
            if (one) return base;
            if (direct && width % lanes != 0) return scratch.block + r * scratch.blockRow + (long) c * size;
            return base + r * row + (long) c * size;
        }

        long step(int c, int width) {
            return direct && width % lanes != 0 ? scratch.blockRow : row;
        }
    }

    private Target target(long slice, long batch, long row, long column, int columns) {
        if (plan.slices > 1) {
            long step = plan.partialRow() * size;
            long base = workspace + slice * plan.partialBytes() + (batch * plan.rows + row) * step + column * size;
            return new Target(base, step, false, false, false, scratch, plan.lanes, size);
        }
        if (plan.direct && !plan.swapped && plan.k > 0) {
            long base = plan.c.base(batch) + row * plan.c.rowStride() + column * size;
            return new Target(base, plan.c.rowStride(), false, true, true, scratch, plan.lanes, size);
        }
        if (!plan.swapped && plan.k > 0 && plan.k <= plan.kBlock) {
            return new Target(scratch.tile, (long) plan.panel * size, true, false, true, scratch, plan.lanes, size);
        }
        return new Target(scratch.block, scratch.blockRow, false, false, !plan.swapped, scratch, plan.lanes, size);
    }

    /** A block by dot products along k. */
    void dots(long task) {
        long row = task % plan.rowBlocks * plan.blockRows;
        long batch = task / plan.rowBlocks;
        int rows = (int) Math.min(plan.blockRows, plan.rows - row);
        int columns = (int) plan.columns;
        int k = Math.toIntExact(plan.k);
        // The block lies as the result does, m × n.
        long width = GemmPlan.roundUp(plan.swapped ? rows : columns, plan.lanes) * size;
        long rowStep = plan.swapped ? size : width;
        long columnStep = plan.swapped ? width : size;
        long a = plan.tall.base(batch) + row * plan.tall.rowStride();
        long x = plan.wide.base(batch);
        // From memory one long row after the other comes faster than several at once. Else as many rows at a
        // time as stay in the second-level cache while the columns pass.
        long bytes = (long) k * size;
        boolean single = bytes >= LONG_ROW && bytes * plan.rows > CpuCaches.L2;
        int strip = Math.clamp(CpuCaches.L2 / 4 / Math.max(1, bytes), 4, rows + 4);
        for (int r = 0; single && r < rows; r++) {
            long from = a + r * plan.tall.rowStride();
            tiles.dots(columns, x, plan.wide.rowStride(), from, scratch.block + r * rowStep, columnStep, k);
        }
        for (int r = 0; !single && r < rows; r += strip) {
            int height = Math.min(strip, rows - r);
            for (int c = 0; c < columns; c++) {
                long to = scratch.block + r * rowStep + c * columnStep;
                tiles.dots(
                        height,
                        a + r * plan.tall.rowStride(),
                        plan.tall.rowStride(),
                        x + c * plan.wide.rowStride(),
                        to,
                        rowStep,
                        k);
            }
        }
        if (plan.swapped) {
            finish(batch, 0, columns, row, rows, scratch.block, width);
        } else {
            finish(batch, row, rows, 0, columns, scratch.block, width);
        }
    }

    /** Adds up the slices of some rows. */
    void sum(long task) {
        long strips = GemmPlan.ceilDiv(plan.rows, plan.sumRows());
        long batch = task / strips;
        long row = task % strips * plan.sumRows();
        int rows = (int) Math.min(Math.min(plan.sumRows(), mostRows), plan.rows - row);
        int columns = (int) Math.min(plan.columns, mostColumns);
        long step = plan.partialRow() * size;
        long from = workspace + (batch * plan.rows + row) * step;
        int width = (int) GemmPlan.roundUp(columns, plan.lanes);
        tiles.copy(from, step, scratch.block, step, rows, width, width);
        for (long s = 1; s < Math.min(plan.slices, mostSlices); s++) {
            tiles.add(from + s * plan.partialBytes(), step, scratch.block, step, rows, width / plan.lanes);
        }
        if (plan.swapped) {
            finishBlock(batch, row, rows, 0, columns, scratch.block, step);
        } else {
            finish(batch, row, rows, 0, columns, scratch.block, step);
        }
    }

    /** Finishes a block of the product, turning it first if it is the result's transpose. */
    private void finishBlock(long batch, long row, int rows, long column, int columns, long from, long step) {
        if (!plan.swapped) {
            finish(batch, row, rows, column, columns, from, step);
        } else if (plan.direct) {
            long to = plan.c.base(batch) + column * plan.c.rowStride() + row * size;
            tiles.transpose(from, step, to, plan.c.rowStride(), rows, columns, rows);
        } else {
            long turnedRow = GemmPlan.roundUp(rows, plan.lanes) * size;
            tiles.transpose(from, step, scratch.turned, turnedRow, rows, columns, rows);
            finish(batch, column, columns, row, rows, scratch.turned, turnedRow);
        }
    }

    /**
     * Runs the epilogue on results as they are numbered by m and n, by runs of the innermost n variable.
     */
    private void finish(long batch, long row, int rows, long column, int columns, long from, long step) {
        long inner = plan.c.innerColumn();
        for (int done = 0; done < columns; ) {
            int run = (int) Math.min(columns - done, inner - (column + done) % inner);
            code.epilogue(params, batch, row, column + done, run, rows, from + (long) done * size, step, scratch.lanes);
            done += run;
        }
    }

    private void clear(int rows, int columns) {
        for (int r = 0; r < rows; r++)
            SinterKernelMoves.clear(scratch.block + r * scratch.blockRow, (long) columns * size);
    }
}
