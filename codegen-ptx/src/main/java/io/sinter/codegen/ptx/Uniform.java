// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a loop computes of accumulators that it leaves alone, as the inverse of a sum that a loop before it has added up: other code may not move it, as
 * accumulators change; before the loop it is computed once. And what it loads or checks alike in all steps, which is done once if there is a step.
 */
final class Uniform {
    private final BodyEmitter c;
    private final Set<Object> inside = new HashSet<>();
    private final Set<Expr> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Expr, Boolean> arithmetic = new IdentityHashMap<>();

    Uniform(BodyEmitter c) {
        this.c = c;
    }

    /** Computes, where code goes now, what all steps of a loop have in common. */
    void before(Stmt.Loop loop) {
        inside.add(loop.var());
        Facts.walk(loop.body(), s -> {
            switch (s) {
                case Stmt.Loop l -> inside.add(l.var());
                case Stmt.Let l -> inside.add(l.local());
                case Stmt.Declare d -> inside.add(d.local());
                case Stmt.Accumulate a -> inside.add(a.local());
                case Stmt.Set a -> inside.add(a.local());
                case Stmt.Store _, Stmt.If _ -> {}
            }
        });
        Facts.walk(loop.body(), s -> Facts.roots(s).forEach(this::visit));
    }

    /**
     * What all steps of a loop have in common and may be computed only if there is one: loads, index checks. After {@link #before}. Of what may not be computed
     * in every step there is nothing.
     */
    List<Expr> ofEveryStep(Stmt.Loop loop) {
        List<Expr> found = new ArrayList<>();
        Set<Expr> visited = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Stmt s : loop.body()) {
            if (!(s instanceof Stmt.Loop) && !(s instanceof Stmt.If))
                Facts.roots(s).forEach(e -> ofEveryStep(e, visited, found));
        }
        return found;
    }

    private void ofEveryStep(Expr e, Set<Expr> visited, List<Expr> found) {
        if (!visited.add(e)) return;
        Facts.Fact f = c.facts.of(e);
        if (f.motion() == Facts.Motion.GUARDED && Collections.disjoint(f.free(), inside)) found.add(e);
        else Facts.children(e).forEach(x -> ofEveryStep(x, visited, found));
    }

    private void visit(Expr e) {
        if (!seen.add(e)) return;
        Facts.Fact f = c.facts.of(e);
        boolean isUniform = f.motion() == Facts.Motion.PINNED && Collections.disjoint(f.free(), inside);
        if (isUniform && !(e instanceof Expr.Ref) && isArithmetic(e)) c.value(e);
        else Facts.children(e).forEach(this::visit);
    }

    /** Whether a value may be computed although nobody may ask for it. */
    private boolean isArithmetic(Expr e) {
        Boolean known = arithmetic.get(e);
        if (known != null) return known;
        boolean is = isTotal(e) && Facts.children(e).stream().allMatch(this::isArithmetic);
        arithmetic.put(e, is);
        return is;
    }

    private static boolean isTotal(Expr e) {
        if (e instanceof Expr.Load || e instanceof Expr.Checked) return false;
        boolean divides = e instanceof Expr.Bin b && (b.op() == Prim2.DIV || b.op() == Prim2.REM);
        return !divides || e.dtype().isFloat();
    }
}
