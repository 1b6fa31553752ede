// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Movement;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Attention's blocks by tensor cores, where queries, keys and values are of one type of 16 bits: 4 warps with 16 rows and all 64 columns each, in the layout
 * of sums of {@code mma.m16n8k16}. Scores stay in registers: as weights they are the left operand of the second product as they lie there, rounded
 * to the operands' type (Dao 2023). Panels of 32 steps come out of shared memory by {@code ldmatrix}.
 */
final class AttentionMma implements AttentionCells {
    private static final int SIDE = AttentionCode.SIDE;
    static final int THREADS = 128;

    /** Steps of a product in shared memory at a time, and those of one instruction. */
    private static final int DEPTH = 32;

    private static final int STEP = 16;
    private static final Matrix.Shape SHAPE = new Matrix.Shape(16, 8, STEP);
    private static final int BYTES = 2;

    /** Bytes from line to line of panels with a line for each row or column, and with one for each step: 8 lines' 16 bytes are all banks. */
    private static final int ROW_PITCH = (DEPTH + 8) * BYTES;

    private static final int STEP_PITCH = (SIDE + 8) * BYTES;

    private final AttentionCode g;
    private final KernelBuilder out;
    private final IntCode ints;
    private final DType element;
    private final Reg panels;
    private final Operand rowBase;
    private final Operand columnBase;
    /** Where a lane finds its rows of matrices: of the left operand, of the right one, and of one that lies by steps. */
    private final Operand left;

    private final Operand right;
    private final Operand bySteps;
    /** The thread's two rows of weights. */
    private final List<List<Operand>> weights = new ArrayList<>(List.of(List.of(), List.of()));

    /** @param element f16 or bf16 */
    AttentionMma(AttentionCode g, DType element) {
        this.g = g;
        this.element = element;
        out = g.out;
        ints = new IntCode(out);
        Operand.Symbol memory = out.shared("panels", 16, 2L * SIDE * ROW_PITCH);
        panels = out.mov(PtxType.U64, memory);
        Reg base = out.mov(PtxType.U32, memory);
        Operand thread = out.mov(PtxType.U32, Operand.Special.TID_X);
        Operand lane = ints.mod(thread, 32);
        Operand warpRow = ints.mul(ints.div(thread, 32), 16);
        rowBase = ints.wide(ints.add(warpRow, ints.div(lane, 4)));
        columnBase = ints.wide(ints.mul(ints.mod(lane, 4), 2));
        // Lane 8i + r gives row r of matrix i.
        Operand r = ints.mod(lane, 8);
        Operand bit3 = ints.mod(ints.div(lane, 8), 2);
        Operand bit4 = ints.div(lane, 16);
        left = ints.add(base, place(ints.add(warpRow, ints.add(ints.mul(bit3, 8), r)), ROW_PITCH, bit4));
        Operand second = ints.add(base, (long) SIDE * ROW_PITCH);
        right = ints.add(second, place(ints.add(ints.mul(bit4, 8), r), ROW_PITCH, bit3));
        bySteps = ints.add(base, place(ints.add(ints.mul(bit3, 8), r), STEP_PITCH, bit4));
    }

    /** Bytes to the first or second 16 of a line. */
    private Operand place(Operand line, int pitch, Operand half) {
        return ints.add(ints.mul(line, pitch), ints.mul(half, 16));
    }

    @Override
    public Places rows() {
        return new Places(rowBase, 0, 8);
    }

    @Override
    public Places columns() {
        int[] offsets = new int[SIDE / 4];
        Arrays.setAll(offsets, i -> i / 2 * 8 + i % 2);
        return new Places(columnBase, offsets);
    }

    @Override
    public int threadsOfRow() {
        return 4;
    }

    @Override
    public void product(Lines rows, Lines columns, Var step, List<Reg> sums) {
        Operand depth = g.extent(step);
        Reg second = out.add(PtxType.S64, panels, out.constant((long) SIDE * ROW_PITCH));
        g.loop(out.constant(0), depth, out.constant(DEPTH), k0 -> {
            g.write(rows, step, k0, depth, new AttentionCode.Panel(panels, DEPTH, ROW_PITCH, BYTES, element), true);
            g.write(columns, step, k0, depth, new AttentionCode.Panel(second, DEPTH, ROW_PITCH, BYTES, element), true);
            out.barrier();
            for (int s = 0; s < DEPTH / STEP; s++) {
                long along = (long) s * STEP * BYTES;
                List<Operand> a = matrices(left, along, false);
                for (int pair = 0; pair < SIDE / 16; pair++)
                    multiply(pair, a, matrices(right, along + (long) pair * 16 * ROW_PITCH, false), sums);
            }
            out.barrier();
        });
    }

    @Override
    public void weigh(int row, List<Operand> values) {
        weights.set(row, List.copyOf(values));
    }

    @Override
    public void weighted(Lines columns, Var step, Operand first, List<Reg> sums) {
        AttentionCode.Panel panel = new AttentionCode.Panel(panels, DEPTH, BYTES, STEP_PITCH, element);
        List<List<Operand>> packed = new ArrayList<>();
        for (int s = 0; s < SIDE / STEP; s++) packed.add(packed(s));
        for (int at = 0; at < SIDE; at += DEPTH) {
            g.write(columns, step, g.scalars.addLong(first, out.constant(at)), g.extent(step), panel, false);
            out.barrier();
            for (int s = 0; s < DEPTH / STEP; s++) {
                long line = (long) s * STEP * STEP_PITCH;
                for (int pair = 0; pair < SIDE / 16; pair++)
                    multiply(
                            pair,
                            packed.get(at / STEP + s),
                            matrices(bySteps, line + (long) pair * 16 * BYTES, true),
                            sums);
            }
            out.barrier();
        }
    }

    /** The weights of 16 steps as a left operand: both rows' low steps, then their high ones. */
    private List<Operand> packed(int step) {
        List<Operand> all = new ArrayList<>();
        for (int half = 0; half < 2; half++) {
            int column = 4 * step + 2 * half;
            for (List<Operand> row : weights) all.add(pair(row.get(column), row.get(column + 1)));
        }
        return all;
    }

    /** Two numbers in one register, rounded. */
    private Operand pair(Operand low, Operand high) {
        Reg d = out.register(PtxType.B32);
        PtxType type = element == DType.BF16 ? PtxType.BF16X2 : PtxType.F16X2;
        out.add(new Movement.Convert(FloatMode.RN, type, PtxType.F32, d, high, low));
        return d;
    }

    private List<Operand> matrices(Operand base, long offset, boolean transposed) {
        Operand.Vector d = out.registers(PtxType.B32, 4);
        out.add(new Matrix.LoadMatrix(4, transposed, Space.SHARED, d, out.at(base, offset)));
        return d.elements();
    }

    /** Two blocks of 8 columns: of each, {@code b} has two registers. */
    private void multiply(int pair, List<Operand> a, List<Operand> b, List<Reg> sums) {
        PtxType type = element == DType.BF16 ? PtxType.BF16 : PtxType.F16;
        int perRow = SIDE / 4;
        for (int i = 0; i < 2; i++) {
            int c = 2 * (2 * pair + i);
            Operand.Vector d =
                    Operand.Vector.of(sums.get(c), sums.get(c + 1), sums.get(perRow + c), sums.get(perRow + c + 1));
            Operand.Vector right = new Operand.Vector(b.subList(2 * i, 2 * i + 2));
            out.add(new Matrix.Mma(
                    SHAPE, false, PtxType.F32, type, type, PtxType.F32, d, new Operand.Vector(a), right, d));
        }
    }
}
