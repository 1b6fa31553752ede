// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
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
 * Attention's blocks by tensor cores: 4 warps with 16 rows and all 64 columns each, in the layout of sums of {@code mma.m16n8}. Scores stay in registers: as
 * weights they are the left operand of the second product as they lie there, rounded to what is multiplied (Dao 2023). A step of an instruction is 32
 * bytes, of a panel 64 bytes. Panels come out of shared memory by {@code ldmatrix}; but for TF32's second product, whose elements would have to be
 * transposed, and where the order of keys is chosen so that weights need not move.
 *
 * <p>Panels are written by the operands' code, or come by asynchronous copies of 16 bytes, a panel ahead of what is multiplied; the second product's
 * first one while scores become weights.
 */
final class AttentionMma implements AttentionCells {
    private static final int SIDE = AttentionCode.SIDE;
    static final int THREADS = 128;

    /** Bytes of a line of a panel with a line for each row or column, and the distance from line to line: 8 lines' 16 bytes are all banks. */
    private static final int LINE = 64;

    private static final int ROW_PITCH = LINE + 16;

    private static final int CHUNK = GemmOperand.CHUNK;

    private final AttentionCode g;
    private final KernelBuilder out;
    private final IntCode ints;
    private final GemmSchedule.Math math;
    private final boolean async;
    /** Bytes of an element. */
    private final int bytes;
    /** Steps of a panel, and those of one instruction. */
    private final int depth;

    private final int step;
    /** From line to line of panels with a line for each step. */
    private final int stepPitch;

    private final AttentionCopies copies;
    private final Reg panels;
    /** Panels with lines of steps: their own memory, where they come while the others are in use. */
    private final Reg stepPanels;

    private final Operand rowBase;
    private final Operand columnBase;
    /** Where a lane finds its rows of matrices: of the left operand, of the right one, and of one that lies by steps. */
    private final Operand left;

    private final Operand right;
    private final Operand bySteps;
    /** The thread's two rows of weights. */
    private final List<List<Operand>> weights = new ArrayList<>(List.of(List.of(), List.of()));

    AttentionMma(AttentionCode g, AttentionSchedule schedule) {
        this.g = g;
        math = schedule.math();
        async = schedule.async();
        bytes = math.type().bytes();
        depth = LINE / bytes;
        step = math.shape().k();
        // Neighbouring steps' 16 bytes, and TF32's single elements, meet in different banks.
        stepPitch = (SIDE + 16 / bytes) * bytes;
        out = g.out;
        ints = new IntCode(out);
        copies = async ? new AttentionCopies(g, THREADS, bytes) : null;
        int stages = async ? 2 : 1;
        long pair = 2L * SIDE * ROW_PITCH;
        long byStep = (long) depth * stepPitch;
        Operand.Symbol memory = out.shared("panels", 16, async ? stages * (pair + byStep) : pair);
        panels = out.mov(PtxType.U64, memory);
        stepPanels = async ? out.add(PtxType.S64, panels, out.constant(stages * pair)) : panels;
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
        Operand stepBase = async ? ints.add(base, stages * pair) : base;
        bySteps = ints.add(
                stepBase,
                isTf32()
                        ? ints.add(ints.mul(ints.mod(lane, 4), 2L * stepPitch), ints.mul(ints.div(lane, 4), bytes))
                        : place(ints.add(ints.mul(bit3, 8), r), stepPitch, bit4));
    }

    private boolean isTf32() {
        return math == GemmSchedule.Math.TF32;
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
    public int[] laneDistances() {
        return new int[] {2, 1};
    }

    @Override
    public int threadsOfQuery() {
        return THREADS / SIDE;
    }

    /** The type of 16 bits that elements have in panels; null if they have 32. */
    private DType halves() {
        return switch (math) {
            case BF16 -> DType.BF16;
            case F16 -> DType.F16;
            default -> null;
        };
    }

    private AttentionCode.Panel panel(Reg at) {
        return new AttentionCode.Panel(at, depth, ROW_PITCH, bytes, halves());
    }

    @Override
    public void product(Lines rows, Lines columns, Var along, List<Reg> sums) {
        Operand end = g.extent(along);
        long second = (long) SIDE * ROW_PITCH;
        if (async) {
            // Nobody reads these panels any more.
            out.barrier();
            Operand to = ints.low(panels);
            copies.ahead(
                    out.mov(PtxType.B32, out.constant(0)),
                    out.constant(0),
                    end,
                    depth,
                    2 * second,
                    (k0, stage) -> {
                        Operand at = ints.add(to, stage);
                        copies.lines(rows, along, k0, end, at, LINE, ROW_PITCH, 1, this::inLine);
                        copies.lines(columns, along, k0, end, ints.add(at, second), LINE, ROW_PITCH, 1, this::inLine);
                    },
                    stage -> multiply(stage, sums));
            return;
        }
        Reg other = out.add(PtxType.S64, panels, out.constant(second));
        g.c.loop(out.constant(0), end, out.constant(depth), k0 -> {
            g.write(rows, along, k0, end, panel(panels), true);
            g.write(columns, along, k0, end, panel(other), true);
            out.barrier();
            multiply(out.constant(0), sums);
            out.barrier();
        });
    }

    private Operand inLine(Operand line, Operand chunk) {
        return ints.add(ints.mul(line, ROW_PITCH), ints.mul(chunk, CHUNK));
    }

    /** Multiplies the panels of a stage, that many bytes from the first one. */
    private void multiply(Operand stage, List<Reg> sums) {
        Operand a = ints.add(left, stage);
        Operand b = ints.add(right, stage);
        for (int s = 0; s < LINE / 32; s++) {
            List<Operand> rows = matrices(a, 32L * s, false);
            for (int pair = 0; pair < SIDE / 16; pair++)
                multiply(pair, rows, matrices(b, 32L * s + (long) pair * 16 * ROW_PITCH, false), sums);
        }
    }

    @Override
    public void begin(Lines columns, Var along, Operand first) {
        if (!async) return;
        copies.steps(columns, along, first, depth, ints.low(stepPanels), stepPitch);
        copies.commit();
    }

    @Override
    public void weigh(int row, List<Operand> values) {
        weights.set(row, List.copyOf(values));
    }

    @Override
    public List<Operand> weights(int row) {
        return weights.get(row);
    }

    @Override
    public void weighted(Lines columns, Var along, Operand first, List<Reg> sums) {
        List<List<Operand>> packed = new ArrayList<>();
        for (int s = 0; s < SIDE / step; s++) packed.add(packed(s));
        for (int at = 0; at < SIDE; at += depth) {
            Operand from = g.scalars.addLong(first, out.constant(at));
            long stage = 0;
            if (async) {
                copies.await();
                long bytesOfStage = (long) depth * stepPitch;
                stage = at / depth % 2 * bytesOfStage;
                if (at + depth < SIDE) {
                    Operand next = g.scalars.addLong(from, out.constant(depth));
                    Operand to = ints.add(ints.low(stepPanels), bytesOfStage - stage);
                    copies.steps(columns, along, next, depth, to, stepPitch);
                    copies.commit();
                }
            } else {
                AttentionCode.Panel panel = new AttentionCode.Panel(panels, depth, bytes, stepPitch, halves());
                g.write(columns, along, from, g.extent(along), panel, false);
                out.barrier();
            }
            for (int s = 0; s < depth / step; s++) {
                long line = stage + (long) s * step * stepPitch;
                for (int pair = 0; pair < SIDE / 16; pair++)
                    multiply(pair, packed.get(at / step + s), right(line, pair), sums);
            }
            if (!async) out.barrier();
        }
    }

    /** Of a panel that lies by steps the operand for 16 columns. */
    private List<Operand> right(long line, int pair) {
        if (!isTf32()) return matrices(bySteps, line + (long) pair * 16 * bytes, true);
        // Number t of the first 4 of 8 keys is key 2t, of the last 4 key 2t + 1: as the weights lie.
        List<Operand> all = new ArrayList<>();
        for (int block = 0; block < 2; block++)
            for (int odd = 0; odd < 2; odd++)
                all.add(rounded(out.load(
                        Space.SHARED,
                        PtxType.B32,
                        out.at(bySteps, line + (long) odd * stepPitch + (2L * pair + block) * 8 * bytes))));
        return all;
    }

    /** The weights of the steps of an instruction as a left operand: both rows' low steps, then their high ones. */
    private List<Operand> packed(int number) {
        List<Operand> all = new ArrayList<>();
        for (int half = 0; half < 2; half++) {
            if (isTf32()) {
                for (List<Operand> row : weights) all.add(rounded(row.get(2 * number + half)));
                continue;
            }
            int column = 4 * number + 2 * half;
            for (List<Operand> row : weights) all.add(pair(row.get(column), row.get(column + 1)));
        }
        return all;
    }

    /** Two numbers in one register, rounded. */
    private Operand pair(Operand low, Operand high) {
        Reg d = out.register(PtxType.B32);
        PtxType type = math == GemmSchedule.Math.BF16 ? PtxType.BF16X2 : PtxType.F16X2;
        out.add(new Movement.Convert(FloatMode.RN, type, PtxType.F32, d, high, low));
        return d;
    }

    /** The tensor core would cut bits of f32 off. */
    private Operand rounded(Operand x) {
        return isTf32() ? out.cvt(FloatMode.of(Rounding.RNA), PtxType.TF32, PtxType.F32, x) : x;
    }

    private List<Operand> matrices(Operand base, long offset, boolean transposed) {
        Operand.Vector d = out.registers(PtxType.B32, 4);
        out.add(new Matrix.LoadMatrix(4, transposed, Space.SHARED, d, out.at(base, offset)));
        return d.elements().stream().map(this::rounded).toList();
    }

    /** Two blocks of 8 columns: of each, {@code b} has two registers. */
    private void multiply(int pair, List<Operand> a, List<Operand> b, List<Reg> sums) {
        PtxType type = math.type();
        int perRow = SIDE / 4;
        for (int i = 0; i < 2; i++) {
            int c = 2 * (2 * pair + i);
            Operand.Vector d =
                    Operand.Vector.of(sums.get(c), sums.get(c + 1), sums.get(perRow + c), sums.get(perRow + c + 1));
            Operand.Vector right = new Operand.Vector(b.subList(2 * i, 2 * i + 2));
            out.add(new Matrix.Mma(
                    math.shape(), false, PtxType.F32, type, type, PtxType.F32, d, new Operand.Vector(a), right, d));
        }
    }
}
