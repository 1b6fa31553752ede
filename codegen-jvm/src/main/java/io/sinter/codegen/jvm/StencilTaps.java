// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/**
 * The weights' gradient of one output channel with 3 × 3 taps, as depthwise convolutions have it: nine sums over the pixels, kept in registers along a
 * vector of columns, straight from the input and the pixels as they lie in memory.
 */
final class StencilTaps {
    private static final int TAPS = 9;

    private final GemmTiles tiles;
    private final StencilPlan plan;
    private final StencilStage stage;
    private final long zeros;
    private final long sums;
    private final long end;

    /** @param base scratch memory */
    StencilTaps(GemmTiles tiles, StencilPlan plan, StencilStage stage, long base) {
        this.tiles = tiles;
        this.plan = plan;
        this.stage = stage;
        zeros = base;
        sums = GemmPlan.align(zeros + tiles.zeroBytes());
        end = GemmPlan.align(sums + (long) TAPS * plan.lanes * plan.size);
    }

    static boolean pays(StencilPlan plan) {
        long pixels = (long) plan.pixels[1] * plan.pixels[2];
        return plan.pixelsInK
                && plan.m == 1
                && plan.plain
                && plan.sees3x3()
                && !plan.backward[1]
                && plan.a.isPlain()
                && plan.a.isUnitColumn(plan.size)
                && (plan.a.columnRun() == Long.MAX_VALUE || plan.a.columnRun() % pixels == 0);
    }

    /** Where the scratch memory after this begins. */
    long end() {
        return end;
    }

    /**
     * The gradients of some channels' taps, over some images.
     *
     * @param to where the taps' rows begin, {@link StencilPlan#rowOfM} bytes apart
     */
    void gradient(long batch, int image, int endImage, int channel, int channels, long to) {
        long row = plan.rowOfM();
        SinterKernelMoves.clear(zeros, sums - zeros);
        SinterKernelMoves.clear(to, channels * TAPS * row);
        for (int c = 0; c < channels; c++) {
            SinterKernelMoves.clear(sums, end - sums);
            for (int i = image; i < endImage; i++) {
                for (int z = 0; z < plan.pixels[0]; z++) add(batch, i, channel + c, z);
            }
            tiles.laneSums(TAPS, sums, to + c * TAPS * row, row);
        }
    }

    private void add(long batch, int image, int channel, int z) {
        int rows = plan.pixels[1];
        int width = plan.pixels[2];
        StencilInput.Window b = stage.window(batch, (long) image * plan.planesOfN + channel, z, 0, plan.reach(rows));
        long a = plan.a.at(batch, 0, ((long) image * plan.pixels[0] + z) * rows * width);
        tiles.taps3x3(
                plan.step[1],
                rows,
                width,
                a,
                (long) width * plan.size,
                b.at(),
                b.row(),
                b.firstRow(),
                b.endRow(),
                b.firstColumn(),
                b.endColumn(),
                zeros,
                sums);
    }
}
