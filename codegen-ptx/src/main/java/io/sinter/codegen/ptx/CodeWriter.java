// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Panels by an operand's own code, so that prologues, windows and odd strides cost nothing extra. Neighbouring threads take what lies side by side in
 * memory. Rows beyond the edge are the last one's; steps beyond the last are 0.
 */
final class CodeWriter implements PanelWriter {
    private final GemmCode g;
    private final GemmOperand operand;
    private final Panel panel;
    private final Operand size;
    private final int count;
    /** The thread's first element: its row and step within the tile; the others are at a distance in the direction across memory. */
    private final Operand row;

    private final Operand step;
    private final int distance;
    private final List<Operand> cells = new ArrayList<>();
    private List<Operand> fetched;

    CodeWriter(GemmCode g, GemmOperand operand, Panel panel, Reg base) {
        this.g = g;
        this.operand = operand;
        this.panel = panel;
        size = operand.isLeft() ? g.rows : g.columns;
        int threads = g.schedule.tile().threads();
        int rows =
                operand.isLeft() ? g.schedule.tile().rows() : g.schedule.tile().columns();
        int depth = g.schedule.tile().depth();
        int side = operand.alongK() ? depth : rows;
        count = rows * depth / threads;
        distance = threads / side;
        Operand low = g.ints.mod(g.thread, side);
        Operand high = g.ints.div(g.thread, side);
        row = operand.alongK() ? high : low;
        step = operand.alongK() ? low : high;
        boolean linesAlongK = panel.alongK(operand, g.schedule.math());
        // A thread's elements are in lines a distance apart, or at places of one line that are.
        boolean sameLine = linesAlongK != operand.alongK();
        int apart = distance * (sameLine ? panel.bytes() : panel.lineBytes());
        boolean regular = sameLine ? panel.factor() == 0 : distance % panel.period() == 0;
        for (int i = 0; i < count; i++) {
            Operand r = operand.alongK() ? g.ints.add(row, (long) i * distance) : row;
            Operand s = operand.alongK() ? step : g.ints.add(step, (long) i * distance);
            cells.add(
                    i > 0 && regular
                            ? g.out.constant((long) i * apart)
                            : g.ints.add(base, linesAlongK ? cell(r, s) : cell(s, r)));
        }
    }

    private Operand cell(Operand line, Operand position) {
        Operand chunk = g.ints.div(position, panel.chunk());
        Operand at = panel.offset(g.ints, line, panel.exchange(g.ints, line), chunk);
        return g.ints.add(at, g.ints.mul(g.ints.mod(position, panel.chunk()), panel.bytes()));
    }

    private List<Operand> all(Operand first) {
        List<Operand> all = new ArrayList<>();
        for (int i = 0; i < count; i++) all.add(g.c.scalars.addLong(first, g.out.constant((long) i * distance)));
        return all;
    }

    @Override
    public void tile(Operand from, Runnable rest) {
        g.c.nestedStep(new Step(null, count, Set.of()), false, () -> {
            Operand first = g.c.scalars.addLong(from, g.ints.wide(row));
            g.decode(operand.rows(), g.within(operand.alongK() ? all(first) : List.of(first), size));
            rest.run();
        });
    }

    @Override
    public void begin(Operand k0) {}

    @Override
    public void fetch(Operand k0, Reg stage) {
        fetched = new ArrayList<>();
        g.c.nestedStep(new Step(null, count, Set.of()), false, () -> {
            Operand first = g.c.scalars.addLong(k0, g.ints.wide(step));
            List<Operand> k = operand.alongK() ? List.of(first) : all(first);
            List<Reg> inside = k.stream()
                    .map(x -> g.out.setp(Relation.LT, PtxType.S64, x, g.depth))
                    .toList();
            g.decode(operand.k(), g.within(k, g.depth));
            Value v = g.c.value(operand.value());
            for (int i = 0; i < count; i++) {
                Reg p = inside.get(inside.size() == 1 ? 0 : i);
                Operand zero = g.c.scalars.constant(Expr.Const.of(v.dtype(), 0));
                fetched.add(stored(v.dtype(), g.c.scalars.select(v.dtype(), p, v.lane(i), zero)));
            }
        });
    }

    /** What stands in the panel for a value. */
    private Operand stored(DType type, Operand x) {
        // What stands for halves as an integer are their bits.
        if (type == DType.I32 && panel.bytes() == 2) return g.c.scalars.register(type, x);
        return switch (g.schedule.math()) {
            case BF16 -> g.c.scalars.toBf16(x);
            case F16 -> g.c.scalars.toHalf(x);
            case FMA, TF32, F64 -> g.c.scalars.register(g.kernel.acc(), x);
        };
    }

    private PtxType type() {
        return switch (panel.bytes()) {
            case 2 -> PtxType.B16;
            case 4 -> g.kernel.acc().isFloat() ? PtxType.F32 : PtxType.B32;
            default -> g.kernel.acc().isFloat() ? PtxType.F64 : PtxType.B64;
        };
    }

    @Override
    public void put(Reg stage) {
        Operand last = null;
        for (int i = 0; i < count; i++) {
            Operand cell = cells.get(i);
            long offset = cell instanceof Operand.Int x ? x.value() : 0;
            if (!(cell instanceof Operand.Int)) last = g.ints.add(cell, stage);
            g.out.add(Memory.Store.of(Space.SHARED, type(), g.out.at(last, offset), fetched.get(i)));
        }
    }

    @Override
    public boolean isAsync() {
        return false;
    }
}
