// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;
import java.util.Arrays;

/**
 * Lays out the planes of a convolution's input that a task needs, padding included, in scratch memory: rows {@link StencilPlan#pitch} elements
 * apart, and with a step between pixels, positions of one residue as planes of their own. See {@link StencilPlan}.
 */
final class StencilStage {
    private final GemmTiles tiles;
    private final StencilPlan plan;
    private final int size;
    private final boolean steps;
    private final StencilInput input;
    private final long planes;
    private final long row;
    private final long end;

    /** What was laid out last, but for which planes: count, z, y, rows, and where in the array the positions are. */
    private long[] last;

    /**
     * @param lanes {@link BodyCompiler#LANE_AREA} bytes for generated code
     * @param base scratch memory
     */
    StencilStage(GemmCode code, GemmTiles tiles, StencilPlan plan, long params, long lanes, long base) {
        this.tiles = tiles;
        this.plan = plan;
        size = plan.size;
        steps = plan.step[1] > 1 || plan.step[2] > 1;
        input = new StencilInput(code, tiles, plan, params, lanes);
        planes = base;
        row = GemmPlan.align(planes + plan.stageBytes(plan.blockPlanes, plan.blockRows));
        // Rows are taken apart by whole vectors.
        long taken = (long) plan.reach(plan.blockRows) * plan.positions[2] + 2L * plan.lanes;
        end = GemmPlan.align(row + (steps ? taken * size : 0));
    }

    /** Address of the first plane. */
    long planes() {
        return planes;
    }

    /** Where the scratch memory after this begins. */
    long end() {
        return end;
    }

    /** {@link GemmCode#place} of a batch element, until something of another is laid out. */
    long[] place(long batch) {
        return input.place(batch);
    }

    /** {@link StencilInput#window}. */
    StencilInput.Window window(long batch, long plane, int z, int y, int count) {
        return input.window(batch, plane, z, y, count);
    }

    /** Lays out {@code count} planes from {@code plane} on, as far as {@code rows} rows of pixels from (z, y) on see them. */
    void lay(long batch, long plane, int count, int z, int y, int rows) {
        input.place(batch);
        long[] now = {count, z, y, rows, input.low(0), input.low(1), input.low(2)};
        boolean again = Arrays.equals(now, last);
        last = now;
        int reach = plan.reach(rows);
        long to = planes;
        long planeBytes = (long) plan.plane(rows) * size;
        int depth = plan.depth();
        int firstZ = z * plan.step[0];
        int firstY = y * plan.step[1];
        if (!steps && depth == plan.positions[0] && reach == plan.positions[1] && plan.pitch == plan.width) {
            // All of all planes, as they follow each other.
            input.rows(batch, plane, 0, 0, count * depth * reach, to, (long) plan.pitch * size, again);
            return;
        }
        for (int p = 0; p < count; p++) {
            for (int d = 0; d < depth; d++) {
                if (!steps) {
                    input.rows(batch, plane + p, firstZ + d, firstY, reach, to, (long) plan.pitch * size, again);
                } else {
                    boolean padded = depth == 1 && (again || p > 0);
                    long pitch = (long) plan.positions[2] * size;
                    input.rows(batch, plane + p, firstZ + d, firstY, reach, row, pitch, padded);
                    residues(reach, rows, to);
                }
                to += planeBytes;
            }
        }
    }

    /** Rows of a plane, taken apart by residues, as far as taps see them. */
    private void residues(int reach, int rows, long to) {
        int width = plan.positions[2];
        long rowBytes = (long) width * size;
        int residue = plan.residue(rows) * size;
        int stepY = plan.step[1];
        int stepX = plan.step[2];
        for (int y = 0; y < reach; y++) {
            if (!plan.sees(1, y % stepY)) continue;
            long start = row + y * rowBytes;
            long plane = to + (long) (y % stepY) * stepX * residue + (long) (y / stepY) * plan.pitch * size;
            if (stepX == 2) {
                tiles.halves(start, plane, (width + 1) / 2, plane + residue, width / 2);
                continue;
            }
            for (int r = 0; r < stepX && r < width; r++) {
                int count = (width - r + stepX - 1) / stepX;
                SinterKernelMoves.spread(size, start + (long) r * size, stepX, plane + (long) r * residue, count);
            }
        }
    }
}
