// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Nodes that become one kernel, and the space that the kernel iterates over. A group of loops has one variable for each axis of its space; where
 * it holds reductions some of the variables are {@link #inner}: they are summed over, within a row that the other variables choose.
 * Every member knows the positions at which it is evaluated, in terms of these variables.
 */
public final class Group {
    /** What kind of kernel a group becomes. */
    public enum Kind {
        /** Loops with scalar code: elementwise, row and column kernels. */
        LOOPS,
        /** A template (matrix product, convolution) with its epilogue. */
        TEMPLATE,
        /** One operator by itself, with a lowering of its own or a library routine. */
        SINGLE
    }

    /**
     * Rows that reductions by blocks take together.
     *
     * @param rows the variables that number them, outermost first
     * @param size rows of a block
     */
    public record Blocks(List<Var> rows, long size) {}

    private final int id;
    private Kind kind;
    private Node anchor;
    private List<Var> vars;
    private Set<Var> inner = Set.of();
    private final Map<Node, List<List<Index>>> at = new IdentityHashMap<>();
    private final Map<Node, List<Var>> reduced = new IdentityHashMap<>();
    private final List<Node> members = new ArrayList<>();
    private final List<Node> stores = new ArrayList<>();
    private Blocks blocks;
    /** Concatenations that are stored part by part. */
    private final Set<Node> split = java.util.Collections.newSetFromMap(new IdentityHashMap<>());

    private final Set<Group> successors = new LinkedHashSet<>();
    private final Set<Group> predecessors = new LinkedHashSet<>();
    /** Longest way over {@link #successors} to a group that has none: a group reaches lower ones only. */
    private int height;

    /** How often a search has begun here, and the last search that came by. */
    private int searches;

    private Group seenBy;
    private int seenIn;

    private boolean update;
    private int weight;

    Group(int id, Kind kind, Node anchor, List<Var> vars) {
        this.id = id;
        this.kind = kind;
        this.anchor = anchor;
        this.vars = vars;
    }

    /** Number in order of creation: from the program's results backwards. */
    public int id() {
        return id;
    }

    public Kind kind() {
        return kind;
    }

    /** The template, the single operator, or the node that the group began with. */
    public Node anchor() {
        return anchor;
    }

    /** Variables of the space, outermost first; axes of extent 1 have none. */
    public List<Var> vars() {
        return vars;
    }

    /** The variables that reductions run over; empty for elementwise groups. */
    public Set<Var> inner() {
        return inner;
    }

    /** The blocks of rows that some of the members reduce; null if none does. */
    public Blocks blocks() {
        return blocks;
    }

    /** True of a row kernel in which blocks of its rows are reduced column by column, beside what it does in each row. */
    public boolean sumsBesideRows() {
        return blocks != null && !inner.containsAll(blocks.rows);
    }

    /** Nodes computed inside, consumers before producers. */
    public List<Node> members() {
        return members;
    }

    /** Members whose values are stored. */
    public List<Node> stores() {
        return stores;
    }

    /**
     * True of a stored concatenation whose parts the kernel computes side by side: the space is that of one part, and at its position stands that of
     * every part.
     */
    public boolean isSplit(Node n) {
        return split.contains(n);
    }

    boolean hasSplit() {
        return !split.isEmpty();
    }

    /** Groups that read a stored value. */
    public Set<Group> successors() {
        return java.util.Collections.unmodifiableSet(successors);
    }

    /** Groups that store a value which this one reads. */
    public Set<Group> predecessors() {
        return java.util.Collections.unmodifiableSet(predecessors);
    }

    /** True if it writes state in place (an optimizer's update): kept apart from producers, to be launched with its likes. */
    public boolean update() {
        return update;
    }

    public boolean contains(Node n) {
        return at.containsKey(n);
    }

    /** Positions at which a member is evaluated. */
    public List<List<Index>> at(Node n) {
        return at.get(n);
    }

    /** Variables of a member reduction's axes, ascending. */
    public List<Var> reduced(Node reduce) {
        List<Var> v = reduced.get(reduce);
        if (v == null) throw new IllegalStateException(reduce.op().name() + " is not in this group");
        return v;
    }

    /** Rough size of the code. */
    public int weight() {
        return weight;
    }

    void add(Node n, List<List<Index>> positions, int opWeight) {
        at.put(n, positions);
        members.add(n);
        weight += opWeight * positions.size();
    }

    void addSplit(Node concat, List<Index> part, int opWeight) {
        add(concat, List.of(part), opWeight);
        split.add(concat);
    }

    void addReduction(Node n, List<List<Index>> positions, List<Var> over, Set<Var> innerVars, int opWeight) {
        add(n, positions, opWeight);
        reduced.put(n, over);
        for (Var v : innerVars) {
            if (!vars.contains(v)) {
                List<Var> all = new ArrayList<>(vars);
                all.add(v);
                vars = List.copyOf(all);
            }
        }
        inner = innerVars;
    }

    void addBlocks(Node n, List<Index> at, List<Var> over, Blocks rows, int opWeight) {
        addReduction(n, List.of(at), over, new LinkedHashSet<>(rows.rows), opWeight);
        blocks = rows;
    }

    /** What comes from elsewhere reduces blocks of this group's rows. */
    void sumBesideRows(Blocks rows) {
        blocks = rows;
    }

    /** The variables that rows run over, known before their first reduction has joined. */
    void startRows(Set<Var> rows) {
        inner = rows;
    }

    /** {@code later} reads a stored value of this group. */
    void runBefore(Group later) {
        if (later == this || !successors.add(later)) return;
        later.predecessors.add(this);
        // Heights rise along the ways that lead here; no way leads back, so this ends.
        java.util.ArrayDeque<Group> todo = new java.util.ArrayDeque<>(List.of(this));
        while (!todo.isEmpty()) {
            Group g = todo.pop();
            int h = g.height;
            for (Group s : g.successors) h = Math.max(h, s.height + 1);
            if (h == g.height) continue;
            g.height = h;
            todo.addAll(g.predecessors);
        }
    }

    /** True if {@code to} can be reached over stored values (every group reaches itself). */
    boolean reaches(Group to) {
        if (this == to) return true;
        if (height <= to.height) return false;
        searches++;
        java.util.ArrayDeque<Group> todo = new java.util.ArrayDeque<>(List.of(this));
        while (!todo.isEmpty()) {
            for (Group s : todo.pop().successors) {
                if (s == to) return true;
                if (s.height <= to.height || s.seenBy == this && s.seenIn == searches) continue;
                s.seenBy = this;
                s.seenIn = searches;
                todo.push(s);
            }
        }
        return false;
    }

    void becomeTemplate(Node template) {
        kind = Kind.TEMPLATE;
        anchor = template;
    }

    void markUpdate() {
        update = true;
    }

    /** Puts the members back in order, consumers before producers, after some have come from elsewhere. */
    void order(java.util.Comparator<Node> consumersFirst) {
        members.sort(consumersFirst);
    }

    /** Takes in all of {@code other}, whose positions {@code rename} expresses in this group's variables. */
    void absorb(Group other, java.util.function.UnaryOperator<List<Index>> rename, Map<Var, Var> vars) {
        for (Node n : other.members) {
            List<List<Index>> positions = new ArrayList<>(contains(n) ? at.get(n) : List.of());
            for (List<Index> p : other.at.get(n))
                if (!positions.contains(rename.apply(p))) positions.add(rename.apply(p));
            if (!contains(n)) members.add(n);
            at.put(n, positions);
            List<Var> over = other.reduced.get(n);
            if (over != null)
                reduced.put(n, over.stream().map(v -> vars.getOrDefault(v, v)).toList());
        }
        for (Node n : other.stores) if (!stores.contains(n)) stores.add(n);
        split.addAll(other.split);
        for (Group s : List.copyOf(other.successors)) {
            s.predecessors.remove(other);
            runBefore(s);
        }
        for (Group p : List.copyOf(other.predecessors)) {
            p.successors.remove(other);
            p.runBefore(this);
        }
        weight += other.weight;
    }

    @Override
    public String toString() {
        return "group" + id + " " + kind + " "
                + members.stream().map(n -> n.op().name()).toList();
    }
}
