// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Joins neighbouring variables that every index steps through as if they were one: fewer loops, longer vectors. */
final class Space {
    private final Map<Var, Index> replaced = new HashMap<>();
    private List<Var> vars;
    private final Set<Var> inner;

    private Space(List<Var> vars, Set<Var> inner) {
        this.vars = vars;
        this.inner = new java.util.LinkedHashSet<>(inner);
    }

    /**
     * @param vars the space, outermost first
     * @param inner variables of rows; only variables of one kind are joined
     * @param indices every index of the code
     */
    static Space collapse(List<Var> vars, Set<Var> inner, List<Index> indices) {
        Space s = new Space(vars, inner);
        List<Index> now = indices;
        for (int k = vars.size() - 2; k >= 0; k--) {
            Var a = s.vars.get(k);
            Var b = s.vars.get(k + 1);
            if (s.inner.contains(a) != s.inner.contains(b)) continue;
            if (!now.stream().allMatch(i -> joins(i, a, b))) continue;
            Var w = new Var(a.name(), Coef.of(a.extent().lit() * b.extent().lit()));
            Function<Var, Index> with = v -> v == a ? Index.ZERO : v == b ? IndexMath.var(w) : null;
            now = now.stream()
                    .map(i -> IndexMath.substitute(i, with))
                    .distinct()
                    .toList();
            s.replaced.replaceAll((_, i) -> IndexMath.substitute(i, with));
            s.replaced.put(a, Index.ZERO);
            s.replaced.put(b, IndexMath.var(w));
            List<Var> next = new ArrayList<>(s.vars);
            next.set(k, w);
            next.remove(k + 1);
            s.vars = next;
            if (s.inner.remove(a)) {
                s.inner.remove(b);
                s.inner.add(w);
            }
        }
        return s;
    }

    /** In {@code i} and everything inside it, a step of {@code a} is as long as all of {@code b}'s together. */
    static boolean joins(Index i, Var a, Var b) {
        long ca = 0;
        long cb = 0;
        for (Index.Term t : i.terms()) {
            switch (t.atom()) {
                case Index.VarAtom v -> {
                    if (v.var() == a) ca = t.coef().lit();
                    if (v.var() == b) cb = t.coef().lit();
                }
                case Index.DivAtom d -> {
                    if (!joins(d.a(), a, b)) return false;
                }
                case Index.ModAtom m -> {
                    if (!joins(m.a(), a, b)) return false;
                }
                case Index.DataAtom _ -> {}
            }
        }
        return ca == cb * b.extent().lit();
    }

    List<Var> vars() {
        return vars;
    }

    Set<Var> inner() {
        return inner;
    }

    /** Rewrites code over the old variables into code over the new ones. */
    Rewriter rewriter() {
        return Rewriter.substitute(replaced::get);
    }
}
