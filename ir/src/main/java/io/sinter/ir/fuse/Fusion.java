// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.lower.Resident;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.CheckIndex;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Iota;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides which nodes become one kernel. Nodes are visited from the results backwards; each joins the group of its readers where the
 * {@linkplain FusionRules rules} allow it, or begins a group of its own. Views belong to no group: they are index expressions of their readers.
 *
 * <ul>
 *   <li>pointwise into its readers, through views; as an extra result where it is read elsewhere too; computed again in every reader where that
 *       is cheaper than storing it
 *   <li>a reduction into readers over the same rows: row and column kernels (softmax, norms and their gradients)
 *   <li>a matrix product or convolution into the pointwise code that follows it: its epilogue
 *   <li>an optimizer's update keeps to itself, so that all parameters' updates are one launch
 * </ul>
 */
public final class Fusion {
    /** How much code a kernel may be, roughly in operations: HotSpot does not compile methods over 8,000 bytes. */
    public static final int MAX_WEIGHT = 220;

    private static final int LEAST_WEIGHT = 16;

    /** Parts of a concatenation, and neighbouring elements of one, from which on it is stored part by part. */
    private static final int MAX_SPLIT = 8;

    private static final long SPLIT_RUN = 16;

    /**
     * What kernels may be.
     *
     * @param maxWeight of one ({@link #MAX_WEIGHT}, less where that turned out to be too much code)
     * @param largeTasks as in {@link io.sinter.ir.Capabilities}
     * @param repeats as there
     */
    public record Limits(int maxWeight, boolean largeTasks, int repeats) {}

    private final Graph graph;
    private final Map<Node, List<Node>> users;
    private final Map<Node, Integer> position = new IdentityHashMap<>();
    private final Map<Node, List<Group>> groupsOf = new IdentityHashMap<>();
    private final Set<Node> outputs = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Node> donated = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Node> copies = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Group> groups = new ArrayList<>();
    private final List<Refusal> refusals = new ArrayList<>();
    private final Reads reads;
    private final FusionRules rules;
    private final Repeats repeats;

    /**
     * A place where fusion said no.
     *
     * @param into the kernel of a reader; it may have become part of another one since
     */
    public record Refusal(Node producer, Group into, String reason) {}

    /** The groups in an order in which they can run, and what was refused. */
    public record Result(List<Group> groups, List<Refusal> refusals) {}

    private Fusion(Graph graph, Limits limits) {
        this.graph = graph;
        this.users = graph.users();
        this.repeats = new Repeats(limits.repeats, users, outputs);
        this.reads = new Reads(users, copies);
        this.rules = new FusionRules(limits.maxWeight, outputs, donated, groupsOf, reads);
    }

    /** The weight to try where {@code weight} turned out to be too much code; 0 if there is none. */
    public static int less(int weight) {
        return weight < LEAST_WEIGHT ? 0 : weight / 2;
    }

    /** The groups of a graph. */
    public static Result run(Graph graph, Limits limits) {
        Fusion f = new Fusion(graph, limits);
        f.prepare();
        for (Node n : graph.nodes().reversed()) f.visit(n);
        for (Node n : graph.inputs()) if (f.copies.contains(n)) f.begin(n, Group.Kind.LOOPS, false);
        List<Group> merged = Siblings.merge(f.order(f.groups), f, f.reads, limits);
        return new Result(f.order(merged), f.refusals);
    }

    // ---- what a node is

    static boolean isPointwise(Op op) {
        return switch (op) {
            case Elementwise _, Iota _, RandomBits _, Take _, Gather _, CheckIndex _, Concat _ -> true;
            default -> false;
        };
    }

    private static boolean isReduction(Op op) {
        return op instanceof Reduce || op instanceof BlockReduce;
    }

    static boolean isTemplate(Op op) {
        return switch (op) {
            case Matmul _, Conv _, ConvInputGrad _, ConvWeightGrad _ -> true;
            default -> false;
        };
    }

    /** True if a node is computed by a group (leaves and views are not). */
    static boolean isValue(Node n) {
        return !(n.op() instanceof View
                || n.op() instanceof Project
                || n.op() instanceof Constant
                || n.op() instanceof Input);
    }

    /** The node whose buffer holds the same bytes: under reshapes. */
    public static Node storage(Node n) {
        while (n.op() instanceof Reshape) n = n.input(0);
        return n;
    }

    /** Views and leaves that must be copied into a buffer of their own: results of the program, operands of library routines and loops. */
    public static Set<Node> copies(Graph graph) {
        Set<Node> copies = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Node> owned = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node o : graph.outputs()) {
            if (o.op() instanceof Input in && !in.scalar()) continue;
            Node s = storage(o);
            // A result is its own buffer; two results that are reshapes of one value need two.
            boolean direct = isValue(s) || s.op() instanceof Project;
            if (o == s && direct) owned.add(o);
            else if (!direct || !owned.add(s)) copies.add(o);
        }
        for (Node n : graph.nodes()) {
            if (n.op() instanceof Loop loop) {
                for (int i = 0; i < n.inputs().size(); i++) {
                    Node in = n.input(i);
                    if (in.type().numel() > 0 && Resident.of(in, loop, i, copies::contains) == null) copies.add(in);
                }
            }
            if (!(n.op() instanceof Routine)) continue;
            for (Node in : n.inputs()) {
                Node s = storage(in);
                boolean direct = isValue(s) || s.op() instanceof Project || (s.op() instanceof Input i && !i.scalar());
                if (!direct) copies.add(in);
            }
        }
        return copies;
    }

    private void prepare() {
        int i = 0;
        for (Node n : graph.nodes()) position.put(n, i++);
        copies.addAll(copies(graph));
        for (int k = 0; k < graph.outputs().size(); k++) {
            Node o = graph.outputs().get(k);
            Node s = copies.contains(o) ? o : storage(o);
            outputs.add(s);
            if (graph.donations().get(k) >= 0) donated.add(s);
        }
    }

    private void visit(Node n) {
        boolean copy = copies.contains(n);
        if (n.types().size() == 1 && n.type().numel() == 0) return;
        if (!isValue(n) && !copy) return;
        if (copy) {
            Group g = begin(n, Group.Kind.LOOPS, false);
            // Only library routines read the copy; everybody else reads through the view.
            for (Node u : users.getOrDefault(n, List.of())) {
                for (Group other : groupsOf.getOrDefault(u, List.of())) {
                    if (other.kind() == Group.Kind.SINGLE) g.runBefore(other);
                }
            }
            return;
        }
        List<Reads.Read> readers = reads.of(n);
        if (n.types().size() > 1 || !(isPointwise(n.op()) || isReduction(n.op()) || isTemplate(n.op()))) {
            begin(n, Group.Kind.SINGLE, true);
            refuseAll(n, readers, "'" + n.op().name() + "' is a kernel or a library call of its own");
            return;
        }
        Set<Group> inline = new LinkedHashSet<>();
        boolean stored = outputs.contains(n);
        for (Reads.Read r : readers) {
            for (Group g : groupsOf.getOrDefault(r.consumer(), List.of())) {
                if (g.kind() == Group.Kind.SINGLE || (g.kind() == Group.Kind.TEMPLATE && g.anchor() == r.consumer())) {
                    stored = true;
                    refuse(n, g, "'" + r.consumer().op().name() + "' reads its operands from memory");
                } else {
                    inline.add(g);
                }
            }
        }
        if (inline.isEmpty()) {
            if (stored || !readers.isEmpty() || outputs.contains(n)) begin(n, kindOf(n), true);
            return;
        }
        if (!stored && inline.size() == 1) {
            if (join(n, inline.iterator().next(), readers, false)) return;
            begin(n, kindOf(n), true);
            return;
        }
        if (!stored && isPointwise(n.op()) && repeats.isCheap(n)) {
            boolean all = true;
            for (Group g : inline)
                all &= !Repeats.isMuch(n, g) && rules.check(n, g, readers, false) == FusionDecision.YES;
            if (all) {
                for (Group g : inline) join(n, g, readers, false);
                return;
            }
        }
        List<Group> candidates = new ArrayList<>(inline);
        candidates.sort(Comparator.comparingInt(this::earliest));
        for (Group g : candidates) {
            boolean joined = join(n, g, readers, true);
            inline.remove(g);
            if (!joined) continue;
            for (Group other : inline) refuse(n, other, "another kernel computes it and stores it for all its readers");
            return;
        }
        begin(n, kindOf(n), true);
    }

    private void refuse(Node n, Group into, String reason) {
        refusals.add(new Refusal(n, into, reason));
    }

    private void refuseAll(Node n, List<Reads.Read> readers, String reason) {
        Set<Group> into = new LinkedHashSet<>();
        for (Reads.Read r : readers) into.addAll(groupsOf.getOrDefault(r.consumer(), List.of()));
        for (Group g : into) refuse(n, g, reason);
    }

    private static Group.Kind kindOf(Node n) {
        return isTemplate(n.op()) ? Group.Kind.TEMPLATE : Group.Kind.LOOPS;
    }

    private int earliest(Group g) {
        int e = Integer.MAX_VALUE;
        for (Node n : g.members()) e = Math.min(e, position.getOrDefault(n, 0));
        return e;
    }

    // ---- starting and joining groups

    private Group begin(Node n, Group.Kind kind, boolean connect) {
        List<Var> vars = new ArrayList<>();
        Group g;
        if (kind == Group.Kind.SINGLE) {
            g = new Group(groups.size(), kind, n, List.of());
            g.add(n, List.of(), 0);
        } else if (n.op() instanceof BlockReduce b) {
            g = blocks(n, b);
        } else {
            List<Index> at = new ArrayList<>();
            boolean split = connect && n.op() instanceof Concat c && splits(n, c);
            Shape space = (split ? n.input(0) : n).shape();
            for (int x = 0; x < space.rank(); x++) at.add(axis(vars, "i" + x, space.dim(x)));
            g = new Group(groups.size(), kind, n, List.copyOf(vars));
            if (n.op() instanceof Reduce r) addReduction(g, n, r, List.of(at));
            else if (split) g.addSplit(n, at, Cost.splitCode(n));
            else g.add(n, List.of(at), Cost.code(n));
        }
        groups.add(g);
        g.stores().add(n);
        if (donated.contains(n)) g.markUpdate();
        groupsOf.computeIfAbsent(n, _ -> new ArrayList<>()).add(g);
        if (connect) connect(n, g);
        return g;
    }

    /** A group over rows and columns: the block is a quotient of the row's number. */
    private Group blocks(Node n, BlockReduce b) {
        Shape x = n.input(0).shape();
        List<Var> vars = new ArrayList<>();
        List<Var> over = new ArrayList<>();
        List<Index> row = new ArrayList<>();
        for (int i = 0; i < b.axes(); i++) {
            Var v = new Var("r" + i, Coef.of(x.dim(i)));
            over.add(v);
            row.add(IndexMath.var(v));
            if (x.dim(i) > 1) vars.add(v);
        }
        Group.Blocks rows = new Group.Blocks(List.copyOf(vars), b.block());
        long[] extents = Arrays.copyOf(x.toArray(), b.axes());
        List<Index> at = new ArrayList<>(List.of(IndexMath.div(IndexMath.linear(row, extents), b.block())));
        for (int i = b.axes(); i < x.rank(); i++) at.add(axis(vars, "i" + i, x.dim(i)));
        Group g = new Group(groups.size(), Group.Kind.LOOPS, n, List.copyOf(vars));
        g.addBlocks(n, at, over, rows, Cost.code(n));
        return g;
    }

    /** The concatenation is stored part by part: its parts are alike, and long enough to be written as vectors. */
    private static boolean splits(Node n, Concat c) {
        if (n.inputs().size() > MAX_SPLIT) return false;
        for (Node in : n.inputs()) if (!in.type().equals(n.input(0).type())) return false;
        long run = 1;
        for (int x = c.axis(); x < n.shape().rank(); x++)
            run *= n.input(0).shape().dim(x);
        return run >= SPLIT_RUN;
    }

    private static Index axis(List<Var> vars, String name, long extent) {
        if (extent == 1) return Index.ZERO;
        Var v = new Var(name, Coef.of(extent));
        vars.add(v);
        return IndexMath.var(v);
    }

    private void connect(Node n, Group g) {
        connectReaders(n, g);
        // Several results are read through their projections.
        for (Node u : users.getOrDefault(n, List.of())) if (u.op() instanceof Project) connectReaders(u, g);
    }

    private void connectReaders(Node n, Group g) {
        for (Reads.Read r : reads.of(n)) {
            for (Group other : groupsOf.getOrDefault(r.consumer(), List.of())) g.runBefore(other);
        }
    }

    /** New variables for the axes of a reduction that starts the rows of its group. */
    private static void addReduction(Group g, Node n, Reduce r, List<List<Index>> at) {
        int[] axes = r.axes().clone();
        Arrays.sort(axes);
        List<Var> over = new ArrayList<>();
        Set<Var> inner = new LinkedHashSet<>();
        for (int x : axes) {
            Var v = new Var("r" + x, Coef.of(n.input(0).shape().dim(x)));
            over.add(v);
            if (!v.extent().is(1)) inner.add(v);
        }
        g.addReduction(n, at, over, inner, Cost.code(n));
    }

    private boolean join(Node n, Group g, List<Reads.Read> readers, boolean store) {
        FusionDecision d = rules.check(n, g, readers, store);
        if (d instanceof FusionDecision.No no) {
            refuse(n, g, no.reason());
            return false;
        }
        List<List<Index>> at = reads.positions(n, g, readers);
        if (n.op() instanceof Reduce r) {
            List<Var> over = Spaces.match(r, n, g, at.getFirst());
            if (over == null) addReduction(g, n, r, at);
            else
                g.addReduction(
                        n, at, over, g.inner().isEmpty() ? Spaces.rest(g, at.getFirst()) : g.inner(), Cost.code(n));
        } else {
            // A value per row, above a reduction that is about to join: the group's rows are known from here on.
            boolean perRow = store ? !Spaces.covers(n, g, at.getFirst()) : Cost.expensive(n);
            if (perRow && at.size() == 1 && Spaces.followsReduction(n, g, at.getFirst()))
                g.startRows(Spaces.rest(g, at.getFirst()));
            g.add(n, at, Cost.code(n));
            if (isTemplate(n.op())) g.becomeTemplate(n);
        }
        groupsOf.computeIfAbsent(n, _ -> new ArrayList<>()).add(g);
        if (store) {
            g.stores().add(n);
            if (donated.contains(n)) g.markUpdate();
            connect(n, g);
        }
        return true;
    }

    /** Group {@code from} has become part of {@code to}: which need not store any more what only {@code from} read. */
    void moved(Group from, Group to) {
        groups.remove(from);
        for (Node n : from.members()) {
            List<Group> of = groupsOf.get(n);
            of.remove(from);
            if (!of.contains(to)) of.add(to);
        }
        to.order(Comparator.comparingInt((Node n) -> position.getOrDefault(n, -1))
                .reversed());
        to.stores().removeIf(n -> !outputs.contains(n) && isReadInside(n, to));
    }

    private boolean isReadInside(Node n, Group g) {
        for (Reads.Read r : reads.of(n)) {
            if (!groupsOf.getOrDefault(r.consumer(), List.of()).equals(List.of(g))) return false;
        }
        return true;
    }

    // ---- order

    /** Topological, by the place of the last stored value in the program where there is a choice. */
    private List<Group> order(List<Group> all) {
        Map<Group, Integer> waiting = new IdentityHashMap<>();
        Map<Group, Integer> place = new IdentityHashMap<>();
        for (Group g : all) {
            waiting.putIfAbsent(g, 0);
            for (Group s : g.successors()) if (s != g) waiting.merge(s, 1, Integer::sum);
            int p = 0;
            for (Node n : g.stores()) p = Math.max(p, position.getOrDefault(n, 0));
            place.put(g, p);
        }
        var ready = new java.util.PriorityQueue<Group>(
                Comparator.<Group>comparingInt(place::get).thenComparingInt(g -> -g.id()));
        for (Group g : all) if (waiting.get(g) == 0) ready.add(g);
        List<Group> order = new ArrayList<>();
        while (!ready.isEmpty()) {
            Group g = ready.poll();
            order.add(g);
            for (Group s : g.successors()) if (s != g && waiting.merge(s, -1, Integer::sum) == 0) ready.add(s);
        }
        if (order.size() != all.size()) throw new IllegalStateException("fusion made a cycle of kernels");
        return order;
    }
}
