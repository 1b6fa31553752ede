// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/**
 * Panels by asynchronous copies of 16 bytes, for operands that are memory with strides. What lies beyond an edge is zero: a copy reads no more bytes
 * than there are.
 */
final class AsyncWriter implements PanelWriter {
    private static final int CHUNK = GemmOperand.CHUNK;

    private final GemmCode g;
    private final GemmOperand operand;
    private final Panel panel;
    private final Expr.Load load;
    private final Operand size;
    private final int count;
    /** Lines from one of the thread's copies to the next. */
    private final int distance;

    private final Operand line;
    private final Operand position;
    private final Operand target;
    /** Addresses of the thread's copies at k = 0 (along k), or their common part (along the rows). */
    private List<Operand> sources;
    /** Bytes of a chunk along the rows that there are. */
    private Operand available;

    AsyncWriter(GemmCode g, GemmOperand operand, Panel panel, Reg base) {
        this.g = g;
        this.operand = operand;
        this.panel = panel;
        load = (Expr.Load) operand.value();
        size = operand.isLeft() ? g.rows : g.columns;
        int threads = g.schedule.tile().threads();
        count = panel.lines() * panel.chunks() / threads;
        distance = threads / panel.chunks();
        if (count == 0 || distance % panel.period() != 0)
            throw new IllegalStateException(g.schedule.tile() + " does not suit copies by " + threads + " threads");
        line = g.ints.div(g.thread, panel.chunks());
        Operand chunk = g.ints.mod(g.thread, panel.chunks());
        position = g.ints.mul(chunk, panel.chunk());
        target = g.ints.add(base, panel.offset(g.ints, line, panel.exchange(g.ints, line), chunk));
    }

    /** The position where there is something, else 0; and whether there is. */
    private record Place(Operand at, Reg inside) {}

    private Place place(Operand at, Operand end) {
        Reg inside = g.out.setp(Relation.LT, PtxType.S64, at, end);
        return new Place(g.out.selp(PtxType.B64, at, g.out.constant(0), inside), inside);
    }

    /** Bytes of the chunk that begins at a position which are below the end: 0 … 16. */
    private Operand available(Operand at, Operand end) {
        Operand left = g.out.sub(PtxType.S64, end, at);
        Operand some =
                g.out.max(PtxType.S64, g.out.min(PtxType.S64, left, g.out.constant(panel.chunk())), g.out.constant(0));
        return g.ints.mul(g.ints.low(some), panel.bytes());
    }

    /** The sum of the index's terms over variables whose values are given; in bytes. */
    private Operand bytes(Operand start, List<Var> vars, List<List<Operand>> values, int which) {
        Operand sum = start;
        for (Index.Term t : load.index().terms()) {
            int v = vars.indexOf(((Index.VarAtom) t.atom()).var());
            if (v < 0) continue;
            sum = g.c.scalars.addLong(
                    sum, g.c.scalars.mulLong(values.get(v).get(which), g.c.indices.scaled(t.coef(), panel.bytes())));
        }
        return sum;
    }

    private List<Operand> lines(Operand from) {
        List<Operand> all = new ArrayList<>();
        for (int i = 0; i < count; i++)
            all.add(g.c.scalars.addLong(from, g.ints.wide(g.ints.add(line, (long) i * distance))));
        return all;
    }

    @Override
    public void tile(Operand from, Runnable rest) {
        Operand start = g.c.indices.base(load.buffer());
        if (!load.index().offset().is(0))
            start = g.c.scalars.addLong(start, g.c.indices.scaled(load.index().offset(), panel.bytes()));
        List<List<Operand>> batch = g.kernel.batch().stream()
                .map(v -> List.of(g.c.binding(v).lane(0)))
                .toList();
        start = bytes(start, g.kernel.batch(), batch, 0);
        sources = new ArrayList<>();
        if (operand.alongK()) {
            List<Operand> rows =
                    lines(from).stream().map(r -> place(r, size).at).toList();
            List<List<Operand>> values = g.digits(operand.rows(), rows);
            for (int i = 0; i < count; i++) sources.add(bytes(start, operand.rows(), values, i));
        } else {
            Operand at = g.c.scalars.addLong(from, g.ints.wide(position));
            available = available(at, size);
            List<List<Operand>> values = g.digits(operand.rows(), List.of(place(at, size).at));
            sources.add(bytes(start, operand.rows(), values, 0));
        }
        rest.run();
    }

    @Override
    public void fetch(Operand k0, Reg stage) {
        Operand to = g.ints.add(target, stage);
        if (operand.alongK()) {
            Operand k = g.c.scalars.addLong(k0, g.ints.wide(position));
            Operand n = available(k, g.depth);
            Operand along =
                    bytes(g.out.constant(0), operand.k(), g.digits(operand.k(), List.of(place(k, g.depth).at)), 0);
            for (int i = 0; i < count; i++) copy(to, i, g.c.scalars.addLong(sources.get(i), along), n);
        } else {
            List<Place> steps = lines(k0).stream().map(k -> place(k, g.depth)).toList();
            List<List<Operand>> values =
                    g.digits(operand.k(), steps.stream().map(Place::at).toList());
            for (int i = 0; i < count; i++) {
                Operand n = g.out.selp(PtxType.B32, available, g.out.constant(0), steps.get(i).inside);
                copy(to, i, bytes(sources.getFirst(), operand.k(), values, i), n);
            }
        }
    }

    private void copy(Operand to, int i, Operand from, Operand bytes) {
        g.out.add(new AsyncCopy.Copy(
                true, List.of(), g.out.at(to, (long) i * distance * panel.lineBytes()), g.out.at(from), CHUNK, bytes));
    }

    @Override
    public void put(Reg stage) {}

    @Override
    public boolean isAsync() {
        return true;
    }
}
