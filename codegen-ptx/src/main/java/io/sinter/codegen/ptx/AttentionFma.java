// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Attention's blocks by plain fused multiply-adds. A thread has 4 × 4 elements, or 8 × 8, whose second halves are 32 rows or columns further on: the more, the
 * fewer vectors it reads for a multiply-add. Products go through panels in shared memory, and weights have a place of their own there. Panels of 16 steps are
 * written by the operands' code; or panels of 32 steps, and the second product's of all 64, come by asynchronous copies: one ahead of what is multiplied, the
 * second product's while scores become weights.
 *
 * <p>What shared memory serves at a time are 8 lanes' vectors of 16 bytes, and 16 lanes' if lanes 1, or 2, apart read the same ones. So the columns and
 * rows of threads take turns in the lanes of a warp: lane bits 0, 2, 3 (and 4) count columns, bit 1 is bit 2 of the row. All threads of a row are in one
 * warp. Lines that lie along the steps, and weights, which lie by columns, have their chunks exchanged by exclusive or, so that 8 lanes meet in no bank.
 */
final class AttentionFma implements AttentionCells {
    private static final int SIDE = AttentionCode.SIDE;

    /** Rows, and columns, of a thread's elements that lie side by side. */
    private static final int EACH = 4;

    /** Threads that add up what is known of one query before all else. */
    private static final int QUERY_THREADS = 4;

    /** Steps of a panel that is written by code, and elements from one to the next: neighbouring steps meet in different banks. */
    private static final int DEPTH = 16;

    private static final int PITCH = SIDE + 4;

    /** Bytes of a line of a panel that is copied. */
    private static final int LINE = 128;

    /** Bytes of panels of two operands that are copied. */
    private static final int STAGE = 2 * SIDE * LINE;

    private static final int CHUNK = GemmOperand.CHUNK;

    /** What lines, and columns of weights, that are so far apart have in common: how their chunks are exchanged. */
    private static final int PERIOD = LINE / CHUNK * EACH;

    /** Multiply-adds of a thread in one go of a loop: more would not stay in the caches of instructions. */
    private static final int UNROLLED = 512;

    private final AttentionCode g;
    private final KernelBuilder out;
    private final IntCode ints;
    private final int elements;
    /** Null where panels are written by the operands' code. */
    private final AttentionCopies copies;
    /** Threads along a side of a block. */
    private final int threads;
    /** Numbers of the thread along the rows and columns of a block. */
    private final Operand row;

    private final Operand column;
    /** Weights of a block by columns. */
    private final Operand weights;
    /** Panels of both operands of a product: two stages of them, if they are copied. */
    private final Operand panels;

    private final Reg panelsLong;
    /** Weights of the thread's last rows, which are written, and read, four at a time. */
    private final List<List<Operand>> written = new ArrayList<>();

    private final List<List<Operand>> read = new ArrayList<>();

    AttentionFma(AttentionCode g, AttentionSchedule schedule) {
        this.g = g;
        out = g.out;
        ints = new IntCode(out);
        elements = schedule.elements();
        threads = elements == EACH * EACH ? SIDE / EACH : SIDE / EACH / 2;
        copies = schedule.async() ? new AttentionCopies(g, threads(schedule), g.bytes) : null;
        Operand memory = new Operand.Symbol(PtxCodegen.DYNAMIC_SHARED);
        weights = out.mov(PtxType.U32, memory);
        panels = ints.add(weights, (long) SIDE * SIDE * g.bytes);
        panelsLong = out.add(PtxType.S64, out.mov(PtxType.U64, memory), out.constant((long) SIDE * SIDE * g.bytes));
        Operand thread = out.mov(PtxType.U32, Operand.Special.TID_X);
        Operand above = ints.mul(ints.mod(ints.div(thread, 4), threads / 2), 2);
        column = ints.add(ints.mod(thread, 2), above);
        Operand rest = ints.div(thread, 2L * threads);
        Operand bit = ints.mod(ints.div(thread, 2), 2);
        row = ints.add(
                ints.add(ints.mod(rest, 4), ints.mul(bit, 4)),
                threads > 8 ? ints.mul(ints.div(rest, 4), 8) : out.constant(0));
    }

    static int threads(AttentionSchedule schedule) {
        return SIDE * SIDE / schedule.elements();
    }

    /** CTAs that a multiprocessor is to have room for. */
    static int ctas(AttentionSchedule schedule) {
        if (!schedule.async()) return 1;
        return schedule.elements() == EACH * EACH ? 2 : 4;
    }

    /**
     * Dynamic shared memory of a CTA.
     *
     * @param bytes of an element
     */
    static int sharedBytes(AttentionSchedule schedule, int bytes) {
        return SIDE * SIDE * bytes + (schedule.async() ? 2 * STAGE : 2 * DEPTH * PITCH * bytes);
    }

    private Places places(Operand number) {
        int[] offsets = new int[SIDE / threads];
        Arrays.setAll(offsets, i -> i / EACH * threads * EACH + i % EACH);
        return new Places(ints.wide(ints.mul(number, EACH)), offsets);
    }

    @Override
    public Places rows() {
        return places(row);
    }

    @Override
    public Places columns() {
        return places(column);
    }

    /** Lanes that differ in one bit of the column, the highest first. */
    @Override
    public int[] laneDistances() {
        return threads == 16 ? new int[] {16, 8, 4, 1} : new int[] {8, 4, 1};
    }

    @Override
    public int threadsOfQuery() {
        return QUERY_THREADS;
    }

    @Override
    public void product(Lines left, Lines right, Var step, List<Reg> sums) {
        Operand depth = g.extent(step);
        if (copies != null) {
            copied(left, right, step, depth, sums);
            return;
        }
        long second = (long) DEPTH * PITCH * g.bytes;
        Reg to = out.add(PtxType.S64, panelsLong, out.constant(second));
        g.c.loop(out.constant(0), depth, out.constant(DEPTH), k0 -> {
            g.write(left, step, k0, depth, panel(panelsLong), true);
            g.write(right, step, k0, depth, panel(to), true);
            out.barrier();
            int pitch = PITCH * g.bytes;
            Operand rows = ints.add(panels, ints.mul(row, (long) EACH * g.bytes));
            Operand columns = ints.add(ints.add(panels, second), ints.mul(column, (long) EACH * g.bytes));
            for (int s = 0; s < DEPTH; s++)
                multiply(line(rows, (long) s * pitch), line(columns, (long) s * pitch), sums);
            out.barrier();
        });
    }

    /** A panel of as many steps, by steps. */
    private AttentionCode.Panel panel(Reg at) {
        return new AttentionCode.Panel(at, DEPTH, g.bytes, PITCH * g.bytes, null);
    }

    private void copied(Lines left, Lines right, Var step, Operand depth, List<Reg> sums) {
        copies.ahead(
                g.stage,
                out.constant(0),
                depth,
                LINE / g.bytes,
                STAGE,
                (k0, stage) -> {
                    Operand at = ints.add(panels, stage);
                    copies.lines(left, step, k0, depth, at, LINE, LINE, PERIOD, this::place);
                    copies.lines(right, step, k0, depth, ints.add(at, SIDE * LINE), LINE, LINE, PERIOD, this::place);
                },
                stage -> multiplyLines(ints.add(panels, stage), sums));
    }

    /** Lines that a thread reads together are exchanged alike. */
    private Operand place(Operand line, Operand chunk) {
        Operand exchanged = ints.xor(chunk, ints.mod(ints.div(line, EACH), LINE / CHUNK));
        return ints.add(ints.mul(line, LINE), ints.mul(exchanged, CHUNK));
    }

    private void multiplyLines(Operand stage, List<Reg> sums) {
        Operand a = ints.add(stage, ints.mul(row, EACH * LINE));
        Operand b = ints.add(stage, ints.add(ints.mul(column, EACH * LINE), SIDE * LINE));
        Operand rowExchange = ints.mul(ints.mod(row, LINE / CHUNK), CHUNK);
        Operand columnExchange = ints.mul(ints.mod(column, LINE / CHUNK), CHUNK);
        int vector = CHUNK / g.bytes;
        int atOnce = UNROLLED / (elements * vector) * CHUNK;
        repeat(LINE, atOnce, at -> {
            for (int chunk = 0; chunk < Math.min(LINE, atOnce); chunk += CHUNK) {
                Operand place = out.constant(chunk);
                List<List<Operand>> rows = new ArrayList<>();
                Operand from = ints.add(a, ints.xor(ints.xor(rowExchange, at), place));
                for (int offset : rows().offsets()) rows.add(vector(from, (long) offset * LINE));
                Operand with = ints.add(b, ints.xor(ints.xor(columnExchange, at), place));
                int[] columns = columns().offsets();
                for (int j = 0; j < columns.length; j++) {
                    List<Operand> y = vector(with, (long) columns[j] * LINE);
                    for (int s = 0; s < vector; s++)
                        for (int i = 0; i < rows.size(); i++)
                            multiply(
                                    sums.get(i * columns.length + j),
                                    rows.get(i).get(s),
                                    y.get(s));
                }
            }
        });
    }

    /** Code for all of {@code size}, some at a time. */
    private void repeat(int size, int some, Consumer<Operand> code) {
        if (some >= size) code.accept(out.constant(0));
        else
            g.c.loop(
                    out.constant(0),
                    out.constant(size),
                    out.constant(some),
                    () -> out.pragma("nounroll"),
                    at -> code.accept(ints.low(at)));
    }

    @Override
    public void begin(Lines right, Var step, Operand first) {
        if (copies == null) return;
        copies.steps(right, step, first, SIDE, ints.add(panels, g.stage), SIDE * g.bytes);
        copies.commit();
    }

    @Override
    public void weighted(Lines right, Var step, Operand first, List<Reg> sums) {
        if (copies != null) {
            // So are the weights.
            copies.await();
            Operand panel = ints.add(panels, g.stage);
            // Nobody reads the other stage any more.
            out.assign(PtxType.B32, g.stage, out.sub(PtxType.S32, out.constant(STAGE), g.stage));
            multiplyWeights(0, SIDE, panel, SIDE * g.bytes, sums);
            return;
        }
        // Nobody reads panels any more: whoever multiplied some has waited for all behind that.
        for (int at = 0; at < SIDE; at += DEPTH) {
            g.write(right, step, g.scalars.addLong(first, out.constant(at)), g.extent(step), panel(panelsLong), false);
            // The panel is there, and so are all weights.
            out.barrier();
            multiplyWeights(at, DEPTH, panels, PITCH * g.bytes, sums);
            out.barrier();
        }
    }

    /**
     * Multiplies the weights of some columns.
     *
     * @param panel has a line for each of them
     */
    private void multiplyWeights(int first, int count, Operand panel, int pitch, List<Reg> sums) {
        int column = SIDE * g.bytes;
        int cell = EACH * g.bytes;
        int atOnce = Math.min(count, UNROLLED / elements);
        repeat(count, atOnce, at -> {
            Operand number = ints.add(at, first);
            Operand exchange = ints.mul(ints.mod(ints.div(number, EACH), PERIOD / EACH), cell);
            Operand place = ints.xor(ints.mul(row, cell), exchange);
            Operand from = ints.add(weights, ints.mul(number, column));
            Operand with = ints.add(panel, ints.add(ints.mul(at, pitch), ints.mul(this.column, cell)));
            for (int s = 0; s < atOnce; s += EACH) {
                Operand rows = ints.add(from, ints.xor(place, out.constant((long) s / EACH * cell)));
                for (int n = s; n < s + EACH; n++)
                    multiply(line(rows, (long) n * column), line(with, (long) n * pitch), sums);
            }
        });
    }

    /** Where the weight of the thread's first row and column is. */
    private Operand cells() {
        int cell = EACH * g.bytes;
        Operand exchange = ints.mul(ints.mod(column, PERIOD / EACH), cell);
        Operand inColumn = ints.xor(ints.mul(row, cell), exchange);
        return ints.add(ints.add(weights, ints.mul(column, (long) EACH * SIDE * g.bytes)), inColumn);
    }

    /** Bytes from there to the same of another row and column of the thread, of which the row is the first of four. */
    private long distance(int row, int column) {
        return ((long) columns().offsets()[column] * SIDE + rows().offsets()[row]) * g.bytes;
    }

    @Override
    public void weigh(int row, List<Operand> values) {
        if (row % EACH == 0) written.clear();
        written.add(values);
        if (written.size() < EACH) return;
        Operand to = cells();
        int vector = CHUNK / g.bytes;
        for (int j = 0; j < values.size(); j++) {
            for (int i = 0; i < EACH; i += vector) {
                int column = j;
                List<Operand> together = written.subList(i, i + vector).stream()
                        .map(v -> (Operand) g.scalars.register(g.kernel.acc(), v.get(column)))
                        .toList();
                long at = distance(row - row % EACH, j) + (long) i * g.bytes;
                out.add(Memory.Store.of(Space.SHARED, g.type, out.at(to, at), new Operand.Vector(together)));
            }
        }
    }

    @Override
    public List<Operand> weights(int row) {
        if (row % EACH == 0) {
            read.clear();
            for (int i = 0; i < EACH; i++) read.add(new ArrayList<>());
            Operand from = cells();
            for (int j = 0; j < columns().count(); j++) {
                List<Operand> four = neighbours(from, distance(row, j));
                for (int i = 0; i < EACH; i++) read.get(i).add(four.get(i));
            }
        }
        return read.get(row % EACH);
    }

    /** One step. */
    private void multiply(List<Operand> rows, List<Operand> columns, List<Reg> sums) {
        for (int i = 0; i < rows.size(); i++)
            for (int j = 0; j < columns.size(); j++)
                multiply(sums.get(i * columns.size() + j), rows.get(i), columns.get(j));
    }

    private void multiply(Reg sum, Operand x, Operand y) {
        g.scalars.assign(g.kernel.acc(), sum, out.mad(g.type, x, y, sum));
    }

    /** The thread's elements of a line of a panel. */
    private List<Operand> line(Operand base, long offset) {
        List<Operand> all = new ArrayList<>();
        for (int first = 0; first < SIDE; first += threads * EACH)
            all.addAll(neighbours(base, offset + (long) first * g.bytes));
        return all;
    }

    private List<Operand> neighbours(Operand base, long offset) {
        List<Operand> all = new ArrayList<>();
        for (int i = 0; i < EACH * g.bytes; i += CHUNK) all.addAll(vector(base, offset + i));
        return all;
    }

    private List<Operand> vector(Operand base, long offset) {
        return out.load(Space.SHARED, g.type, CHUNK / g.bytes, out.at(base, offset))
                .elements();
    }
}
