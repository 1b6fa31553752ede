// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** How a position of a node lies in the space of a group: as all of it, as its rows, in its order. */
final class Spaces {
    private Spaces() {}

    /**
     * True if the variables that the position lacks are what a reduction above {@code n} runs over: it is about to make rows of the group, of which
     * {@code n} is then computed once each.
     */
    static boolean followsReduction(Node n, Group g, List<Index> at) {
        if (g.kind() != Group.Kind.LOOPS || g.update() || g.hasSplit()) return false;
        if (!g.inner().isEmpty() || plain(n, at) == null) return false;
        long missing = 1;
        for (Var v : rest(g, at)) missing *= v.extent().lit();
        if (missing == 1
                || (n.type().numel() < FusionRules.FEW_ROWS
                        && missing * n.type().numel() > FusionRules.SMALL)) return false;
        return isAbove(n, n.type().numel(), missing * n.type().numel(), 10);
    }

    /** Pointwise code of {@code rows} elements that goes back to a reduction of {@code total} elements, within a few steps. */
    private static boolean isAbove(Node n, long rows, long total, int steps) {
        for (Node in : n.inputs()) {
            if (steps == 0 || in.types().size() != 1 || in.type().numel() != rows) continue;
            if (in.op() instanceof Reduce) {
                if (in.input(0).type().numel() == total) return true;
            } else if ((Fusion.isPointwise(in.op()) || in.op() instanceof View)
                    && isAbove(in, rows, total, steps - 1)) {
                return true;
            }
        }
        return false;
    }

    /** The group is a plain space of which the reduction's result is every element: it may become the rows. */
    static boolean startsRows(Group g, Set<Var> used) {
        return g.inner().isEmpty() && used.size() == g.vars().size();
    }

    /** The group's variables for the axes of {@code r}, or null if its rows are not the group's. */
    static List<Var> match(Reduce r, Node n, Group g, List<Index> at) {
        Set<Var> used = plain(n, at);
        if (used == null) return null;
        Set<Var> rest = rest(g, at);
        if (rest.isEmpty() || (!g.inner().isEmpty() && !g.inner().equals(rest))) return null;
        int[] axes = r.axes().clone();
        Arrays.sort(axes);
        List<Var> over = new ArrayList<>();
        var it = rest.iterator();
        for (int x : axes) {
            long extent = n.input(0).shape().dim(x);
            if (extent == 1) {
                over.add(new Var("r" + x, Coef.of(1)));
                continue;
            }
            if (!it.hasNext()) return null;
            Var v = it.next();
            if (!v.extent().is(extent)) return null;
            over.add(v);
        }
        return it.hasNext() ? null : over;
    }

    static Set<Var> rest(Group g, List<Index> at) {
        Set<Var> rest = new LinkedHashSet<>();
        for (Var v : g.vars()) if (at.stream().noneMatch(i -> IndexMath.mentions(i, v))) rest.add(v);
        return rest;
    }

    /** The variables of a position that is one variable, each another, per axis; null if it is anything else. */
    static Set<Var> plain(Node n, List<Index> at) {
        Set<Var> used = new HashSet<>();
        for (int x = 0; x < at.size(); x++) {
            long extent = n.shape().dim(x);
            Index i = at.get(x);
            if (extent == 1 && i.terms().isEmpty() && i.offset().is(0)) continue;
            if (i.terms().size() != 1
                    || !i.offset().is(0)
                    || !i.terms().getFirst().coef().is(1)) return null;
            if (!(i.terms().getFirst().atom() instanceof Index.VarAtom v)
                    || !v.var().extent().is(extent)) return null;
            if (!used.add(v.var())) return null;
        }
        return used;
    }

    /** The kernel meets every element of {@code n} exactly once: in its space, or once per row. */
    static boolean covers(Node n, Group g, List<Index> at) {
        Set<Var> used = plain(n, at);
        if (used != null) {
            Set<Var> outer = new HashSet<>(g.vars());
            if (used.equals(outer)) return true;
            outer.removeAll(g.inner());
            if (used.equals(outer)) return true;
        }
        long numel = 1;
        for (Var v : g.vars()) numel *= v.extent().lit();
        return numel == n.type().numel() && isLinear(n, g, at);
    }

    /** Every variable of the space occurs in the position. */
    static boolean isEveryElement(Group g, List<Index> at) {
        return rest(g, at).isEmpty();
    }

    static boolean isLinear(Node n, Group g, List<Index> at) {
        long[] dims = g.vars().stream().mapToLong(v -> v.extent().lit()).toArray();
        Index space = IndexMath.linear(g.vars().stream().map(IndexMath::var).toList(), dims);
        return IndexMath.linear(at, n.shape().toArray()).equals(space);
    }
}
