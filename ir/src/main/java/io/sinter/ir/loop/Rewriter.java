// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Rebuilds loop code with other indices, coefficients or variables. Sharing is kept: an {@link Expr} object that occurs twice is rebuilt once.
 * Subclasses override what they change.
 */
public class Rewriter {
    private final Map<Expr, Expr> exprs = new IdentityHashMap<>();
    private final Map<Index, Index> indices = new HashMap<>();

    /** An index; called once for each distinct one. The default rebuilds data-dependent values inside it. */
    protected Index rewriteIndex(Index i) {
        List<Index.Term> terms = new ArrayList<>(i.terms().size());
        for (Index.Term t : i.terms()) terms.add(new Index.Term(t.coef(), atom(t.atom())));
        return new Index(List.copyOf(terms), i.offset());
    }

    protected Index.Atom atom(Index.Atom a) {
        return switch (a) {
            case Index.VarAtom v -> v;
            case Index.DivAtom d -> new Index.DivAtom(index(d.a()), d.by());
            case Index.ModAtom m -> new Index.ModAtom(index(m.a()), m.by());
            case Index.DataAtom d -> new Index.DataAtom(expr(d.value()), coef(d.bound()));
        };
    }

    protected Coef coef(Coef c) {
        return c;
    }

    protected Var var(Var v) {
        return v;
    }

    protected Buf buffer(Buf b) {
        return b;
    }

    /** What stands for a whole expression; null to rebuild it from its parts. */
    protected Expr replacement(Expr e) {
        return null;
    }

    /** Called once for each distinct load before it is rebuilt; for subclasses that look rather than change. */
    protected void visit(Expr.Load load) {}

    /** The index of an access to {@code buffer}; the default rewrites it like any other. */
    protected Index index(Buf buffer, Index i) {
        return index(i);
    }

    public final Index index(Index i) {
        if (i == null) return null;
        Index r = indices.get(i);
        if (r == null) {
            r = rewriteIndex(i);
            indices.put(i, r);
        }
        return r;
    }

    public final Expr expr(Expr e) {
        if (e == null) return null;
        Expr r = exprs.get(e);
        if (r == null) {
            r = replacement(e);
            if (r == null) r = rebuild(e);
            exprs.put(e, r);
        }
        return r;
    }

    private Expr rebuild(Expr e) {
        return switch (e) {
            case Expr.Const c -> c;
            case Expr.Arg a -> a;
            case Expr.Ref r -> r;
            case Expr.IndexValue v -> new Expr.IndexValue(v.dtype(), index(v.index()));
            case Expr.Load l -> {
                visit(l);
                yield new Expr.Load(
                        buffer(l.buffer()), index(l.buffer(), l.index()), expr(l.mask()), expr(l.otherwise()));
            }
            case Expr.Un u -> new Expr.Un(u.op(), expr(u.a()));
            case Expr.Bin b -> new Expr.Bin(b.op(), expr(b.a()), expr(b.b()));
            case Expr.Select s -> new Expr.Select(expr(s.cond()), expr(s.a()), expr(s.b()));
            case Expr.Fma f -> new Expr.Fma(expr(f.a()), expr(f.b()), expr(f.c()));
            case Expr.Convert c -> new Expr.Convert(c.dtype(), expr(c.a()));
            case Expr.Narrow n -> new Expr.Narrow(n.to(), expr(n.a()));
            case Expr.Bits b -> new Expr.Bits(b.dtype(), expr(b.a()));
            case Expr.Checked c -> new Expr.Checked(expr(c.value()), coef(c.bound()), c.wrap(), coef(c.site()));
        };
    }

    public final Stmt stmt(Stmt s) {
        return switch (s) {
            case Stmt.Loop l -> new Stmt.Loop(var(l.var()), index(l.limit()), l.kind(), stmts(l.body()));
            case Stmt.Let l -> new Stmt.Let(l.local(), expr(l.value()));
            case Stmt.Declare d -> new Stmt.Declare(d.local(), expr(d.init()));
            case Stmt.Accumulate a -> new Stmt.Accumulate(a.local(), a.op(), expr(a.value()));
            case Stmt.Set x -> new Stmt.Set(x.local(), expr(x.value()));
            case Stmt.Store x ->
                new Stmt.Store(buffer(x.buffer()), index(x.buffer(), x.index()), expr(x.value()), expr(x.mask()));
            case Stmt.If f -> new Stmt.If(expr(f.cond()), stmts(f.body()));
        };
    }

    public final List<Stmt> stmts(List<Stmt> body) {
        return body.stream().map(this::stmt).toList();
    }

    /** Visits every index of the code, those inside data-dependent values too, each distinct one once. */
    public static List<Index> indices(List<Stmt> body, List<Expr> more) {
        List<Index> all = new ArrayList<>();
        Rewriter r = new Rewriter() {
            @Override
            protected Index rewriteIndex(Index i) {
                all.add(i);
                return super.rewriteIndex(i);
            }
        };
        r.stmts(body);
        more.forEach(r::expr);
        return all;
    }

    /** The code with variables replaced by indices (null: the variable stays). */
    public static Rewriter substitute(java.util.function.Function<Var, Index> with) {
        return new Rewriter() {
            @Override
            protected Index rewriteIndex(Index i) {
                return IndexMath.substitute(super.rewriteIndex(i), with);
            }
        };
    }
}
