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
 * Attention's blocks by plain fused multiply-adds: 16 × 16 threads with 4 × 4 elements each. Products go through panels of 16 steps in shared memory, and
 * so do the weights of a block.
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

    private final AttentionCode g;
    private final KernelBuilder out;
    /** Weights of a block by columns; panels of both operands while these are computed. */
    private final Reg weights;

    private final Reg panel;
    private final Operand firstRow;
    private final Operand firstColumn;

    AttentionFma(AttentionCode g) {
        this.g = g;
        out = g.out;
        weights = out.mov(PtxType.U64, out.shared("weights", 16, (long) SIDE * PITCH * g.bytes));
        panel = out.mov(PtxType.U64, out.shared("panel", 16, (long) DEPTH * PITCH * g.bytes));
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
        Reg second = out.add(PtxType.S64, weights, out.constant((long) DEPTH * PITCH * g.bytes));
        g.c.loop(out.constant(0), depth, out.constant(DEPTH), k0 -> {
            g.write(left, step, k0, depth, panel(weights), true);
            g.write(right, step, k0, depth, panel(second), true);
            out.barrier();
            multiply(weights, second, sums);
            out.barrier();
        });
    }

    @Override
    public void begin(Lines right, Var step, Operand first) {}

    @Override
    public void weighted(Lines right, Var step, Operand first, List<Reg> sums) {
        // The weights are all there.
        out.barrier();
        for (int at = 0; at < SIDE; at += DEPTH) {
            g.write(right, step, g.scalars.addLong(first, out.constant(at)), g.extent(step), panel(panel), false);
            out.barrier();
            multiply(
                    at == 0 ? weights : out.add(PtxType.S64, weights, out.constant((long) at * PITCH * g.bytes)),
                    panel,
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

    private void multiply(Reg left, Reg right, List<Reg> sums) {
        Reg a = out.add(PtxType.S64, left, g.scalars.mulLong(firstRow, out.constant(g.bytes)));
        Reg b = out.add(PtxType.S64, right, g.scalars.mulLong(firstColumn, out.constant(g.bytes)));
        for (int s = 0; s < DEPTH; s++) {
            List<Operand> rows = elements(a, s);
            List<Operand> columns = elements(b, s);
            for (int i = 0; i < EACH; i++) {
                for (int j = 0; j < EACH; j++) {
                    Reg sum = sums.get(i * EACH + j);
                    g.scalars.assign(g.kernel.acc(), sum, out.mad(g.type, rows.get(i), columns.get(j), sum));
                }
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
