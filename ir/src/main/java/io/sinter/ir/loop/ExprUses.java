// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.ArrayList;
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
        Facts.walk(body, s -> Facts.roots(s).forEach(this::expr));
    }

    private void expr(Expr e) {
        if (e instanceof Expr.Const || e instanceof Expr.Arg || e instanceof Expr.Ref) return;
        // Operands of a shared expression are counted once: they are printed once.
        if (counts.merge(e, 1, Integer::sum) == 1) Facts.children(e).forEach(this::expr);
    }

    private void index(Index index) {
        List<Expr> values = new ArrayList<>();
        Facts.data(index, values);
        values.forEach(this::expr);
    }
}
