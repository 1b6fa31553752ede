// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;

/**
 * The products of a weight's gradient with few output channels a group, as depthwise convolutions have them: a row of output channels would fill
 * a small part of a vector, so the vectors go along the pixels. Each element of the gradient is a dot product of an output channel's pixels with
 * the staged plane at the tap's offset.
 */
final class StencilDots {
    /** With more output channels than this in a group, tiles do more in the same time. */
    private static final int FEW = 4;

    private final GemmCode code;
    private final GemmTiles tiles;
    private final StencilPlan plan;
    private final long params;
    private final int size;
    private final long lanes;

    /** Pixels of each output channel, {@link #leftRow} bytes apart. */
    private final long left;

    private final long leftRow;

    /** A row of pixels as generated code gives it, channels next to each other. */
    private final long piece;

    private final long sums;
    private final long end;

    /**
     * @param lanes {@link BodyCompiler#LANE_AREA} bytes for generated code
     * @param base scratch memory
     */
    StencilDots(GemmCode code, GemmTiles tiles, StencilPlan plan, long params, long lanes, long base) {
        this.code = code;
        this.tiles = tiles;
        this.plan = plan;
        this.params = params;
        this.lanes = lanes;
        size = plan.size;
        leftRow = GemmPlan.align((long) plan.blockRows * plan.pitch * size);
        left = base;
        piece = left + plan.m * leftRow;
        sums = GemmPlan.align(piece + (long) plan.m * plan.pixels[2] * size);
        end = GemmPlan.align(sums + plan.blockPlanes * plan.tapCount() * plan.rowOfM());
    }

    static boolean pays(StencilPlan plan) {
        return plan.pixelsInK && plan.m <= FEW;
    }

    long end() {
        return end;
    }

    /** Makes the left operand ready: {@code rows} rows of pixels of an image, zeros between them. */
    void left(long batch, int image, int z, int y, int rows) {
        int width = plan.pixels[2];
        long pitch = (long) plan.pitch * size;
        long k = ((image * (long) plan.pixels[0] + z) * plan.pixels[1] + y) * width;
        if (plan.a.isPlain() && plan.a.isUnitColumn(size)) {
            long run = plan.a.columnRun();
            int together = k % run + (long) rows * width <= run ? rows : 1;
            for (int r = 0; r < rows; r += together) {
                for (int o = 0; o < plan.m; o++) {
                    long from = plan.a.at(batch, o, k + (long) r * width);
                    long to = left + o * leftRow + r * pitch;
                    tiles.copy(from, (long) width * size, to, pitch, together, width, plan.pitch);
                }
            }
            return;
        }
        for (int r = 0; r < rows; r++, k += width) {
            long to = left + r * pitch;
            if (plan.a.isPlain()) {
                for (int x = 0; x < width; x++) {
                    long from = plan.a.at(batch, 0, k + x);
                    SinterKernelMoves.strided(
                            size, from, plan.a.rowStride(), 0, to + (long) x * size, leftRow, 0, plan.m, 1);
                }
            } else if (plan.a.isUnitColumn(size)) {
                code.packA(true, params, batch, 0, k, width, plan.m, to, leftRow, lanes);
            } else {
                code.packA(false, params, batch, 0, k, plan.m, width, piece, (long) plan.m * size, lanes);
                SinterKernelMoves.strided(size, piece, size, (long) plan.m * size, to, leftRow, size, plan.m, width);
            }
            for (int o = 0; o < plan.m; o++)
                SinterKernelMoves.clear(to + o * leftRow + (long) width * size, pitch - (long) width * size);
        }
    }

    /**
     * Adds the products of what is staged up to rows of the gradient.
     *
     * @param planes address that the table's offsets, one for each row, are from
     * @param to the first row; others follow {@link StencilPlan#rowOfM} bytes apart
     * @param first nothing is there yet
     */
    void products(long planes, long table, int rows, int pixels, long to, boolean first) {
        long row = plan.rowOfM();
        long at = first ? to : sums;
        SinterKernelMoves.clear(at, rows * row);
        for (int o = 0; o < plan.m; o++) {
            tiles.gatheredDots(rows, planes, table, left + o * leftRow, at + (long) o * size, row, pixels);
        }
        if (!first) tiles.add(sums, row, to, row, rows, (int) (row / size) / plan.lanes);
    }
}
