// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Joins kernels over the same space that read a common operand, which is then read once: reductions over the same rows that do not need each other
 * (the gradients of a norm's scale and shift), and elementwise kernels (the gradients of a gate's operands), of which one may read what the other
 * computes at the same place.
 */
final class Siblings {
    /** How many groups of a kind are looked at. */
    private static final int NEAR = 8;

    private Siblings() {}

    static List<Group> merge(List<Group> groups, Fusion fusion, int maxWeight) {
        Map<List<Object>, List<Group>> alike = new HashMap<>();
        List<Group> kept = new ArrayList<>();
        for (Group g : groups) {
            if (g.kind() != Group.Kind.LOOPS || g.update()) {
                kept.add(g);
                continue;
            }
            List<Object> space = new ArrayList<>();
            for (Var v : g.vars()) space.add(List.of(v.extent(), g.inner().contains(v)));
            List<Group> others = alike.computeIfAbsent(space, _ -> new ArrayList<>());
            boolean joined = false;
            // The latest ones first, and few: siblings are near each other, and the search must not grow with the
            // program.
            for (Group first : others.reversed().subList(0, Math.min(NEAR, others.size()))) {
                if (first.weight() + g.weight() > maxWeight
                        || first.stores().size() + g.stores().size() > Fusion.MAX_STORES) continue;
                Map<Var, Var> rename = new IdentityHashMap<>();
                for (int i = 0; i < g.vars().size(); i++)
                    rename.put(g.vars().get(i), first.vars().get(i));
                boolean elementwise = g.inner().isEmpty();
                boolean apart = elementwise ? onlyDirectly(first, g) : !first.reaches(g);
                if (!apart || g.reaches(first)) continue;
                if (!(elementwise ? sharesElements(first, g, rename, fusion) : shares(first, g, rename, fusion)))
                    continue;
                first.absorb(g, at -> rename(at, rename), rename);
                fusion.moved(g, first);
                if (elementwise) fusion.forget(first);
                joined = true;
                break;
            }
            if (!joined) {
                others.add(g);
                kept.add(g);
            }
        }
        return kept;
    }

    /** No kernel stands between the two. */
    private static boolean onlyDirectly(Group first, Group g) {
        for (Group s : first.successors()) if (s != g && s.reaches(g)) return false;
        return true;
    }

    /**
     * {@code b} reads, for each of its elements another one, what {@code a} reads or computes for the same element; and nothing that {@code a}
     * computes for another element.
     */
    private static boolean sharesElements(Group a, Group b, Map<Var, Var> rename, Fusion fusion) {
        Set<List<Object>> reads = fusion.external(a);
        Set<List<Object>> stores = fusion.stored(a);
        boolean shared = false;
        for (List<Object> r : fusion.external(b)) {
            @SuppressWarnings("unchecked")
            List<Index> at = rename((List<Index>) r.get(1), rename);
            List<Object> renamed = List.of(r.get(0), at);
            if (a.contains(Fusion.node(r)) && !stores.contains(renamed)) return false;
            boolean whole = a.vars().stream().allMatch(v -> at.stream().anyMatch(i -> IndexMath.mentions(i, v)));
            shared |= whole && (reads.contains(renamed) || stores.contains(renamed));
        }
        return shared;
    }

    private static boolean shares(Group a, Group b, Map<Var, Var> rename, Fusion fusion) {
        Set<List<Object>> reads = new HashSet<>(fusion.external(a));
        for (List<Object> r : fusion.external(b)) {
            @SuppressWarnings("unchecked")
            List<Index> at = (List<Index>) r.get(1);
            List<Index> renamed = rename(at, rename);
            boolean mentions =
                    renamed.stream().anyMatch(i -> a.inner().stream().anyMatch(v -> IndexMath.mentions(i, v)));
            if (mentions && reads.contains(List.of(r.get(0), renamed))) return true;
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
