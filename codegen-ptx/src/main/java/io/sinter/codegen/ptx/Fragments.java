// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import java.util.ArrayList;
import java.util.List;

/**
 * Loads a warp's fragments of one operand from its panel. Of a block of 16 rows and one step of an instruction along k, fragments are quarters of 8
 * rows and half of the step: of the left operand in the order (low rows, low k), (high rows, low k), (low, high), (high, high); of the right
 * one (low, low), (low, high), (high, low), (high, high), two of its blocks of 8 columns. Each lane holds 4 bytes of row {@code lane / 4}, number
 * {@code lane % 4} along k (PTX ISA, "Matrix Fragments for mma"). In f64 a quarter is all.
 *
 * <p>{@code ldmatrix} loads the four at once, transposing where lines are along the rows. It moves 16 bits, so wider elements along the rows
 * are loaded one by one, as is f64.
 */
final class Fragments {
    private static final int CHUNK = GemmOperand.CHUNK;

    private final GemmCode g;
    private final boolean isLeft;
    private final boolean alongK;
    private final boolean byMatrix;
    private final GemmSchedule.Math math;
    private final Panel panel;
    private final Operand warpRow;
    /** Rows of a block of fragments that are loaded together. */
    private final int blockRows;

    private final int blocks;
    private final Operand lane;
    /** Addresses in the first stage: for each step of k (along k), or each block or half of it (along the rows). */
    private final List<Operand> addresses = new ArrayList<>();

    /** Whether {@code ldmatrix} loads an operand. */
    static boolean byMatrix(GemmOperand o, GemmSchedule.Math math) {
        return math.type().bytes() == 2 || (math == GemmSchedule.Math.TF32 && o.alongK());
    }

    /**
     * @param rows of the warp's part of the tile
     * @param warpRow the first of them
     */
    Fragments(GemmCode g, GemmOperand operand, Panel panel, Operand base, int rows, Operand warpRow) {
        this.g = g;
        this.panel = panel;
        this.warpRow = warpRow;
        math = g.schedule.math();
        isLeft = operand.isLeft();
        alongK = operand.alongK();
        byMatrix = byMatrix(operand, math);
        blockRows = math == GemmSchedule.Math.F64 ? 8 : 16;
        blocks = rows / blockRows;
        lane = g.ints.mod(g.thread, 32);
        if (byMatrix) matrixAddresses(base);
        else elementAddresses(base);
    }

    int blocks() {
        return blocks;
    }

    private int steps() {
        return g.schedule.tile().depth() / math.shape().k();
    }

    /** Lane 8i + r gives row r of quarter i. */
    private void matrixAddresses(Operand base) {
        Operand r = g.ints.mod(lane, 8);
        Operand bit3 = g.ints.mod(g.ints.div(lane, 8), 2);
        Operand bit4 = g.ints.div(lane, 16);
        Operand rowHalf = isLeft ? bit3 : bit4;
        Operand kHalf = isLeft ? bit4 : bit3;
        if (alongK) {
            Operand line = g.ints.add(warpRow, g.ints.add(g.ints.mul(rowHalf, 8), r));
            Operand exchange = panel.exchange(g.ints, line);
            for (int s = 0; s < steps(); s++) {
                Operand chunk = g.ints.add(kHalf, 2L * s);
                addresses.add(g.ints.add(base, panel.offset(g.ints, line, exchange, chunk)));
            }
        } else {
            Operand line = g.ints.add(g.ints.mul(kHalf, 8), r);
            Operand exchange = panel.exchange(g.ints, line);
            Operand first = g.ints.add(g.ints.div(warpRow, 8), rowHalf);
            for (int b = 0; b < blocks; b++)
                addresses.add(g.ints.add(base, panel.offset(g.ints, line, exchange, g.ints.add(first, 2L * b))));
        }
    }

    private void elementAddresses(Operand base) {
        Operand row = g.ints.div(lane, 4);
        Operand k = g.ints.mod(lane, 4);
        int perChunk = panel.chunk();
        if (alongK) {
            Operand line = g.ints.add(warpRow, row);
            Operand exchange = panel.exchange(g.ints, line);
            Operand within = g.ints.mul(g.ints.mod(k, perChunk), panel.bytes());
            for (int s = 0; s < steps(); s++) {
                Operand chunk = g.ints.add(
                        g.ints.div(k, perChunk), (long) s * math.shape().k() / perChunk);
                addresses.add(g.ints.add(base, g.ints.add(panel.offset(g.ints, line, exchange, chunk), within)));
            }
        } else {
            Operand exchange = panel.exchange(g.ints, k);
            Operand within = g.ints.mul(g.ints.mod(row, perChunk), panel.bytes());
            Operand first = g.ints.div(g.ints.add(warpRow, row), perChunk);
            for (int b = 0; b < blocks * blockRows / 8; b++) {
                Operand chunk = g.ints.add(first, (long) b * 8 / perChunk);
                addresses.add(g.ints.add(base, g.ints.add(panel.offset(g.ints, k, exchange, chunk), within)));
            }
        }
    }

    /** Registers for the quarters of every block. */
    List<List<Operand>> registers() {
        List<List<Operand>> all = new ArrayList<>();
        for (int b = 0; b < blocks; b++)
            all.add(g.out.registers(quarterType(), quarters()).elements());
        return all;
    }

    private PtxType quarterType() {
        return math == GemmSchedule.Math.F64 ? PtxType.F64 : PtxType.B32;
    }

    private int quarters() {
        return blockRows / 8 * (math == GemmSchedule.Math.F64 ? 1 : 2);
    }

    /**
     * Loads the quarters of every block for a step of k as they are in memory.
     *
     * @param stage bytes from the first stage
     * @param into see {@link #registers}
     */
    void load(int step, Reg stage, List<List<Operand>> into) {
        for (int b = 0; b < blocks; b++) {
            if (byMatrix) matrices(b, step, stage, into.get(b));
            else elements(b, step, stage, into.get(b));
        }
    }

    private void matrices(int block, int step, Reg stage, List<Operand> into) {
        Operand at = g.ints.add(addresses.get(alongK ? step : block), stage);
        long offset = (long) 16 * (alongK ? block : step) * panel.lineBytes();
        g.out.add(new Matrix.LoadMatrix(4, !alongK, Space.SHARED, new Operand.Vector(into), g.out.at(at, offset)));
    }

    /** Only f64, and tf32 along the rows. */
    private void elements(int block, int step, Reg stage, List<Operand> into) {
        int rowHalves = blockRows / 8;
        int kHalves = quarters() / rowHalves;
        for (int q = 0; q < quarters(); q++) {
            int rowHalf = isLeft ? q % rowHalves : q / kHalves;
            int kHalf = isLeft ? q / rowHalves : q % kHalves;
            Operand first = addresses.get(alongK ? step : block * rowHalves + rowHalf);
            int line = alongK
                    ? block * blockRows + 8 * rowHalf
                    : step * math.shape().k() + 4 * kHalf;
            Operand at = g.ints.add(first, stage);
            g.out.add(Memory.Load.of(
                    Space.SHARED, quarterType(), into.get(q), g.out.at(at, (long) line * panel.lineBytes())));
        }
    }

    /** What is multiplied of quarters that were loaded: in TF32 they are rounded, as the tensor core would cut bits off. */
    List<List<Operand>> operands(List<List<Operand>> loaded) {
        if (math != GemmSchedule.Math.TF32) return loaded;
        return loaded.stream()
                .map(block -> block.stream().map(this::rounded).toList())
                .toList();
    }

    private Operand rounded(Operand x) {
        return g.out.cvt(FloatMode.of(Rounding.RNA), PtxType.TF32, PtxType.F32, x);
    }
}
