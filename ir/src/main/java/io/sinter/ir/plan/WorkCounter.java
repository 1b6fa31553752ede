// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Counts the work of one segment of a launch. An expression is evaluated as far out as its operands allow, which is how the generators do it. */
final class WorkCounter {
    /** A loop around the place that is being counted, and how often it runs on average. */
    private record Around(Var var, double trips, Index limit) {
        Around(Var var, double trips) {
            this(var, trips, null);
        }
    }

    /** Points of a space that are counted one by one, where it matters where a condition holds. */
    private static final double FEW = 1 << 16;

    /** Memory that is read, or written. */
    private record Access(Object memory, boolean written) {}

    private final Plan plan;
    private final Kernel kernel;
    private final List<SlotValue> slots;
    private final Deque<Around> around = new ArrayDeque<>();
    private final Deque<Expr> conditions = new ArrayDeque<>();
    /** Variables that a local's value depends on. */
    private final Map<Local, Set<Var>> localDependsOn = new IdentityHashMap<>();

    private final Map<Expr, Set<Var>> dependsOn = new IdentityHashMap<>();
    private final Set<Expr> counted = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Access, Double> touched = new LinkedHashMap<>();
    private double flops;
    private double doubles;

    WorkCounter(Plan plan, Kernel kernel, List<SlotValue> slots) {
        this.plan = plan;
        this.kernel = kernel;
        this.slots = slots;
    }

    Work count() {
        DType unit =
                switch (kernel) {
                    case LoopKernel k -> {
                        enter(k.grid());
                        body(k.body());
                        yield 2 * doubles > flops ? DType.F64 : DType.F32;
                    }
                    case GemmKernel k -> product(k);
                    case AttentionKernel k -> attention(k);
                };
        double read = 0;
        double written = 0;
        for (Map.Entry<Access, Double> t : touched.entrySet()) {
            double bytes = t.getValue();
            if (t.getKey().memory instanceof Place p) bytes = Math.min(bytes, Work.bytes(plan, p));
            if (t.getKey().written) written += bytes;
            else read += bytes;
        }
        return new Work(Math.round(read), Math.round(written), Math.round(flops), unit);
    }

    private DType product(GemmKernel k) {
        enter(k.batch());
        enter(k.m());
        enter(k.k());
        expr(k.a());
        leave(k.k());
        leave(k.m());
        enter(k.k());
        enter(k.n());
        expr(k.b());
        leave(k.n());
        leave(k.k());
        enter(k.m());
        enter(k.n());
        double sums = trips();
        for (Var v : k.k()) sums *= value(v.extent());
        if (k.acc().isFloat()) flops += 2 * sums;
        localDependsOn.put(k.result(), variables());
        body(k.epilogue());
        return unit(k.a(), k.acc());
    }

    /** Two products forward, five backward. A causal one has a triangle of them. */
    private DType attention(AttentionKernel k) {
        enter(k.batch());
        enter(List.of(k.i(), k.j(), k.d(), k.e()));
        expr(k.q());
        expr(k.k());
        expr(k.v());
        if (k.bias() != null) expr(k.bias());
        for (Expr e : k.saved()) expr(e);
        for (AttentionKernel.Target t : k.outputs()) touch(t.buffer(), t.index(), true);
        flops = 0; // what the operands' loads are made of is little
        leave(List.of(k.i(), k.j(), k.d(), k.e()));
        double i = value(k.i().extent());
        double j = value(k.j().extent());
        double most = Math.min(i, j);
        double pairs = k.causal() ? most * (most + 1) / 2 + Math.max(0, i - j) * j : i * j;
        double forward = 2 * trips() * pairs * (value(k.d().extent()) + value(k.e().extent()));
        flops += k.pass() == AttentionKernel.Pass.FORWARD ? forward : 2.5 * forward;
        return unit(k.q(), k.acc());
    }

    private static DType unit(Expr operand, DType acc) {
        return operand instanceof Expr.Load l && l.buffer().dtype().isFloat()
                ? l.buffer().dtype()
                : acc == DType.F64 ? DType.F64 : DType.F32;
    }

    // ---- statements

    private void body(List<Stmt> body) {
        for (Stmt s : body) {
            Facts.roots(s).forEach(this::expr);
            switch (s) {
                case Stmt.Loop l -> {
                    around.push(new Around(l.var(), trips(l), l.limit()));
                    body(l.body());
                    around.pop();
                }
                case Stmt.Let l -> localDependsOn.put(l.local(), dependsOn(l.value()));
                case Stmt.Declare d -> localDependsOn.put(d.local(), variables());
                case Stmt.Accumulate a -> operations(a.local().dtype(), 1, variables());
                case Stmt.Set _ -> {}
                case Stmt.Store a -> touch(a.buffer(), a.index(), true);
                case Stmt.If i -> branch(i);
            }
        }
    }

    /** What a branch does counts in as many of the runs of the loops around as it is taken. */
    private void branch(Stmt.If i) {
        double[] found = points(i.cond(), null, 0);
        double share = found == null ? 1 : found[0] == 0 ? 0 : found[1] / found[0];
        Map<Access, Double> before = new LinkedHashMap<>(touched);
        double operations = flops;
        double inDouble = doubles;
        conditions.push(i.cond());
        body(i.body());
        conditions.pop();
        flops = operations + share * (flops - operations);
        doubles = inDouble + share * (doubles - inDouble);
        touched.replaceAll((access, bytes) -> {
            double known = before.getOrDefault(access, 0.0);
            return known + share * (bytes - known);
        });
    }

    /**
     * In how many of the runs of the loops around there are, in how many of them an index is below a number or is not, as conditions on what is left of some rows
     * ask, and how often a loop of a limit runs in these; null if the condition is another, or the runs are too many.
     *
     * @param limit null for none
     */
    private double[] points(Expr cond, Index limit, double extent) {
        if (!(cond instanceof Expr.Bin b)
                || !(b.a() instanceof Expr.IndexValue v)
                || !(b.b() instanceof Expr.Const)
                || b.op() != Prim2.GE && b.op() != Prim2.LT) return null;
        List<Around> over = new ArrayList<>();
        double points = 1;
        for (Around a : around) {
            if (!IndexMath.mentions(v.index(), a.var) && (limit == null || !IndexMath.mentions(limit, a.var))) continue;
            over.addFirst(a);
            points *= value(a.var.extent());
        }
        if (points > FEW) return null;
        double[] found = new double[3];
        count(over, b, limit, extent, new IdentityHashMap<>(), found);
        return found;
    }

    private void count(
            List<Around> over, Expr.Bin cond, Index limit, double extent, Map<Var, Long> at, double[] found) {
        if (over.isEmpty()) {
            found[0]++;
            double left = value(((Expr.IndexValue) cond.a()).index(), at);
            if ((left >= ((Expr.Const) cond.b()).bits()) != (cond.op() == Prim2.GE)) return;
            found[1]++;
            if (limit != null) found[2] += Math.clamp(value(limit, at), 0, extent);
            return;
        }
        Around a = over.getFirst();
        double end = value(a.var.extent());
        if (a.limit != null) end = Math.min(end, value(a.limit, at));
        for (long i = 0; i < end; i++) {
            at.put(a.var, i);
            count(over.subList(1, over.size()), cond, limit, extent, at, found);
        }
        at.remove(a.var);
    }

    /** Of an index over variables; others, of which it does not say what they are, count as 0. */
    private double value(Index index, Map<Var, Long> at) {
        double sum = value(index.offset());
        for (Index.Term t : index.terms())
            if (t.atom() instanceof Index.VarAtom v) sum += value(t.coef()) * at.getOrDefault(v.var(), 0L);
        return sum;
    }

    /** How often a loop runs: of the last tile of a tiled range, {@code n - t·tile} times, on average over {@code t}. */
    private double trips(Stmt.Loop l) {
        double extent = value(l.var().extent());
        if (l.limit() != null && !conditions.isEmpty()) {
            double[] found = points(conditions.peek(), l.limit(), extent);
            if (found != null) return found[1] == 0 ? 0 : found[2] / found[1];
        }
        if (l.limit() == null || l.limit().terms().size() != 1) return extent;
        Index.Term t = l.limit().terms().getFirst();
        double tile = -value(t.coef());
        if (!(t.atom() instanceof Index.VarAtom v) || tile <= 0) return extent;
        double tiles = value(v.var().extent());
        double sum = 0;
        double n = value(l.limit().offset());
        // All tiles but the last few are whole.
        double whole = Math.max(0, Math.min(tiles, Math.floor((n - extent) / tile + 1)));
        sum += whole * extent;
        for (double i = whole; i < tiles && n - i * tile > 0; i++) sum += Math.min(extent, n - i * tile);
        return tiles == 0 ? 0 : sum / tiles;
    }

    private void enter(List<Var> vars) {
        for (Var v : vars) around.push(new Around(v, value(v.extent())));
    }

    private void leave(List<Var> vars) {
        for (int i = 0; i < vars.size(); i++) around.pop();
    }

    private double trips() {
        double product = 1;
        for (Around a : around) product *= a.trips;
        return product;
    }

    private Set<Var> variables() {
        Set<Var> all = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Around a : around) all.add(a.var);
        return all;
    }

    // ---- expressions

    private void expr(Expr e) {
        if (!counted.add(e)) return;
        Facts.children(e).forEach(this::expr);
        switch (e) {
            case Expr.Load l -> touch(l.buffer(), l.index(), false);
            case Expr.Un u -> {
                if (!u.op().isTest()) operations(u.dtype(), 1, dependsOn(u));
            }
            case Expr.Bin b -> {
                if (!b.op().isComparison()) operations(b.dtype(), 1, dependsOn(b));
            }
            case Expr.Fma f -> operations(f.dtype(), 2, dependsOn(f));
            case Expr.Const _,
                    Expr.Arg _,
                    Expr.Ref _,
                    Expr.IndexValue _,
                    Expr.Select _,
                    Expr.Convert _,
                    Expr.Narrow _,
                    Expr.Bits _,
                    Expr.Checked _ -> {}
        }
    }

    private void operations(DType dtype, int each, Set<Var> vars) {
        if (!dtype.isFloat()) return;
        double n = each * runs(vars);
        flops += n;
        if (dtype == DType.F64) doubles += n;
    }

    /** How often the loops around run that are of these variables. */
    private double runs(Set<Var> vars) {
        double product = 1;
        for (Around a : around) if (vars.contains(a.var)) product *= a.trips;
        return product;
    }

    // ---- memory

    private void touch(Buf buffer, Index index, boolean written) {
        if (buffer.kind() == Buf.Kind.SCRATCH) return;
        double bytes = distinct(index) * buffer.dtype().bytes();
        Object memory =
                slots.get(buffer.slot()) instanceof SlotValue.Address a ? a.place() : List.of("slot", buffer.slot());
        // Another read of the same memory may be of other elements.
        touched.merge(new Access(memory, written), bytes, Double::sum);
    }

    /** How many values an index takes, at most: no more than its atoms do, and no more than there are runs of the loops that it depends on. */
    private double distinct(Index index) {
        double atoms = 1;
        for (Index.Term t : index.terms()) atoms *= values(t.atom());
        return Math.min(atoms, runs(dependsOn(index)));
    }

    private double values(Index.Atom atom) {
        return switch (atom) {
            case Index.VarAtom v -> {
                for (Around a : around) if (a.var == v.var()) yield a.trips;
                yield value(v.var().extent());
            }
            case Index.DivAtom d -> Math.max(1, Math.ceil(range(d.a()) / value(d.by())));
            case Index.ModAtom m -> Math.min(value(m.by()), distinct(m.a()));
            case Index.DataAtom d -> Math.min(value(d.bound()), runs(dependsOn(d.value())));
        };
    }

    /** How far apart the least and the greatest value of an index are, and one. */
    private double range(Index index) {
        double sum = 1;
        for (Index.Term t : index.terms()) {
            double n =
                    switch (t.atom()) {
                        case Index.VarAtom v -> value(v.var().extent());
                        case Index.DivAtom d -> Math.ceil(range(d.a()) / value(d.by()));
                        case Index.ModAtom m -> value(m.by());
                        case Index.DataAtom d -> value(d.bound());
                    };
            sum += Math.abs(value(t.coef())) * Math.max(0, n - 1);
        }
        return sum;
    }

    private double value(Coef c) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s ->
                switch (slots.get(s.slot())) {
                    case SlotValue.Number n -> n.value();
                    case SlotValue v ->
                        throw new IllegalStateException(
                                kernel.name() + ": slot " + s.slot() + " holds no number: " + v);
                };
        };
    }

    // ---- dependencies

    private Set<Var> dependsOn(Expr e) {
        Set<Var> known = dependsOn.get(e);
        if (known != null) return known;
        Set<Var> vars = new HashSet<>(); // variables have identity equality
        for (Expr o : Facts.children(e)) vars.addAll(dependsOn(o));
        if (e instanceof Expr.Ref r) vars.addAll(localDependsOn.getOrDefault(r.local(), variables()));
        if (e instanceof Expr.IndexValue v) vars.addAll(dependsOn(v.index()));
        if (e instanceof Expr.Load l) {
            vars.addAll(dependsOn(l.index()));
            // What the kernel itself has written may be another value each time.
            if (l.buffer().kind() != Buf.Kind.IN) vars.addAll(variables());
        }
        dependsOn.put(e, vars);
        return vars;
    }

    private Set<Var> dependsOn(Index index) {
        Set<Var> vars = new HashSet<>();
        for (Index.Term t : index.terms()) {
            switch (t.atom()) {
                case Index.VarAtom v -> vars.add(v.var());
                case Index.DivAtom d -> vars.addAll(dependsOn(d.a()));
                case Index.ModAtom m -> vars.addAll(dependsOn(m.a()));
                case Index.DataAtom d -> vars.addAll(dependsOn(d.value()));
            }
        }
        return vars;
    }
}
