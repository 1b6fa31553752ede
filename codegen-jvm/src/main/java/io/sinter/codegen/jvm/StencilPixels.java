// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/**
 * The pixels of an output channel that is alone in its group, as in depthwise convolutions: it would fill a small part of a tile, so it is computed
 * row by row of pixels, and if it sees one plane of memory at 3 × 3 taps, straight from there: no plane is laid out. Bits are those of tiles.
 */
final class StencilPixels {
    private final GemmTiles tiles;
    private final StencilPlan plan;
    private final StencilStage stage;
    /** Whether a pixel sees 3 × 3 elements of one plane, which {@link GemmTiles#pixels3x3} reads where they lie. */
    private final boolean sees3x3;

    private final long zeros;
    private final long end;
    private boolean cleared;

    /** @param base scratch memory */
    StencilPixels(GemmTiles tiles, StencilPlan plan, StencilStage stage, long base) {
        this.tiles = tiles;
        this.plan = plan;
        this.stage = stage;
        sees3x3 = plan.planesOfK == 1 && plan.sees3x3() && (plan.step[1] == 1 || plan.plain && !plan.backward[1]);
        zeros = base;
        end = GemmPlan.align(base + tiles.zeroBytes());
    }

    /** Where the scratch memory after this begins. */
    long end() {
        return end;
    }

    /** Whether a launch has channels of this kind. */
    static boolean pays(StencilPlan plan) {
        return !plan.pixelsInK && plan.m == 1;
    }

    /**
     * Some rows of pixels.
     *
     * @param a the channel's weights, at the first offsets of the {@code k} pairs of {@code table}
     * @param to address of the first row; the others are {@code toRow} bytes apart
     */
    void rows(long batch, int z, int y, int rows, long a, long table, int k, long to, long toRow) {
        int width = plan.pixels[2];
        if (k == 0) {
            for (int r = 0; r < rows; r++) SinterKernelMoves.clear(to + r * toRow, (long) width * plan.size);
        } else if (k < 9 || !sees3x3) {
            stage.lay(batch, 0, plan.planesOfK, z, y, rows);
            tiles.pixels(rows, width, a, table, stage.planes(), (long) plan.pitch * plan.size, to, toRow, k);
        } else if (plan.plain) {
            StencilInput.Window seen = stage.window(batch, 0, z, y * plan.step[1], plan.reach(rows));
            rows3x3(rows, a, table, seen, to, toRow);
        } else {
            stage.lay(batch, 0, plan.planesOfK, z, y, rows);
            long pitch = (long) plan.pitch * plan.size;
            rows3x3(
                    rows,
                    a,
                    table,
                    new StencilInput.Window(stage.planes(), pitch, 0, rows + 2, 0, width + 2),
                    to,
                    toRow);
        }
    }

    private void rows3x3(int rows, long a, long table, StencilInput.Window b, long to, long toRow) {
        if (!cleared) SinterKernelMoves.clear(zeros, end - zeros);
        cleared = true;
        int width = plan.pixels[2];
        long row = b.row();
        if (!plan.backward[1]) {
            tiles.pixels3x3(
                    plan.step[1],
                    rows,
                    width,
                    a,
                    table,
                    b.at(),
                    row,
                    b.firstRow(),
                    b.endRow(),
                    b.firstColumn(),
                    b.endColumn(),
                    zeros,
                    to,
                    toRow);
            return;
        }
        // The first tap sees the last row: from there upwards, so that taps come in their order.
        int last = rows + 1;
        tiles.pixels3x3(
                -1,
                rows,
                width,
                a,
                table,
                b.at() + last * row,
                -row,
                last + 1 - b.endRow(),
                last + 1 - b.firstRow(),
                b.firstColumn(),
                b.endColumn(),
                zeros,
                to + (rows - 1) * toRow,
                -toRow);
    }
}
