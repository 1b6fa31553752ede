// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/** Where the parts of a worker's scratch memory lie; every part is 64-byte aligned. */
final class GemmScratch {
    /** {@link BodyCompiler#LANE_AREA} bytes for generated code. */
    final long lanes;

    /** One tile of the product. */
    final long tile;

    /** The block of the product that a task makes, rows {@link #blockRow} bytes apart. */
    final long block;

    final long blockRow;

    /** Packed panels of the wide operand, {@link #panelBytes} each. */
    final long wide;

    final long panelBytes;

    /** The tall operand's packed block. */
    final long tall;

    /** Rows of an operand before they are transposed; the block after it is transposed. */
    final long turned;

    private final long end;

    /** The parts from address {@code base} on. */
    GemmScratch(GemmPlan p, GemmTiles t, long base) {
        long depth = GemmPlan.roundUp(Math.max(1, Math.min(p.k, p.kBlock)), p.lanes);
        long columns = GemmPlan.roundUp(p.blockColumns, p.panel);
        long rows = GemmPlan.roundUp(p.blockRows, p.lanes);
        long strip = Math.min(rows, p.stripRows);
        panelBytes = depth * p.panel * p.size;
        blockRow = columns * p.size;
        lanes = base;
        tile = GemmPlan.align(base + BodyCompiler.LANE_AREA);
        block = GemmPlan.align(tile + (long) t.rows() * p.panel * p.size);
        wide = GemmPlan.align(
                block + Math.max(rows, p.sumRows()) * Math.max(blockRow, p.slices > 1 ? p.partialRow() * p.size : 0));
        tall = GemmPlan.align(wide + (p.dots ? 0 : columns / p.panel * panelBytes));
        turned = GemmPlan.align(tall + (p.dots ? 0 : strip * depth * p.size));
        long unturned = p.panel * depth * p.size;
        long transposed =
                p.swapped && !p.dots ? p.columns * GemmPlan.roundUp(Math.max(rows, p.sumRows()), p.lanes) * p.size : 0;
        end = GemmPlan.align(turned + Math.max(unturned, transposed));
    }

    long bytes() {
        return end - lanes;
    }
}
