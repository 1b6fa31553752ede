// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** How often each expression object of a kernel is referred to. */
final class ExprUses {
    private final Map<Expr, Integer> counts = new IdentityHashMap<>();

    /** Referred to from more than one place; leaves never count as shared. */
    boolean isShared(Expr e) {
        return counts.getOrDefault(e, 0) > 1;
    }

    void count(Kernel kernel) {
        switch (kernel) {
            case LoopKernel k -> body(k.body());
            case GemmKernel k -> {
                expr(k.a());
                expr(k.b());
                if (k.stencil() != null) stencil(k.stencil());
                body(k.epilogue());
            }
            case AttentionKernel k -> {
                expr(k.q());
                expr(k.k());
                expr(k.v());
                if (k.bias() != null) expr(k.bias());
                expr(k.scale());
                k.saved().forEach(this::expr);
                k.outputs().forEach(t -> index(t.index()));
            }
        }
    }

    private void stencil(Stencil s) {
        expr(s.staged());
        if (s.left() != null) expr(s.left());
        for (Stencil.Dim d : s.dims()) {
            index(d.low());
            index(d.taps());
        }
    }

    private void body(List<Stmt> body) {
        for (Stmt s : body) {
            switch (s) {
                case Stmt.Loop l -> {
                    if (l.limit() != null) index(l.limit());
                    body(l.body());
                }
                case Stmt.Let l -> expr(l.value());
                case Stmt.Declare d -> expr(d.init());
                case Stmt.Accumulate a -> expr(a.value());
                case Stmt.Set a -> expr(a.value());
                case Stmt.Store a -> {
                    expr(a.value());
                    index(a.index());
                    if (a.mask() != null) expr(a.mask());
                }
                case Stmt.If i -> {
                    expr(i.cond());
                    body(i.body());
                }
            }
        }
    }

    private void expr(Expr e) {
        if (e instanceof Expr.Const || e instanceof Expr.Arg || e instanceof Expr.Ref) return;
        // Operands of a shared expression are counted once: they are printed once.
        if (counts.merge(e, 1, Integer::sum) > 1) return;
        switch (e) {
            case Expr.Const _, Expr.Arg _, Expr.Ref _ -> {}
            case Expr.IndexValue v -> index(v.index());
            case Expr.Load l -> {
                index(l.index());
                if (l.mask() != null) {
                    expr(l.mask());
                    expr(l.otherwise());
                }
            }
            case Expr.Un u -> expr(u.a());
            case Expr.Bin b -> {
                expr(b.a());
                expr(b.b());
            }
            case Expr.Select s -> {
                expr(s.cond());
                expr(s.a());
                expr(s.b());
            }
            case Expr.Fma f -> {
                expr(f.a());
                expr(f.b());
                expr(f.c());
            }
            case Expr.Convert c -> expr(c.a());
            case Expr.Narrow n -> expr(n.a());
            case Expr.Bits b -> expr(b.a());
            case Expr.Checked c -> expr(c.value());
        }
    }

    private void index(Index index) {
        for (Index.Term t : index.terms()) {
            switch (t.atom()) {
                case Index.VarAtom _ -> {}
                case Index.DivAtom d -> index(d.a());
                case Index.ModAtom m -> index(m.a());
                case Index.DataAtom d -> expr(d.value());
            }
        }
    }
}
