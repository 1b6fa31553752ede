// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.Node;
import io.sinter.ir.fuse.Cost;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * In which pass over the row each value of a row kernel is ready. A value's level is the number of passes that must be over before it can be
 * computed.
 */
final class Phases {
    private final Group group;
    private final Map<Node, Integer> level = new IdentityHashMap<>();
    private final List<Node> reductions = new ArrayList<>();
    private final List<Node> sums = new ArrayList<>();
    private final Map<Node, Integer> summedIn = new IdentityHashMap<>();
    private final List<Node> perRow = new ArrayList<>();
    private final List<Node> perElement = new ArrayList<>();
    private final int count;

    Phases(Group group) {
        this.group = group;
        int passes = 0;
        for (Node n : group.members()) level(n);
        for (Node n : group.members()) {
            if (Reductions.kind(n.op()) == null) continue;
            boolean beside = n.op() instanceof BlockReduce && group.sumsBesideRows();
            (beside ? sums : reductions).add(n);
            passes = Math.max(passes, operandLevel(n) + Reductions.passes(n.op()));
        }
        sums.sort(java.util.Comparator.comparingInt(this::operandLevel));
        reductions.sort(java.util.Comparator.comparingInt(this::operandLevel));
        for (Node n : group.stores()) {
            if (n.op() instanceof BlockReduce) {
                if (!sums.contains(n)) perRow.add(n);
                continue;
            }
            boolean element = group.at(n).getFirst().stream().anyMatch(this::mentionsRow)
                    || group.inner().isEmpty();
            (element ? perElement : perRow).add(n);
            if (element) passes = Math.max(passes, level.get(n) + 1);
        }
        count = passes;
        List<Set<Node>> read = new ArrayList<>();
        for (int p = 0; p < count; p++) read.add(ingredients(usedIn(p)));
        for (Node s : sums) {
            Set<Node> own = ingredients(List.of(s.input(0)));
            int last = operandLevel(s);
            for (int p = last + 1; p < count; p++) if (read.get(p).containsAll(own)) last = p;
            summedIn.put(s, last);
        }
    }

    /** What reductions accumulate in a pass, and what is stored there. */
    private List<Node> usedIn(int pass) {
        List<Node> used = new ArrayList<>(storedIn(pass));
        for (Node r : accumulatedIn(pass)) used.add(r.input(0));
        return used;
    }

    /** What a pass that computes these has at hand: the operands that it reads of other kernels, and its expensive values. */
    private Set<Node> ingredients(List<Node> values) {
        Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Node> found = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node n : values) ingredients(n, seen, found);
        return found;
    }

    private void ingredients(Node n, Set<Node> seen, Set<Node> found) {
        if (!seen.add(n)) return;
        boolean inside = group.contains(n);
        if (inside && Reductions.kind(n.op()) != null) return;
        if (!inside && !(n.op() instanceof View) || Cost.expensive(n)) found.add(n);
        if (inside || n.op() instanceof View) for (Node in : n.inputs()) ingredients(in, seen, found);
    }

    private boolean mentionsRow(Index i) {
        for (Var v : group.inner()) if (IndexMath.mentions(i, v)) return true;
        return false;
    }

    private int level(Node n) {
        Integer known = level.get(n);
        if (known != null) return known;
        int l = 0;
        boolean inside = group.contains(n);
        if (inside || n.op() instanceof View) for (Node in : n.inputs()) l = Math.max(l, level(in));
        if (inside && Reductions.kind(n.op()) != null) l += Reductions.passes(n.op());
        level.put(n, l);
        return l;
    }

    /** Number of passes over a row. */
    int count() {
        return count;
    }

    /** Reductions in an order in which they can be computed. */
    List<Node> reductions() {
        return reductions;
    }

    /** The pass in which a reduction's operand is ready: its first. */
    int operandLevel(Node reduce) {
        return level(reduce.input(0));
    }

    /** Reductions of blocks of the rows, column by column, beside what is done in each row. */
    List<Node> sums() {
        return sums;
    }

    /**
     * Sums that are added to in a pass: the last one that has their operands at hand. The first pass should only reduce: the JVM's code makes the next row's
     * in the last pass over a row.
     */
    List<Node> summedIn(int pass) {
        return sums.stream().filter(n -> summedIn.get(n) == pass).toList();
    }

    List<Node> accumulatedIn(int pass) {
        return reductions.stream()
                .filter(n -> operandLevel(n) <= pass && pass < operandLevel(n) + Reductions.passes(n.op()))
                .toList();
    }

    List<Node> storedIn(int pass) {
        return perElement.stream().filter(n -> level.get(n) == pass).toList();
    }

    List<Node> storedPerRow() {
        return perRow;
    }

    /**
     * Values of row elements that are expensive and used in several passes, at one position, if keeping them takes at most {@code bytes} per element.
     */
    Set<Node> sharedAndExpensive(long bytes) {
        Map<Node, Set<Integer>> used = used();
        Set<Node> kept = new LinkedHashSet<>();
        long total = 0;
        for (Node n : group.members().reversed()) {
            if (!used.containsKey(n) || used.get(n).size() < 2 || !Cost.expensive(n)) continue;
            if (group.at(n).size() != 1 || !everyElement(n)) continue;
            total += n.dtype().compute().bytes();
            if (total > bytes) break;
            kept.add(n);
        }
        return kept;
    }

    /**
     * Results in whose rows kept values lie until the results are stored there: the pass that stores touches lines that the pass before has fetched while it
     * computed. The type in memory is that of the value's registers, elements lie in the order of the space, and no pass after the one that stores needs the value.
     */
    Map<Node, Node> keptInResults(Set<Node> kept) {
        Map<Node, Set<Integer>> used = used();
        Map<Node, Node> rows = new IdentityHashMap<>();
        List<Node> free = new ArrayList<>(perElement);
        free.removeIf(n -> !inOrder(n));
        for (Node k : kept) {
            int last = Collections.max(used.get(k));
            // Its own row, if it is a result: one store less.
            Node row = free.contains(k)
                    ? k
                    : free.stream()
                            .filter(n -> level.get(n) >= last && !kept.contains(n))
                            .filter(n -> n.dtype() == k.dtype().compute())
                            .findFirst()
                            .orElse(null);
            if (row == null || row.dtype() != k.dtype().compute()) continue;
            rows.put(k, row);
            free.remove(row);
        }
        return rows;
    }

    private boolean inOrder(Node n) {
        long[] dims = group.vars().stream().mapToLong(v -> v.extent().lit()).toArray();
        Index space = IndexMath.linear(group.vars().stream().map(IndexMath::var).toList(), dims);
        return IndexMath.linear(group.at(n).getFirst(), n.shape().toArray()).equals(space);
    }

    /** The passes in which each value of row elements is used. */
    private Map<Node, Set<Integer>> used() {
        Map<Node, Set<Integer>> used = new IdentityHashMap<>();
        for (Node r : reductions) {
            for (int p = operandLevel(r); p < operandLevel(r) + Reductions.passes(r.op()); p++)
                mark(r.input(0), p, used);
        }
        for (Node s : sums) mark(s.input(0), summedIn.get(s), used);
        for (Node n : perElement) mark(n, level.get(n), used);
        return used;
    }

    /** Every variable of the row occurs in the position: the value is another one for each element. */
    private boolean everyElement(Node n) {
        List<Index> at = group.at(n).getFirst();
        if (at.stream().anyMatch(IndexMath::dependsOnData)) return false;
        for (Var v : group.inner()) if (at.stream().noneMatch(i -> IndexMath.mentions(i, v))) return false;
        return true;
    }

    private void mark(Node n, int pass, Map<Node, Set<Integer>> used) {
        if (n.op() instanceof Pad || n.op() instanceof Concat) {
            // Below these an element is there under a condition only: nothing that could be kept for every element.
            used.computeIfAbsent(n, _ -> new LinkedHashSet<>()).add(pass);
            return;
        }
        if (n.op() instanceof View) {
            for (Node in : n.inputs()) mark(in, pass, used);
            return;
        }
        if (!group.contains(n) || Reductions.kind(n.op()) != null) return;
        if (!used.computeIfAbsent(n, _ -> new LinkedHashSet<>()).add(pass)) return;
        for (Node in : n.inputs()) mark(in, pass, used);
    }

    /** The kept values whose first use is in {@code pass}, producers first. */
    List<Node> keptFirstIn(Set<Node> kept, int pass) {
        if (kept.isEmpty()) return List.of();
        Map<Node, Set<Integer>> used = used();
        List<Node> first = new ArrayList<>();
        for (Node n : kept) if (Collections.min(used.get(n)) == pass) first.add(n);
        return first;
    }
}
