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

    // Of the batch element that was asked for last.
    private long batch = -1;
    private long address;
    private final long[] low = new long[3];

    /** @param lanes {@link BodyCompiler#LANE_AREA} bytes for generated code */
    StencilInput(GemmCode code, GemmTiles tiles, StencilPlan plan, long params, long lanes) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.lanes = lanes;
    }

    /**
     * Lays {@code count} whole rows of positions out, {@code step} bytes apart.
     *
     * @param plane as {@link StencilPlan} numbers the planes
     * @param z position of the rows, and of the first of them along y; those behind a plane's last row are the next
     *     plane's
     */
    void rows(long batch, long plane, int z, int y, int count, long to, long step) {
        if (!plan.plain) {
            long row = (plane * plan.positions[0] + z) * plan.positions[1] + y;
            code.stage(params, batch, 0, row, plan.positions[2], count, to, step, lanes);
            return;
        }
        if (batch != this.batch) begin(batch);
        while (count > 0) {
            int some = Math.min(count, plan.positions[1] - y);
            part(plane, z, y, some, to, step);
            to += some * step;
            count -= some;
            y = 0;
            if (++z == plan.positions[0]) {
                z = 0;
                plane++;
            }
        }
    }

    private void begin(long batch) {
        long[] place = new long[8];
        code.place(params, batch, place);
        this.batch = batch;
        address = place[1];
        for (int d = 0; d < plan.spatial; d++) low[3 - plan.spatial + d] = place[3 + 2 * d];
    }

    /** Rows of one plane. */
    private void part(long plane, int z, int y, int count, long to, long step) {
        boolean there = z + low[0] >= 0 && z + low[0] < plan.extent[0];
        int width = plan.positions[2];
        int size = plan.size;
        int first = there ? Math.clamp(-(y + low[1]), 0, count) : count;
        int end = there ? Math.clamp(plan.extent[1] - (y + low[1]), first, count) : count;
        int left = Math.clamp(-low[2], 0, width);
        int right = Math.clamp(plan.extent[2] - low[2], left, width);
        for (int r = 0; r < count; r++) {
            boolean inside = r >= first && r < end;
            SinterKernelMoves.zeros(size, to + r * step, inside ? left : width);
        }
        if (first >= end) return;
        long from = address
                + plan.rightOfPlane(plane)
                + z * plan.rightPositions[0]
                + (y + first) * plan.rightPositions[1]
                + (long) left * size;
        long start = to + first * step + (long) left * size;
        tiles.copy(from, plan.rightPositions[1], start, step, end - first, right - left, width - left);
    }
}
