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
import java.util.List;

/**
 * Attention's blocks by plain fused multiply-adds: 16 × 16 threads with 4 × 4 elements each. Products go through panels in shared memory, and so do the
 * weights of a block. Panels of 16 steps are written by the operands' code; or panels of 32 steps, and the second product's of all 64, come by
 * asynchronous copies: one ahead of what is multiplied, the second product's while scores become weights. Those have lines along the steps, whose chunks
 * are exchanged by exclusive or, so that threads beside each other meet in no bank.
 */
final class AttentionFma implements AttentionCells {
    private static final int SIDE = AttentionCode.SIDE;

    /** Threads along a side, and the elements of each. */
    private static final int THREADS_SIDE = 16;

    private static final int EACH = SIDE / THREADS_SIDE;
    static final int THREADS = THREADS_SIDE * THREADS_SIDE;

    /** Steps of a product in shared memory at a time. */
    private static final int DEPTH = 16;

    /** Elements from one step to the next: vectors stay aligned, neighbouring steps meet in different banks. */
    private static final int PITCH = SIDE + 4;

    /** Bytes of a line of a panel that is copied. */
    private static final int LINE = 128;

    private static final int CHUNK = GemmOperand.CHUNK;

    private final AttentionCode g;
    private final KernelBuilder out;
    private final IntCode ints;
    /** Null where panels are written by the operands' code. */
    private final AttentionCopies copies;
    /** Weights of a block by columns; panels of both operands while these are computed. */
    private final Reg weights;

    private final Reg panel;
    private final Operand firstRow;
    private final Operand firstColumn;

    AttentionFma(AttentionCode g, boolean async) {
        this.g = g;
        out = g.out;
        ints = new IntCode(out);
        copies = async ? new AttentionCopies(g, THREADS, g.bytes) : null;
        long block = (long) SIDE * PITCH * g.bytes;
        if (async) {
            weights = out.mov(PtxType.U64, out.shared("weights", CHUNK, 2 * block));
            panel = out.add(PtxType.S64, weights, out.constant(block));
        } else {
            weights = out.mov(PtxType.U64, out.shared("weights", CHUNK, block));
            panel = out.mov(PtxType.U64, out.shared("panel", CHUNK, (long) DEPTH * PITCH * g.bytes));
        }
        firstRow = g.scalars.mulLong(g.high(THREADS_SIDE), out.constant(EACH));
        firstColumn = g.scalars.mulLong(g.low(THREADS_SIDE), out.constant(EACH));
    }

    @Override
    public Places rows() {
        return new Places(firstRow, 0, 1, 2, 3);
    }

    @Override
    public Places columns() {
        return new Places(firstColumn, 0, 1, 2, 3);
    }

    @Override
    public int threadsOfRow() {
        return THREADS_SIDE;
    }

    /** A panel of as many steps, by steps. */
    private AttentionCode.Panel panel(Reg at) {
        return new AttentionCode.Panel(at, DEPTH, g.bytes, PITCH * g.bytes, null);
    }

    @Override
    public void product(Lines left, Lines right, Var step, List<Reg> sums) {
        Operand depth = g.extent(step);
        if (copies != null) {
            copied(left, right, step, depth, sums);
            return;
        }
        Reg second = out.add(PtxType.S64, weights, out.constant((long) DEPTH * PITCH * g.bytes));
        g.c.loop(out.constant(0), depth, out.constant(DEPTH), k0 -> {
            g.write(left, step, k0, depth, panel(weights), true);
            g.write(right, step, k0, depth, panel(second), true);
            out.barrier();
            multiply(weights, second, DEPTH, sums);
            out.barrier();
        });
    }

    /** One stage of panels is where weights will be, the other where the second product's panel will be. */
    private void copied(Lines left, Lines right, Var step, Operand depth, List<Reg> sums) {
        int steps = LINE / g.bytes;
        Operand to = ints.low(weights);
        // Nobody reads this memory any more.
        out.barrier();
        copies.ahead(
                out.constant(0),
                depth,
                steps,
                (long) SIDE * PITCH * g.bytes,
                (k0, stage) -> {
                    Operand at = ints.add(to, stage);
                    copies.lines(left, step, k0, depth, at, LINE, LINE, this::place);
                    copies.lines(right, step, k0, depth, ints.add(at, SIDE * LINE), LINE, LINE, this::place);
                },
                stage -> multiplyLines(ints.add(to, stage), sums));
    }

    /** Lines that a thread reads together are exchanged alike. */
    private Operand place(Operand line, Operand chunk) {
        Operand exchanged = ints.xor(chunk, ints.mod(ints.div(line, EACH), LINE / CHUNK));
        return ints.add(ints.mul(line, LINE), ints.mul(exchanged, CHUNK));
    }

    private void multiplyLines(Operand stage, List<Reg> sums) {
        Operand row = ints.low(firstRow);
        Operand column = ints.low(firstColumn);
        Operand a = ints.add(stage, ints.mul(row, LINE));
        Operand b = ints.add(ints.add(stage, ints.mul(column, LINE)), SIDE * LINE);
        int vector = CHUNK / g.bytes;
        for (int chunk = 0; chunk < LINE / CHUNK; chunk++) {
            List<List<Operand>> rows = lines(a, row, chunk);
            List<List<Operand>> columns = lines(b, column, chunk);
            for (int s = 0; s < vector; s++) {
                List<Operand> x = new ArrayList<>();
                List<Operand> y = new ArrayList<>();
                for (int i = 0; i < EACH; i++) {
                    x.add(rows.get(i).get(s));
                    y.add(columns.get(i).get(s));
                }
                multiply(x, y, sums);
            }
        }
    }

    /** A chunk of each of the thread's lines. */
    private List<List<Operand>> lines(Operand base, Operand first, int chunk) {
        Operand exchange = ints.mul(ints.mod(ints.div(first, EACH), LINE / CHUNK), CHUNK);
        Operand at = ints.add(base, ints.xor(exchange, out.constant((long) chunk * CHUNK)));
        List<List<Operand>> all = new ArrayList<>();
        for (int i = 0; i < EACH; i++)
            all.add(out.load(Space.SHARED, g.type, CHUNK / g.bytes, out.at(at, (long) i * LINE))
                    .elements());
        return all;
    }

    @Override
    public void begin(Lines right, Var step, Operand first) {
        if (copies == null) return;
        // Nobody reads the panels of the first product any more: weights come in their place, too.
        out.barrier();
        copies.steps(right, step, first, SIDE, ints.low(panel), PITCH * g.bytes);
        copies.commit();
    }

    @Override
    public void weighted(Lines right, Var step, Operand first, List<Reg> sums) {
        if (copies != null) {
            // So are the weights.
            copies.await();
            multiply(weights, panel, SIDE, sums);
            return;
        }
        // The weights are all there.
        out.barrier();
        for (int at = 0; at < SIDE; at += DEPTH) {
            g.write(right, step, g.scalars.addLong(first, out.constant(at)), g.extent(step), panel(panel), false);
            out.barrier();
            multiply(
                    at == 0 ? weights : out.add(PtxType.S64, weights, out.constant((long) at * PITCH * g.bytes)),
                    panel,
                    DEPTH,
                    sums);
            out.barrier();
        }
    }

    @Override
    public void weigh(int row, List<Operand> values) {
        Operand cell = g.scalars.addLong(g.scalars.mulLong(firstColumn, out.constant(PITCH)), firstRow);
        Reg at = out.add(PtxType.S64, weights, g.scalars.mulLong(cell, out.constant(g.bytes)));
        for (int i = 0; i < EACH; i++)
            out.add(Memory.Store.of(
                    Space.SHARED,
                    g.type,
                    out.at(at, ((long) i * PITCH + row) * g.bytes),
                    g.scalars.register(g.kernel.acc(), values.get(i))));
    }

    private void multiply(Reg left, Reg right, int steps, List<Reg> sums) {
        Reg a = out.add(PtxType.S64, left, g.scalars.mulLong(firstRow, out.constant(g.bytes)));
        Reg b = out.add(PtxType.S64, right, g.scalars.mulLong(firstColumn, out.constant(g.bytes)));
        for (int s = 0; s < steps; s++) multiply(elements(a, s), elements(b, s), sums);
    }

    /** One step. */
    private void multiply(List<Operand> rows, List<Operand> columns, List<Reg> sums) {
        for (int i = 0; i < EACH; i++) {
            for (int j = 0; j < EACH; j++) {
                Reg sum = sums.get(i * EACH + j);
                g.scalars.assign(g.kernel.acc(), sum, out.mad(g.type, rows.get(i), columns.get(j), sum));
            }
        }
    }

    private List<Operand> elements(Reg base, int step) {
        List<Operand> all = new ArrayList<>();
        int chunk = 16 / g.bytes;
        for (int i = 0; i < EACH; i += chunk)
            all.addAll(out.load(Space.SHARED, g.type, chunk, out.at(base, ((long) step * PITCH + i) * g.bytes))
                    .elements());
        return all;
    }
}
