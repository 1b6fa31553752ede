// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Movement;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import java.util.ArrayList;
import java.util.List;

/**
 * An operand's panels as {@code wgmma} reads them: atoms of lines of 128 bytes, chunks exchanged, each atom brought by one tensor copy. Along k a panel is
 * one atom with a line for each row; along the rows there is an atom for every 64 rows, with a line for each step of k (PTX ISA, "Asynchronous
 * Warpgroup Level Matrix Shared Memory Layout").
 */
final class TensorPanel {
    /** Elements of a line: 128 bytes of 16-bit elements. */
    static final int LINE = 64;

    private static final int LINE_BYTES = TensorBox.SWIZZLE_BYTES;
    /** Bytes of 8 lines, in which the exchange repeats itself. */
    private static final int GROUP_BYTES = 8 * LINE_BYTES;

    private static final int ATOM_BYTES = LINE * LINE_BYTES;

    private final GemmCode g;
    private final GemmOperand operand;
    private final TensorRule rule;
    private final Operand map;
    private final int rows;
    private final Operand base;

    /** The tensor that an operand of a schedule is; null if it is none. */
    static TensorRule rule(GemmOperand o, List<io.sinter.ir.loop.Var> batch, GemmSchedule.Math math, int rows) {
        return TensorRule.of(o, batch, math.type(), LINE, o.alongK() ? rows : LINE);
    }

    /** @param base shared address of the first stage */
    TensorPanel(GemmCode g, GemmOperand operand, Operand.Symbol parameter, Operand base) {
        this.g = g;
        this.operand = operand;
        this.base = base;
        rows = operand.isLeft() ? g.schedule.tile().rows() : g.schedule.tile().columns();
        rule = rule(operand, g.kernel.batch(), g.schedule.math(), rows);
        Reg address = g.out.mov(PtxType.B64, parameter);
        Reg generic = g.out.register(PtxType.U64);
        g.out.add(new Movement.ConvertAddress(false, Space.PARAM, PtxType.U64, generic, address));
        map = generic;
    }

    TensorRule rule() {
        return rule;
    }

    static int stageBytes(int rows) {
        return rows * LINE_BYTES;
    }

    void prefetch() {
        g.out.add(new AsyncCopy.PrefetchTensorMap(Space.GENERIC, g.out.at(map)));
    }

    /**
     * Copies a panel; the batch's variables are bound.
     *
     * @param stage bytes to it from the first one
     * @param barrier what the bytes are counted by
     */
    void copy(Operand from, Operand k0, Operand stage, Operand barrier) {
        Operand to = g.ints.add(base, stage);
        Operand row = g.ints.low(from);
        Operand k = g.ints.low(k0);
        int atoms = operand.alongK() ? 1 : rows / LINE;
        for (int i = 0; i < atoms; i++) {
            List<Operand> at = new ArrayList<>();
            at.add(operand.alongK() ? k : g.ints.add(row, (long) i * LINE));
            at.add(operand.alongK() ? row : k);
            for (int d = 2; d < rule.dims().size(); d++)
                at.add(g.ints.low(g.c.binding(rule.dims().get(d)).lane(0)));
            List<Operand> registers = at.stream().map(this::register).toList();
            g.out.add(new AsyncCopy.BulkTensor(
                    true,
                    null,
                    new Operand.TensorAddress(map, registers),
                    g.out.at(to, (long) i * ATOM_BYTES),
                    g.out.at(barrier),
                    null));
        }
    }

    private Operand register(Operand o) {
        return o instanceof Reg ? o : g.out.mov(PtxType.B32, o);
    }

    /**
     * The descriptor of 64 rows (or all columns) at the first step of k of the first stage.
     *
     * @param firstRow a multiple of 64
     */
    Operand descriptor(Operand firstRow) {
        // Both the atoms of 64 rows and 64 lines of one atom are this far apart.
        Operand at = g.ints.add(base, g.ints.mul(firstRow, LINE_BYTES));
        long leading = operand.alongK() ? 1 : ATOM_BYTES >> 4;
        long fixed = 1L << 62 | (long) (GROUP_BYTES >> 4) << 32 | leading << 16;
        return g.out.or(PtxType.B64, g.ints.wide(g.ints.div(at, 16)), g.out.constant(fixed));
    }

    /** By how much a descriptor of a step of 16 along k is larger than the one before. */
    int step() {
        return (operand.alongK() ? 16 * 2 : 16 * LINE_BYTES) >> 4;
    }

    /** Whether the matrix is stored with neighbours along the rows. */
    boolean isTransposed() {
        return !operand.alongK();
    }
}
