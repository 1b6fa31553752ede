// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/** Rows of a convolution's input, padding included: moved if the input is memory, else computed by generated code. */
final class StencilInput {
    private final GemmCode code;
    private final GemmTiles tiles;
    private final StencilPlan plan;
    private final long params;
    private final long lanes;

    /** {@link GemmCode#place} of the batch element that was asked for last. */
    private final long[] place = new long[8];

    private long batch = -1;

    /** @param lanes {@link BodyCompiler#LANE_AREA} bytes for generated code */
    StencilInput(GemmCode code, GemmTiles tiles, StencilPlan plan, long params, long lanes) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.lanes = lanes;
    }

    /** {@link GemmCode#place} of a batch element, until it is asked for another. */
    long[] place(long ofBatch) {
        if (ofBatch != batch) {
            code.place(params, ofBatch, place);
            batch = ofBatch;
        }
        return place;
    }

    /** Where in the array the first position of an axis is, for the batch element that was asked for last. */
    long low(int axis) {
        int d = axis - (3 - plan.spatial);
        return d < 0 ? 0 : place[3 + 2 * d];
    }

    /**
     * Rows of positions as they lie in the input: those from {@code firstRow} to below {@code endRow}, and columns likewise, are there, the others
     * are padding.
     *
     * @param at address of the first position, there or not
     * @param row bytes from a row to the next
     */
    record Window(long at, long row, int firstRow, int endRow, int firstColumn, int endColumn) {}

    /** {@code count} rows of positions of one plane, if the input is memory; arguments as of {@link #rows}. */
    Window window(long batch, long plane, int z, int y, int count) {
        place(batch);
        long lowY = y + low(1);
        long lowX = low(2);
        boolean there = z + low(0) >= 0 && z + low(0) < plan.extent[0];
        int first = there ? Math.clamp(-lowY, 0, count) : count;
        int end = there ? Math.clamp(plan.extent[1] - lowY, first, count) : count;
        int left = Math.clamp(-lowX, 0, plan.positions[2]);
        int right = Math.clamp(plan.extent[2] - lowX, left, plan.positions[2]);
        long row = plan.rightPositions[1];
        long at = place[1] + plan.rightOfPlane(plane) + z * plan.rightPositions[0] + y * row;
        return new Window(at, row, first, end, left, right);
    }

    /**
     * Lays {@code count} whole rows of positions out, {@code step} bytes apart.
     *
     * @param plane as {@link StencilPlan} numbers the planes
     * @param z position of the rows, and of the first of them along y; those behind a plane's last row are the next
     *     plane's
     * @param padded rows of other planes at these positions lie there already, so what is padding is 0 (but for the rows' ends, which may be
     *     beginnings of rows)
     */
    void rows(long batch, long plane, int z, int y, int count, long to, long step, boolean padded) {
        if (!plan.plain) {
            long row = (plane * plan.positions[0] + z) * plan.positions[1] + y;
            code.stage(params, batch, 0, row, plan.positions[2], count, to, step, lanes);
            return;
        }
        place(batch);
        while (count > 0) {
            int some = Math.min(count, plan.positions[1] - y);
            part(plane, z, y, some, to, step, padded);
            to += some * step;
            count -= some;
            y = 0;
            if (++z == plan.positions[0]) {
                z = 0;
                plane++;
            }
        }
    }

    /** Rows of one plane. */
    private void part(long plane, int z, int y, int count, long to, long step, boolean padded) {
        Window seen = window(batch, plane, z, y, count);
        int first = seen.firstRow;
        int end = seen.endRow;
        int left = seen.firstColumn;
        int right = seen.endColumn;
        int width = plan.positions[2];
        int size = plan.size;
        for (int r = 0; r < count && !padded; r++) {
            boolean inside = r >= first && r < end;
            SinterKernelMoves.zeros(size, to + r * step, inside ? left : width);
        }
        if (first >= end) return;
        long from = seen.at + first * seen.row + (long) left * size;
        long start = to + first * step + (long) left * size;
        tiles.copy(from, plan.rightPositions[1], start, step, end - first, right - left, width - left);
    }
}
