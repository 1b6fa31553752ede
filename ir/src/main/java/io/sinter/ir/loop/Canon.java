// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives structurally equal expressions and indices one object each, so that identity is equality from here on
 * (hash consing). Linear in the size of the graph, however much is shared.
 */
public final class Canon {
    private final Map<List<Object>, Object> unique = new HashMap<>();
    private final IdentityHashMap<Object, Object> done = new IdentityHashMap<>();

    /** Compares by identity, inside keys. */
    private record Id(Object o) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Id i && i.o == o;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(o);
        }
    }

    /** The statements with every expression and index in them made the one that is equal to it. */
    public List<Stmt> statements(List<Stmt> body) {
        List<Stmt> out = new ArrayList<>(body.size());
        for (Stmt s : body) out.add(statement(s));
        return out;
    }

    private Stmt statement(Stmt s) {
        return switch (s) {
            case Stmt.Loop l ->
                new Stmt.Loop(l.var(), l.limit() == null ? null : index(l.limit()), l.kind(), statements(l.body()));
            case Stmt.Let l -> new Stmt.Let(l.local(), expr(l.value()));
            case Stmt.Declare d -> new Stmt.Declare(d.local(), expr(d.init()));
            case Stmt.Accumulate a -> new Stmt.Accumulate(a.local(), a.op(), expr(a.value()));
            case Stmt.Set a -> new Stmt.Set(a.local(), expr(a.value()));
            case Stmt.Store st -> new Stmt.Store(st.buffer(), index(st.index()), expr(st.value()), expr(st.mask()));
            case Stmt.If i -> new Stmt.If(expr(i.cond()), statements(i.body()));
        };
    }

    /** The one expression that is equal to {@code e}; null for null. */
    public Expr expr(Expr e) {
        if (e == null) return null;
        Object known = done.get(e);
        if (known != null) return (Expr) known;
        Expr result =
                switch (e) {
                    case Expr.Const c -> same(c, "const", c.dtype(), c.bits());
                    case Expr.Arg a -> same(a, "arg", a.dtype(), a.slot());
                    case Expr.Ref r -> same(r, "ref", new Id(r.local()));
                    case Expr.IndexValue v -> {
                        Index i = index(v.index());
                        yield same(new Expr.IndexValue(v.dtype(), i), "index", v.dtype(), new Id(i));
                    }
                    case Expr.Load l -> {
                        Index i = index(l.index());
                        Expr mask = expr(l.mask());
                        Expr otherwise = expr(l.otherwise());
                        yield same(
                                new Expr.Load(l.buffer(), i, mask, otherwise),
                                "load",
                                l.buffer(),
                                new Id(i),
                                new Id(mask),
                                new Id(otherwise));
                    }
                    case Expr.Un u -> {
                        Expr a = expr(u.a());
                        yield same(new Expr.Un(u.op(), a), u.op(), new Id(a));
                    }
                    case Expr.Bin b -> {
                        Expr x = expr(b.a());
                        Expr y = expr(b.b());
                        yield same(new Expr.Bin(b.op(), x, y), b.op(), new Id(x), new Id(y));
                    }
                    case Expr.Select s -> {
                        Expr c = expr(s.cond());
                        Expr a = expr(s.a());
                        Expr b = expr(s.b());
                        yield same(new Expr.Select(c, a, b), "select", new Id(c), new Id(a), new Id(b));
                    }
                    case Expr.Fma f -> {
                        Expr a = expr(f.a());
                        Expr b = expr(f.b());
                        Expr c = expr(f.c());
                        yield same(new Expr.Fma(a, b, c), "fma", new Id(a), new Id(b), new Id(c));
                    }
                    case Expr.Convert c -> {
                        Expr a = expr(c.a());
                        yield same(new Expr.Convert(c.dtype(), a), "convert", c.dtype(), new Id(a));
                    }
                    case Expr.Narrow n -> {
                        Expr a = expr(n.a());
                        yield same(new Expr.Narrow(n.to(), a), "narrow", n.to(), new Id(a));
                    }
                    case Expr.Bits b -> {
                        Expr a = expr(b.a());
                        yield same(new Expr.Bits(b.dtype(), a), "bits", b.dtype(), new Id(a));
                    }
                    case Expr.Checked c -> {
                        Expr v = expr(c.value());
                        yield same(
                                new Expr.Checked(v, c.bound(), c.wrap(), c.site()),
                                "checked",
                                new Id(v),
                                c.bound(),
                                c.wrap(),
                                c.site());
                    }
                };
        done.put(e, result);
        return result;
    }

    /** The one index that is equal to {@code i}. */
    public Index index(Index i) {
        Object known = done.get(i);
        if (known != null) return (Index) known;
        List<Object> key = new ArrayList<>();
        key.add("sum");
        key.add(i.offset());
        List<Index.Term> terms = new ArrayList<>();
        for (Index.Term t : i.terms()) {
            Index.Atom atom = atom(t.atom());
            key.add(t.coef());
            key.add(new Id(atom));
            terms.add(new Index.Term(t.coef(), atom));
        }
        Index result = (Index) unique.computeIfAbsent(key, _ -> new Index(List.copyOf(terms), i.offset()));
        done.put(i, result);
        return result;
    }

    private Index.Atom atom(Index.Atom atom) {
        return switch (atom) {
            case Index.VarAtom v -> same(v, "var", new Id(v.var()));
            case Index.DivAtom d -> {
                Index a = index(d.a());
                yield same(new Index.DivAtom(a, d.by()), "div", new Id(a), d.by());
            }
            case Index.ModAtom m -> {
                Index a = index(m.a());
                yield same(new Index.ModAtom(a, m.by()), "mod", new Id(a), m.by());
            }
            case Index.DataAtom d -> {
                Expr v = expr(d.value());
                Coef bound = d.bound();
                yield same(new Index.DataAtom(v, bound), "data", new Id(v), bound);
            }
        };
    }

    @SuppressWarnings("unchecked")
    private <T> T same(T candidate, Object... key) {
        return (T) unique.computeIfAbsent(List.of(key), _ -> candidate);
    }
}
