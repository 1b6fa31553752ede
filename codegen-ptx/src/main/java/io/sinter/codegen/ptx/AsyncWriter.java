// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
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

    /** Steps of k that are more than a stage has. */
    private static final int FAR = 1 << 20;

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
    /** Addresses of the thread's copies in a panel that begins at k = 0 (along k), or of the first one (along the rows). */
    private List<Operand> sources;
    /** Bytes of a chunk along the rows that there are. */
    private Operand available;
    /** If k is one variable: where the thread copies from next; of each of its lines along k, or of all of them, one after the other. */
    private List<Reg> next;
    /** Bytes from there to what is copied after it. */
    private Operand step;

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
        if (isPlain()) start = alongK(start, g.ints.wide(operand.alongK() ? position : line));
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

    /** An address so many steps of k further, if k is one variable. */
    private Operand alongK(Operand start, Operand steps) {
        return bytes(start, operand.k(), List.of(List.of(steps)), 0);
    }

    @Override
    public void begin(Operand k0) {
        if (!isPlain()) return;
        next = sources.stream().map(x -> g.out.mov(PtxType.B64, alongK(x, k0))).toList();
        step = alongK(
                g.out.constant(0),
                g.out.constant(operand.alongK() ? g.schedule.tile().depth() : distance));
    }

    /** Whether k is one variable. */
    private boolean isPlain() {
        return operand.k().size() == 1;
    }

    @Override
    public void fetch(Operand k0, Reg stage) {
        copies(k0, g.depth, stage).forEach(Runnable::run);
    }

    /**
     * The thread's copies of a panel, to be written in this order, wherever they hold nothing up. See {@link #fetch} for the order of panels.
     *
     * @param k0 the panel's first step of k
     * @param end where there is nothing any more: steps from there on are zeros, and {@code k0} may be one of them
     * @param stage bytes from the first stage to the one that the panel goes to
     */
    List<Runnable> copies(Operand k0, Operand end, Reg stage) {
        Operand to = g.ints.add(target, stage);
        List<Runnable> all = new ArrayList<>();
        if (!isPlain()) {
            scattered(k0, end, to, all);
            return all;
        }
        // In 32 bits, as this stands beside the products; what is far from the end is as good as any.
        Operand far = g.out.min(PtxType.S64, g.out.sub(PtxType.S64, end, k0), g.out.constant(FAR));
        Operand left = g.out.sub(PtxType.S32, g.ints.low(far), operand.alongK() ? position : line);
        if (operand.alongK()) {
            Operand n = g.ints.mul(clamped(left, g.out.constant(panel.chunk())), panel.bytes());
            for (int i = 0; i < count; i++) {
                int number = i;
                all.add(() -> copyNext(to, number, n));
            }
        } else {
            Operand bytes = g.ints.mul(left, CHUNK);
            for (int i = 0; i < count; i++) {
                int number = i;
                long lines = (long) number * distance;
                all.add(() -> copyNext(
                        to, number, clamped(g.out.add(PtxType.S32, bytes, g.out.constant(-lines * CHUNK)), available)));
            }
        }
        return all;
    }

    /** Whether panels can have {@link #wholeCopies}. */
    boolean hasWholeCopies() {
        return isPlain();
    }

    /**
     * Whether chunks are whole but for the last steps of k; null if they always are. What lies beyond an edge may then be anything, as nobody stores what it is
     * multiplied to: copies are from elsewhere within the operand.
     */
    Reg wholeChunks() {
        if (operand.alongK()) return null;
        Operand over = g.out.and(PtxType.B64, size, g.out.constant(panel.chunk() - 1));
        return g.out.setp(Relation.EQ, PtxType.S64, over, g.out.constant(0));
    }

    /** The same as {@link #copies} where all steps and chunks of a panel are whole. */
    List<Runnable> wholeCopies(Reg stage) {
        Operand to = g.ints.add(target, stage);
        List<Runnable> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            all.add(() -> copyNext(to, number, null));
        }
        return all;
    }

    /** @param bytes that there are of a chunk; null for all */
    private void copyNext(Operand to, int i, Operand bytes) {
        Reg from = next.get(operand.alongK() ? i : 0);
        copy(to, i, from, bytes);
        g.out.add(new Arithmetic.Binary(Arithmetic.BinaryOp.ADD, FloatMode.DEFAULT, PtxType.S64, from, from, step));
    }

    /** The number, but at least 0 and at most so much. */
    private Operand clamped(Operand x, Operand most) {
        return g.out.max(PtxType.S32, g.out.min(PtxType.S32, x, most), g.out.constant(0));
    }

    /** Copies of an operand that has several variables along k, or none. */
    private void scattered(Operand k0, Operand end, Operand to, List<Runnable> all) {
        if (operand.alongK()) {
            Operand k = g.c.scalars.addLong(k0, g.ints.wide(position));
            Operand n = available(k, end);
            Operand along = bytes(g.out.constant(0), operand.k(), g.digits(operand.k(), List.of(place(k, end).at)), 0);
            for (int i = 0; i < count; i++) {
                int number = i;
                all.add(() -> copy(to, number, g.c.scalars.addLong(sources.get(number), along), n));
            }
        } else {
            for (int i = 0; i < count; i++) {
                int number = i;
                all.add(() -> {
                    Operand k = g.c.scalars.addLong(k0, g.ints.wide(g.ints.add(line, (long) number * distance)));
                    Place one = place(k, end);
                    Operand n = g.out.selp(PtxType.B32, available, g.out.constant(0), one.inside);
                    copy(
                            to,
                            number,
                            bytes(sources.getFirst(), operand.k(), g.digits(operand.k(), List.of(one.at)), 0),
                            n);
                });
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
