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

/** Chooses the variable whose steps are the vector's lanes: the one with the least estimated time per element. */
final class VectorChoice {
    /** Lanes that the estimate assumes; the choice must not depend on the machine. */
    private static final long LANES = 16;

    /** Starting a vector loop, in units of one vector instruction. */
    private static final double LOOP = 12;

    /** An element that is loaded or stored by itself, with its way into or out of a vector. */
    private static final double SINGLE = 1.5;

    private final Var v;
    /** Vector instructions per element, the last one only partly filled. */
    private final double steps;

    private double cost;
    private final Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    private VectorChoice(Var v) {
        this.v = v;
        long n = v.extent().lit();
        steps = (double) ((n + LANES - 1) / LANES) / n;
        cost = LOOP / n;
    }

    /**
     * @param preferred among equals these win, the last of them first
     */
    static Var best(List<Var> vars, List<Stmt> code, List<Var> preferred) {
        Var best = null;
        double least = Double.POSITIVE_INFINITY;
        for (Var v : vars) {
            double c = new VectorChoice(v).of(code) * (preferred.contains(v) ? 0.98 : 1);
            if (c <= least) {
                least = c;
                best = v;
            }
        }
        return best;
    }

    private double of(List<Stmt> code) {
        for (Stmt s : code) {
            switch (s) {
                case Stmt.Let l -> visit(l.value());
                case Stmt.Store st -> {
                    cost += access(st.index());
                    visit(st.value());
                }
                default -> throw new IllegalStateException("drafts hold values and stores");
            }
        }
        return cost;
    }

    private void visit(Expr e) {
        if (e == null || !seen.add(e)) return;
        switch (e) {
            case Expr.Load l -> {
                cost += access(l.index());
                visit(l.mask());
            }
            case Expr.Un u -> {
                cost += 4 * steps;
                visit(u.a());
            }
            case Expr.Bin b -> {
                cost += steps;
                visit(b.a());
                visit(b.b());
            }
            case Expr.Select s -> {
                cost += steps;
                visit(s.cond());
                visit(s.a());
                visit(s.b());
            }
            case Expr.Fma f -> {
                cost += steps;
                visit(f.a());
                visit(f.b());
                visit(f.c());
            }
            case Expr.Convert c -> visit(c.a());
            case Expr.Narrow n -> visit(n.a());
            case Expr.Bits b -> visit(b.a());
            case Expr.Checked c -> visit(c.value());
            case Expr.Const _, Expr.Arg _, Expr.Ref _, Expr.IndexValue _ -> {}
        }
    }

    private double access(Index i) {
        long s = IndexMath.stride(i, v);
        if (s == 0 && !IndexMath.dependsOnData(i)) return steps / 4;
        return s == 1 ? steps : SINGLE;
    }
}
