// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Chooses the variable whose steps are the vector's lanes: the one along which most accesses are contiguous. */
final class VectorChoice {
    private VectorChoice() {}

    /**
     * @param preferred among equals these win, the last of them first
     */
    static Var best(List<Var> vars, List<Stmt> code, List<Var> preferred) {
        Var best = null;
        long bestScore = Long.MIN_VALUE;
        for (Var v : vars) {
            long score = score(v, code) * 8 + (preferred.contains(v) ? 2 : 0) + (v == vars.getLast() ? 1 : 0);
            // A handful of lanes wastes the rest of the vector.
            if (v.extent().lit() < 8) score -= 64 / Math.max(1, v.extent().lit());
            if (score >= bestScore) {
                bestScore = score;
                best = v;
            }
        }
        return best;
    }

    private static long score(Var v, List<Stmt> code) {
        long[] score = new long[1];
        Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Stmt s : code) {
            switch (s) {
                case Stmt.Let l -> visit(l.value(), v, score, seen);
                case Stmt.Store st -> {
                    score[0] += 2 * access(st.index(), v);
                    visit(st.value(), v, score, seen);
                }
                default -> throw new IllegalStateException("drafts hold values and stores");
            }
        }
        return score[0];
    }

    private static void visit(Expr e, Var v, long[] score, Set<Expr> seen) {
        if (e == null || !seen.add(e)) return;
        switch (e) {
            case Expr.Load l -> {
                score[0] += access(l.index(), v);
                visit(l.mask(), v, score, seen);
            }
            case Expr.Un u -> visit(u.a(), v, score, seen);
            case Expr.Bin b -> {
                visit(b.a(), v, score, seen);
                visit(b.b(), v, score, seen);
            }
            case Expr.Select s -> {
                visit(s.cond(), v, score, seen);
                visit(s.a(), v, score, seen);
                visit(s.b(), v, score, seen);
            }
            case Expr.Fma f -> {
                visit(f.a(), v, score, seen);
                visit(f.b(), v, score, seen);
                visit(f.c(), v, score, seen);
            }
            case Expr.Convert c -> visit(c.a(), v, score, seen);
            case Expr.Narrow n -> visit(n.a(), v, score, seen);
            case Expr.Bits b -> visit(b.a(), v, score, seen);
            case Expr.Checked c -> visit(c.value(), v, score, seen);
            case Expr.Const _, Expr.Arg _, Expr.Ref _, Expr.IndexValue _ -> {}
        }
    }

    private static long access(Index i, Var v) {
        for (Index.Term t : i.terms()) if (t.atom() instanceof Index.DataAtom) return IndexMath.stride(i, v) == 1 ? 2 : 0;
        long s = IndexMath.stride(i, v);
        return s == 1 ? 2 : s == 0 ? 0 : -2;
    }
}
