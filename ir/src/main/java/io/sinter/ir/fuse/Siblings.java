// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.BlockReduce;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Joins groups over the same rows that read a common operand, so that it is read once:
 *
 * <ul>
 *   <li>reductions that do not need each other (the gradients of a norm's scale and shift)
 *   <li>a row kernel and what reads its results, row by row (a norm's output and its gradient, where both are computed in one program): also
 *       where what it read was only stored for it
 *   <li>a row kernel and reductions of blocks of its rows, column by column (a norm's gradient and those of its scale and shift): a task is a block then
 *   <li>elementwise kernels over the same space (the gradients of a gate's operands), of which one may read what the other computes at the same
 *       place
 * </ul>
 */
final class Siblings {
    /** How many groups of a kind are looked at. */
    private static final int NEAR = 8;

    /** Rows from which on they are enough tasks for work that had a task for every few thousand elements. */
    private static final long MANY_ROWS = 32;

    /** Columns from which on sums of them beside the rows pay. */
    private static final long LONG_ROW = 64;

    /** Bytes of the sums that a task holds beside its rows. */
    private static final long SUMS = 1 << 16;

    private final Fusion fusion;
    private final Reads reads;
    private final int maxWeight;
    private final boolean sumsBesideRows;
    /** Row groups by the extents of rows and of what is in them. */
    private final Map<List<List<Coef>>, List<Group>> alike = new HashMap<>();

    /** Elementwise groups by the extents of their space. */
    private final Map<List<Coef>, List<Group>> elementwise = new HashMap<>();

    private Siblings(Fusion fusion, Reads reads, int maxWeight, boolean sumsBesideRows) {
        this.sumsBesideRows = sumsBesideRows;
        this.fusion = fusion;
        this.reads = reads;
        this.maxWeight = maxWeight;
    }

    /** @param groups in an order in which they can run */
    static List<Group> merge(List<Group> groups, Fusion fusion, Reads reads, Fusion.Limits limits) {
        Siblings s = new Siblings(fusion, reads, limits.maxWeight() * 3 / 4, limits.largeTasks());
        List<Group> kept = s.merge(groups);
        if (s.sumsBesideRows) kept.removeIf(s::joinsItsRows);
        return kept;
    }

    private List<Group> merge(List<Group> groups) {
        List<Group> kept = new ArrayList<>();
        for (Group g : groups) {
            if (g.kind() != Group.Kind.LOOPS || g.update()) {
                kept.add(g);
            } else if (g.inner().isEmpty()) {
                if (!joinsRows(g) && !joinsElements(g)) kept.add(g);
            } else {
                List<Var> rows = outer(g);
                List<Var> inner = inner(g);
                List<Group> others = alike.computeIfAbsent(extents(rows, inner, g.blocks()), _ -> new ArrayList<>());
                if (joins(g, others, rows, inner)) continue;
                others.add(g);
                kept.add(g);
            }
        }
        return kept;
    }

    /** An elementwise group that reads what a row kernel has found out about its rows. */
    private boolean joinsRows(Group g) {
        if (g.hasSplit()) return false;
        for (Group p : g.predecessors()) {
            if (p.kind() != Group.Kind.LOOPS
                    || p.inner().isEmpty()
                    || p.vars().size() != g.vars().size()) continue;
            List<Var> rows = reads.rowsOf(g, p);
            long count = 1;
            for (Var v : rows) count *= v.extent().lit();
            if (count < MANY_ROWS) continue;
            List<Var> inner = new ArrayList<>(g.vars());
            inner.removeAll(rows);
            List<Group> others = alike.get(extents(rows, inner, null));
            if (others != null && others.contains(p) && joins(g, List.of(p), rows, inner)) return true;
        }
        return false;
    }

    /** An elementwise group beside another one that reads or computes the same elements; else it waits for others. */
    private boolean joinsElements(Group g) {
        List<Coef> extents = g.vars().stream().map(Var::extent).toList();
        List<Group> others = elementwise.computeIfAbsent(extents, _ -> new ArrayList<>());
        for (Group first : others.reversed().subList(0, Math.min(NEAR, others.size()))) {
            if (!fits(g, first)) continue;
            Map<Var, Var> rename = new IdentityHashMap<>();
            zip(g.vars(), first.vars(), rename);
            if (isBetween(first, g) || g.reaches(first) || !sharesElements(first, g, rename)) continue;
            absorb(first, g, rename);
            return true;
        }
        others.add(g);
        return false;
    }

    /**
     * {@code b} reads, for each of its elements another one, what {@code a} reads or computes for the same element; and nothing that {@code a}
     * computes for another element.
     */
    private boolean sharesElements(Group a, Group b, Map<Var, Var> rename) {
        Set<Reads.External> ofA = reads.external(a);
        Set<Reads.External> stores = reads.stored(a);
        boolean shared = false;
        for (Reads.External r : reads.external(b)) {
            List<Index> at = rename(r.at(), rename);
            Reads.External renamed = new Reads.External(r.node(), at);
            if (a.contains(r.node()) && !stores.contains(renamed)) return false;
            boolean whole = a.vars().stream().allMatch(v -> at.stream().anyMatch(i -> IndexMath.mentions(i, v)));
            shared |= whole && (ofA.contains(renamed) || stores.contains(renamed));
        }
        return shared;
    }

    private boolean fits(Group g, Group into) {
        return into.weight() + g.weight() <= maxWeight
                && into.stores().size() + g.stores().size() <= FusionRules.MAX_STORES;
    }

    /** Another kernel waits for {@code first}, and {@code g} for that. */
    private static boolean isBetween(Group first, Group g) {
        for (Group s : first.successors()) if (s != g && s.reaches(g)) return true;
        return false;
    }

    private void absorb(Group first, Group g, Map<Var, Var> rename) {
        first.absorb(g, at -> rename(at, rename), rename);
        fusion.moved(g, first);
    }

    private boolean joins(Group g, List<Group> others, List<Var> rows, List<Var> inner) {
        // The latest ones first, and few: siblings are near each other, and the search must not grow with the program.
        for (Group first : others.reversed().subList(0, Math.min(NEAR, others.size()))) {
            if (!fits(g, first)) continue;
            Map<Var, Var> rename = new IdentityHashMap<>();
            zip(rows, outer(first), rename);
            zip(inner, inner(first), rename);
            boolean needs = first.successors().contains(g);
            if (needs ? !mayFollow(g, first, rename) : first.reaches(g) || g.reaches(first)) continue;
            if (!shares(first, g, rename)) continue;
            absorb(first, g, rename);
            return true;
        }
        return false;
    }

    /**
     * Reductions of blocks of rows, with a row kernel over the same rows whose elements they read or that reads theirs. What one needs of the other must be
     * there in the same row.
     */
    private boolean joinsItsRows(Group sums) {
        if (sums.kind() != Group.Kind.LOOPS || sums.blocks() == null || sums.sumsBesideRows()) return false;
        List<Var> columns = outer(sums);
        List<Var> rows = sums.blocks().rows();
        if (columns.isEmpty() || !rows.equals(inner(sums))) return false;
        List<Group> others = alike.getOrDefault(extents(rows, columns, null), List.of());
        for (Group first : others.reversed().subList(0, Math.min(NEAR, others.size()))) {
            if (!fits(sums, first) || !holdsSums(first, sums, columns)) continue;
            Map<Var, Var> rename = new IdentityHashMap<>();
            zip(rows, outer(first), rename);
            zip(columns, inner(first), rename);
            Map<Var, Var> back = new IdentityHashMap<>();
            rename.forEach((from, to) -> back.put(to, from));
            if (!mayFollow(sums, first, rename) || !mayFollow(first, sums, back)) continue;
            if (!shares(first, sums, rename) && !shares(sums, first, back)) continue;
            absorb(first, sums, rename);
            first.sumBesideRows(new Group.Blocks(outer(first), sums.blocks().size()));
            return true;
        }
        return false;
    }

    /** The accumulators of all sums fit the task's part of a cache, and their blocks are the same. */
    private static boolean holdsSums(Group rows, Group sums, List<Var> columns) {
        if (rows.blocks() != null && rows.blocks().size() != sums.blocks().size()) return false;
        long elements = 1;
        for (Var v : columns) elements *= v.extent().lit();
        long bytes = 0;
        for (Group g : List.of(rows, sums)) {
            for (Node n : g.stores())
                if (n.op() instanceof BlockReduce)
                    bytes += elements * n.dtype().compute().bytes();
        }
        return elements >= LONG_ROW && bytes <= SUMS;
    }

    private static List<Var> outer(Group g) {
        List<Var> outer = new ArrayList<>(g.vars());
        outer.removeAll(g.inner());
        return outer;
    }

    private static List<Var> inner(Group g) {
        List<Var> inner = new ArrayList<>(g.vars());
        inner.retainAll(g.inner());
        return inner;
    }

    private static List<List<Coef>> extents(List<Var> rows, List<Var> inner, Group.Blocks blocks) {
        return List.of(
                rows.stream().map(Var::extent).toList(),
                inner.stream().map(Var::extent).toList(),
                blocks == null ? List.of() : List.of(Coef.of(blocks.size())));
    }

    private static void zip(List<Var> from, List<Var> to, Map<Var, Var> rename) {
        for (int i = 0; i < from.size(); i++) rename.put(from.get(i), to.get(i));
    }

    /** {@code g} reads {@code first}'s results only in the row, or at the element, at which they are computed, and waits for nobody between. */
    private boolean mayFollow(Group g, Group first, Map<Var, Var> rename) {
        if (isBetween(first, g)) return false;
        for (Node n : g.members()) {
            if (!first.contains(n)) continue;
            for (List<Index> at : g.at(n)) if (!first.at(n).contains(rename(at, rename))) return false;
        }
        for (Reads.External e : reads.external(g)) {
            if (first.contains(e.node()) && !first.at(e.node()).contains(rename(e.at(), rename))) return false;
        }
        return true;
    }

    /** They read the same elements: of a common operand, or {@code b} those that {@code a} computes. */
    private boolean shares(Group a, Group b, Map<Var, Var> rename) {
        Set<Reads.External> ofA = new HashSet<>(reads.external(a));
        for (Reads.External r : reads.external(b)) {
            List<Index> at = rename(r.at(), rename);
            boolean mentions = at.stream().anyMatch(i -> a.inner().stream().anyMatch(v -> IndexMath.mentions(i, v)));
            if (mentions && (a.contains(r.node()) || ofA.contains(new Reads.External(r.node(), at)))) return true;
        }
        return false;
    }

    private static List<Index> rename(List<Index> at, Map<Var, Var> rename) {
        return at.stream()
                .map(i -> IndexMath.substitute(i, v -> {
                    Var to = rename.get(v);
                    return to == null ? null : IndexMath.var(to);
                }))
                .toList();
    }
}
