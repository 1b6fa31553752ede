// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.lower.Operands;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who reads a value, and at which positions, looking through views. */
final class Reads {
    private final Map<Node, List<Node>> users;
    private final Set<Node> copies;
    private final Map<List<Object>, Expr> placeholders = new HashMap<>();

    /** A reader of a value: operand {@code k} of {@code consumer}, through {@code views} (nearest the consumer first). */
    record Read(Node consumer, int k, List<Node> views) {}

    /**
     * @param users of each node, as {@link io.sinter.ir.Graph#users} has them
     * @param copies views that have a buffer of their own
     */
    Reads(Map<Node, List<Node>> users, Set<Node> copies) {
        this.users = users;
        this.copies = copies;
    }

    /** Every read of {@code n}. */
    List<Read> of(Node n) {
        List<Read> reads = new ArrayList<>();
        collect(n, List.of(), reads);
        return reads;
    }

    private void collect(Node v, List<Node> views, List<Read> out) {
        Node last = null;
        for (Node u : users.getOrDefault(v, List.of())) {
            if (u == last) continue; // listed once per operand place; the places are found below
            last = u;
            for (int k = 0; k < u.inputs().size(); k++) {
                if (u.input(k) != v) continue;
                if (u.op() instanceof View && k == 0) {
                    if (copies.contains(u)) out.add(new Read(u, k, views));
                    List<Node> more = new ArrayList<>(List.of(u));
                    more.addAll(views);
                    // Views nearest the consumer first: the last one found goes to the front.
                    collect(u, more, out);
                } else if (u.op() instanceof Project) {
                    // Who reads a result waits for the operator that has several.
                    if (copies.contains(u)) out.add(new Read(u, k, views));
                    collect(u, views, out);
                } else {
                    out.add(new Read(u, k, views));
                }
            }
        }
    }

    /** Every position at which the group's members read {@code n}; null if there are too many. */
    List<List<Index>> positions(Node n, Group g, List<Read> reads) {
        LinkedHashSet<List<Index>> found = new LinkedHashSet<>();
        Operands.Context context = context(g);
        for (Read r : reads) {
            if (!g.contains(r.consumer)) continue;
            for (List<Index> at : g.at(r.consumer)) {
                List<Index> p = g.isSplit(r.consumer) ? at : Operands.index(r.consumer, r.k, at, context);
                for (Node view : r.views) p = Operands.index(view, 0, p, context);
                found.add(p);
                if (found.size() > 8) return null;
            }
        }
        return new ArrayList<>(found);
    }

    /** A node that a group reads from outside, and where. */
    record External(Node node, List<Index> at) {
        @Override
        public boolean equals(Object o) {
            return o instanceof External e && e.node == node && e.at.equals(at);
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(node) * 31 + at.hashCode();
        }
    }

    /** What a group reads from outside. */
    Set<External> external(Group g) {
        Set<External> reads = new LinkedHashSet<>();
        Operands.Context context = context(g);
        for (Node m : g.members()) {
            for (int k = 0; k < m.inputs().size(); k++) {
                for (List<Index> at : g.at(m)) {
                    Node in = m.input(k);
                    if (g.contains(in)) continue;
                    List<Index> p = g.isSplit(m) ? at : Operands.index(m, k, at, context);
                    while (in.op() instanceof View && !g.contains(in)) {
                        p = Operands.index(in, 0, p, context);
                        in = in.input(0);
                    }
                    if (!g.contains(in) && !p.isEmpty()) reads.add(new External(in, p));
                }
            }
        }
        return reads;
    }

    /** What a group stores, and where, in the form of {@link #external}. */
    Set<External> stored(Group g) {
        Set<External> stores = new HashSet<>();
        for (Node n : g.stores())
            if (!g.isSplit(n)) stores.add(new External(n, g.at(n).getFirst()));
        return stores;
    }

    /** The variables of {@code g} by which it chooses among the rows of {@code rows}: those of the positions at which it reads values of whole rows. */
    List<Var> rowsOf(Group g, Group rows) {
        List<Var> used = new ArrayList<>();
        for (External e : external(g)) {
            if (!rows.contains(e.node)) continue;
            boolean perRow = rows.at(e.node).getFirst().stream()
                    .noneMatch(i -> rows.inner().stream().anyMatch(v -> IndexMath.mentions(i, v)));
            if (!perRow) continue;
            for (Var v : g.vars()) {
                boolean mentioned = e.at.stream().anyMatch(i -> IndexMath.mentions(i, v));
                if (mentioned && !used.contains(v)) used.add(v);
            }
        }
        used.sort(Comparator.comparingInt(g.vars()::indexOf));
        return used;
    }

    /** Positions with placeholders for what is known at run time only: one for each place where such a value is used. */
    private Operands.Context context(Group g) {
        return new Operands.Context() {
            @Override
            public Index data(Node node, int k, List<Index> at, long bound) {
                List<Object> key = List.of(new Identity(node), k, at);
                Expr face = placeholders.get(key);
                if (face == null) {
                    face = new Expr.Arg(io.sinter.ir.DType.I64, -1 - placeholders.size());
                    placeholders.put(key, face);
                }
                return IndexMath.data(face, bound);
            }

            @Override
            public List<Var> reduced(Node reduce) {
                return g.reduced(reduce);
            }
        };
    }

    private record Identity(Node node) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Identity i && i.node == node;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(node);
        }
    }
}
