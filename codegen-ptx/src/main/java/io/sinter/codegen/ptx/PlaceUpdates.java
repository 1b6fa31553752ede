// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToLongFunction;

/**
 * A kernel that updates slices one after the other, each at a place that is looked up (an embedding's gradient), taken apart: updates of different places
 * need not wait for each other, those of one place come in their order.
 *
 * @param number counts the updates
 * @param body of one update
 * @param place the looked-up number of its slice
 * @param store of the update
 * @param lanes the loop over a slice's elements; null where there is none
 */
record PlaceUpdates(Var number, List<Stmt> body, Expr.Checked place, Stmt.Store store, Stmt.Loop lanes) {
    /** Updates from which on looking for those of one place takes less time than all of them one after the other; and up to which, as each looks at all. */
    private static final long LEAST = 32;

    private static final long MOST = 1 << 17;

    /** Updates from which on warps with one each fill a GPU. */
    private static final long MANY = 1 << 11;

    /**
     * Null if the kernel is something else.
     *
     * @param body of the kernel, or an equal one
     */
    static PlaceUpdates in(LoopKernel kernel, List<Stmt> body) {
        if (kernel.scratchBytes() > 0
                || body.size() != 1
                || !(body.getFirst() instanceof Stmt.Loop l)
                || l.kind() != Stmt.Loop.Kind.SEQ
                || l.limit() != null
                || l.body().size() != 1) return null;
        Stmt inside = l.body().getFirst();
        Stmt.Loop lanes = inside instanceof Stmt.Loop v && v.kind() == Stmt.Loop.Kind.VECTOR ? v : null;
        if (lanes != null) inside = lanes.body().size() == 1 ? lanes.body().getFirst() : null;
        if (!(inside instanceof Stmt.Store s) || s.mask() != null) return null;
        Expr.Checked place = null;
        for (Index.Term t : s.index().terms()) {
            boolean isVariable = t.atom() instanceof Index.VarAtom(Var v) && v != l.var();
            if (isVariable) continue;
            if (place != null || !(t.atom() instanceof Index.DataAtom(Expr e, Coef _))) return null;
            if (!(e instanceof Expr.Checked checked)) return null;
            place = checked;
        }
        Facts facts = new Facts();
        facts.add(body);
        if (place == null || !facts.of(place).free().equals(Set.of(l.var()))) return null;
        boolean own = facts.of(s.value()).reads().stream().allMatch(s.buffer()::equals);
        if (!own
                || !facts.of(place).reads().isEmpty()
                || readsElsewhere(s, s.value(), Collections.newSetFromMap(new IdentityHashMap<>()))) return null;
        return new PlaceUpdates(l.var(), l.body(), place, s, lanes);
    }

    /** Whether a value depends on elements of the buffer other than the one that is stored. */
    private static boolean readsElsewhere(Stmt.Store s, Expr e, Set<Expr> seen) {
        if (!seen.add(e)) return false;
        if (e instanceof Expr.Load x
                && x.buffer().equals(s.buffer())
                && (x.mask() != null || !x.index().equals(s.index()))) return true;
        return Facts.children(e).stream().anyMatch(x -> readsElsewhere(s, x, seen));
    }

    /** Whether a launch's updates are worth looking for those of one place, and slices at different places have no element in common. */
    boolean pays(IntToLongFunction slot) {
        long n = LaunchRule.number(number.extent(), slot);
        return LEAST <= n && n <= MOST && areApart(slot);
    }

    /** Whether there are enough warps where each updates whole slices: each task of a slice's would look through all updates. */
    boolean areMany(IntToLongFunction slot) {
        return LaunchRule.number(number.extent(), slot) >= MANY;
    }

    /** An element's index is that of its place in a slice, and of its slice: digits of one number. */
    private boolean areApart(IntToLongFunction slot) {
        Map<Var, Long> others = new HashMap<>();
        long stride = 0;
        for (Index.Term t : store.index().terms()) {
            long coef = LaunchRule.number(t.coef(), slot);
            if (t.atom() instanceof Index.VarAtom(Var v)) others.put(v, coef);
            else stride = coef;
        }
        long all = stride * LaunchRule.number(place.bound(), slot);
        long within = 0;
        if (lanes != null && lanes.limit() != null) {
            // The last one of several tiles is shorter.
            Index limit = lanes.limit();
            if (limit.terms().size() != 1 || !(limit.terms().getFirst().atom() instanceof Index.VarAtom(Var tile)))
                return false;
            long size = -LaunchRule.number(limit.terms().getFirst().coef(), slot);
            if (others.getOrDefault(tile, 0L) != size || others.getOrDefault(lanes.var(), 0L) != 1) return false;
            others.remove(tile);
            others.remove(lanes.var());
            within = LaunchRule.number(limit.offset(), slot) - 1;
        }
        for (Map.Entry<Var, Long> e : others.entrySet()) {
            long last = LaunchRule.number(e.getKey().extent(), slot) - 1;
            if (last <= 0) continue;
            long coef = e.getValue();
            if (coef >= 0 && coef < stride) within += coef * last;
            else if (coef < 0 || all == 0 || coef % all != 0) return false;
        }
        return within < stride;
    }
}
