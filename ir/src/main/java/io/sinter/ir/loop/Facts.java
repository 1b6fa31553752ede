// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a kernel's (canonical) expressions depend on, and how often they are used. Computed once per
 * expression object.
 */
public final class Facts {
    /**
     * @param free variables and locals that the value depends on ({@link Var} and {@link Local} objects)
     * @param reads written buffers that it reads
     * @param motion how far it may be moved
     */
    public record Fact(Set<Object> free, Set<Buf> reads, Motion motion) {
        public static final Fact NONE = new Fact(Set.of(), Set.of(), Motion.FREE);

        /** What depends on both. */
        public Fact with(Fact other) {
            if (other == NONE || other == this) return this;
            if (this == NONE) return other;
            Motion m = motion.compareTo(other.motion) >= 0 ? motion : other.motion;
            return new Fact(union(free, other.free), union(reads, other.reads), m);
        }

        private static <T> Set<T> union(Set<T> a, Set<T> b) {
            if (a.containsAll(b)) return a;
            if (b.containsAll(a)) return b;
            Set<T> s = new LinkedHashSet<>(a);
            s.addAll(b);
            return s;
        }
    }

    /** How far from its place an expression may be evaluated. */
    public enum Motion {
        /** Anywhere that its operands exist: no effect, no trap, no memory. */
        FREE,
        /**
         * Only where the code runs at least once if the original place does: reads constant memory, or
         * divides.
         */
        GUARDED,
        /** Only in place: depends on what the kernel itself changes. */
        PINNED
    }

    private final Map<Object, Fact> facts = new IdentityHashMap<>();
    private final Map<Expr, Integer> uses = new IdentityHashMap<>();
    private final Set<Local> mutable = new HashSet<>();

    /** Notes the statements' locals and the number of uses of each expression. */
    public void add(List<Stmt> body) {
        walk(body, s -> {
            switch (s) {
                case Stmt.Declare d -> mutable.add(d.local());
                case Stmt.Set d -> mutable.add(d.local());
                case Stmt.Accumulate d -> mutable.add(d.local());
                case Stmt.Loop _, Stmt.Let _, Stmt.Store _, Stmt.If _ -> {}
            }
        });
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        walk(body, s -> roots(s).forEach(e -> count(e, seen)));
    }

    /** Notes the uses of a lone expression, e.g. a template's operand. */
    public void add(Expr e) {
        count(e, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    /** Whether one place alone uses the value. */
    public boolean usedOnce(Expr e) {
        return uses.getOrDefault(e, 1) <= 1;
    }

    private void count(Expr e, Set<Object> seen) {
        uses.merge(e, 1, Integer::sum);
        if (!seen.add(e)) return;
        children(e).forEach(c -> count(c, seen));
    }

    /** The facts of a value. */
    public Fact of(Expr e) {
        Fact f = facts.get(e);
        if (f == null) {
            f = compute(e);
            facts.put(e, f);
        }
        return f;
    }

    private Fact compute(Expr e) {
        Fact f = Fact.NONE;
        for (Expr c : childrenWithoutIndex(e)) f = f.with(of(c));
        return switch (e) {
            case Expr.Const _,
                    Expr.Arg _,
                    Expr.Un _,
                    Expr.Bin _,
                    Expr.Select _,
                    Expr.Fma _,
                    Expr.Convert _,
                    Expr.Narrow _,
                    Expr.Bits _ -> f;
            case Expr.Ref r ->
                new Fact(Set.of(r.local()), Set.of(), mutable.contains(r.local()) ? Motion.PINNED : Motion.FREE);
            case Expr.IndexValue v -> of(v.index());
            case Expr.Checked _ -> f.with(new Fact(Set.of(), Set.of(), Motion.GUARDED));
            case Expr.Load l -> {
                boolean constant = l.buffer().kind() == Buf.Kind.IN;
                Fact own = new Fact(
                        Set.of(), constant ? Set.of() : Set.of(l.buffer()), constant ? Motion.GUARDED : Motion.PINNED);
                yield f.with(of(l.index())).with(own);
            }
        };
    }

    public Fact of(Index i) {
        Fact f = facts.get(i);
        if (f == null) {
            f = Fact.NONE;
            for (Index.Term t : i.terms()) f = f.with(of(t.atom()));
            facts.put(i, f);
        }
        return f;
    }

    public Fact of(Index.Atom atom) {
        return switch (atom) {
            case Index.VarAtom v -> new Fact(Set.of(v.var()), Set.of(), Motion.FREE);
            case Index.DivAtom d -> of(d.a()).with(new Fact(Set.of(), Set.of(), Motion.GUARDED));
            case Index.ModAtom m -> of(m.a()).with(new Fact(Set.of(), Set.of(), Motion.GUARDED));
            case Index.DataAtom d -> of(d.value());
        };
    }

    /** Variables and locals that a statement list uses but does not define, in order of first use. */
    public List<Object> free(List<Stmt> body) {
        Set<Object> used = new LinkedHashSet<>();
        Set<Object> defined = new HashSet<>();
        walk(body, s -> {
            for (Expr e : roots(s)) used.addAll(of(e).free());
            switch (s) {
                case Stmt.Loop l -> {
                    if (l.limit() != null) used.addAll(of(l.limit()).free());
                    defined.add(l.var());
                }
                case Stmt.Let l -> defined.add(l.local());
                case Stmt.Declare d -> defined.add(d.local());
                case Stmt.Accumulate a -> used.add(a.local());
                case Stmt.Set a -> used.add(a.local());
                case Stmt.Store st -> used.addAll(of(st.index()).free());
                case Stmt.If _ -> {}
            }
        });
        used.removeAll(defined);
        return new ArrayList<>(used);
    }

    /** Visits every statement, outer before inner. */
    public static void walk(List<Stmt> body, java.util.function.Consumer<Stmt> visit) {
        for (Stmt s : body) {
            visit.accept(s);
            if (s instanceof Stmt.Loop l) walk(l.body(), visit);
            if (s instanceof Stmt.If i) walk(i.body(), visit);
        }
    }

    /** The expressions that a statement itself evaluates, those in its index included. */
    public static List<Expr> roots(Stmt s) {
        List<Expr> out = new ArrayList<>();
        switch (s) {
            case Stmt.Let l -> out.add(l.value());
            case Stmt.Declare d -> out.add(d.init());
            case Stmt.Accumulate a -> out.add(a.value());
            case Stmt.Set a -> out.add(a.value());
            case Stmt.Store st -> {
                data(st.index(), out);
                out.add(st.value());
                if (st.mask() != null) out.add(st.mask());
            }
            case Stmt.If i -> out.add(i.cond());
            case Stmt.Loop l -> {
                if (l.limit() != null) data(l.limit(), out);
            }
        }
        return out;
    }

    /** Operands, the data-dependent values in an index included. */
    public static List<Expr> children(Expr e) {
        Index index = e instanceof Expr.Load l ? l.index() : e instanceof Expr.IndexValue v ? v.index() : null;
        if (index == null) return childrenWithoutIndex(e);
        List<Expr> out = new ArrayList<>(childrenWithoutIndex(e));
        data(index, out);
        return out;
    }

    private static List<Expr> childrenWithoutIndex(Expr e) {
        return switch (e) {
            case Expr.Const _, Expr.Arg _, Expr.Ref _, Expr.IndexValue _ -> List.of();
            case Expr.Load l -> l.mask() == null ? List.of() : List.of(l.mask(), l.otherwise());
            case Expr.Un u -> List.of(u.a());
            case Expr.Bin b -> List.of(b.a(), b.b());
            case Expr.Select s -> List.of(s.cond(), s.a(), s.b());
            case Expr.Fma f -> List.of(f.a(), f.b(), f.c());
            case Expr.Convert c -> List.of(c.a());
            case Expr.Narrow n -> List.of(n.a());
            case Expr.Bits b -> List.of(b.a());
            case Expr.Checked c -> List.of(c.value());
        };
    }

    /** Whether anything in an index depends on data. */
    public static boolean hasData(Index i) {
        List<Expr> data = new ArrayList<>();
        data(i, data);
        return !data.isEmpty();
    }

    /** The data-dependent values in an index. */
    public static void data(Index i, List<Expr> out) {
        for (Index.Term t : i.terms()) {
            switch (t.atom()) {
                case Index.VarAtom _ -> {}
                case Index.DivAtom d -> data(d.a(), out);
                case Index.ModAtom m -> data(m.a(), out);
                case Index.DataAtom d -> out.add(d.value());
            }
        }
    }

    /** Whether code for this operator is long enough that a loop should hold it once. */
    public static boolean isExpensive(Expr e) {
        return switch (e) {
            case Expr.Un u -> u.op().isTranscendental();
            case Expr.Bin b ->
                b.op() == Prim2.POW
                        || b.op() == Prim2.ATAN2
                        || b.op() == Prim2.REM
                        || b.op() == Prim2.UMULHI
                        || b.op() == Prim2.DIV && !b.dtype().isFloat();
            case Expr.Const _,
                    Expr.Arg _,
                    Expr.Ref _,
                    Expr.IndexValue _,
                    Expr.Load _,
                    Expr.Select _,
                    Expr.Fma _,
                    Expr.Convert _,
                    Expr.Narrow _,
                    Expr.Bits _ -> false;
            case Expr.Checked _ -> true;
        };
    }

    /** Whether the local is assigned after its declaration. */
    public boolean isMutable(Local l) {
        return mutable.contains(l);
    }
}
