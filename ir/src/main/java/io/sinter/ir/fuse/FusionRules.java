// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.IndexMath;
import io.sinter.ir.loop.Var;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Gather;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.View;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which nodes may join which groups of their readers, as {@link Fusion} goes through a graph; and why not. */
final class FusionRules {
    private static final int MAX_MEMBERS = 80;
    static final int MAX_STORES = 12;

    /** With fewer rows than this a row kernel leaves the device idle, unless there is next to nothing to do. */
    static final long FEW_ROWS = 8;

    static final long SMALL = 1 << 14;

    private final int maxWeight;
    private final Set<Node> outputs;
    private final Set<Node> donated;
    private final Map<Node, List<Group>> groupsOf;
    private final Reads reads;

    /**
     * @param maxWeight of a kernel
     * @param outputs nodes whose buffers are results
     * @param donated results that are written over an argument
     * @param groupsOf the groups that each node is in so far
     */
    FusionRules(int maxWeight, Set<Node> outputs, Set<Node> donated, Map<Node, List<Group>> groupsOf, Reads reads) {
        this.maxWeight = maxWeight;
        this.outputs = outputs;
        this.donated = donated;
        this.groupsOf = groupsOf;
        this.reads = reads;
    }

    /**
     * Whether a node may be computed in a group of its readers.
     *
     * @param readers what reads the node, through views
     * @param store the group stores it too: somebody else reads it
     */
    FusionDecision check(Node n, Group g, List<Reads.Read> readers, boolean store) {
        if (n.op() instanceof BlockReduce) return FusionDecision.no("blocks of rows are what its kernel goes by");
        if (g.weight() + Cost.code(n) > maxWeight || g.members().size() >= MAX_MEMBERS) {
            return FusionDecision.no("the kernel would be too large");
        }
        if (store && g.stores().size() >= MAX_STORES)
            return FusionDecision.no("the kernel would have too many results");
        // (What others need, too, would come as late as the update.)
        if (g.update() && (store || outputs.contains(n) || !Fusion.isPointwise(n.op())) && !donated.contains(n)) {
            return FusionDecision.no("an update of state is kept apart, to be launched with its likes");
        }
        for (Reads.Read r : readers) {
            if (g.kind() == Group.Kind.TEMPLATE && r.consumer() == g.anchor()) {
                return FusionDecision.no("the kernel's template needs all of it before its epilogue runs");
            }
        }
        List<List<Index>> at = reads.positions(n, g, readers);
        if (at == null || at.isEmpty()) return FusionDecision.no("it is read at positions that are not known");
        if (at.size() > 4) return FusionDecision.no("it is read at too many positions");
        if (at.size() > 1 && (store || !Fusion.isPointwise(n.op())))
            return FusionDecision.no("it is read at several positions");
        if (at.size() > 1 && looksUp(n, 3))
            return FusionDecision.no("it looks elements up, and would do so at several positions");
        if (store && !Spaces.covers(n, g, at.getFirst()) && !Spaces.followsReduction(n, g, at.getFirst())) {
            return FusionDecision.no(
                    "it is needed elsewhere too, and the kernel does not compute every element exactly once");
        }
        if (store && g.blocks() != null && n.op() instanceof Concat)
            return FusionDecision.no("it is needed elsewhere too, and a kernel of its own stores it part by part");
        if (store && g.blocks() != null && !Spaces.isEveryElement(g, at.getFirst()))
            return FusionDecision.no("it is needed elsewhere too, and each block of rows would compute it");
        if (store) {
            for (Reads.Read r : readers) {
                for (Group h : groupsOf.getOrDefault(r.consumer(), List.of())) {
                    if (h != g && h.reaches(g)) return FusionDecision.no("the kernels would wait for each other");
                }
            }
        }
        if (n.op() instanceof Reduce r) return checkReduction(n, r, g, at.getFirst());
        if (Fusion.isTemplate(n.op())) return checkTemplate(n, g, at.getFirst());
        return checkPointwise(n, g, at);
    }

    /** Whether a value, or what it is computed from in a few steps, is looked up by indices: single elements, which costs more than arithmetic. */
    private static boolean looksUp(Node n, int steps) {
        if (n.op() instanceof Take || n.op() instanceof Gather) return true;
        if (steps == 0 || !(n.op() instanceof Elementwise)) return false;
        for (Node in : n.inputs()) {
            Node s = in;
            while (s.op() instanceof View) s = s.input(0);
            if (looksUp(s, steps - 1)) return true;
        }
        return false;
    }

    private FusionDecision checkPointwise(Node n, Group g, List<List<Index>> at) {
        if (!Cost.expensive(n) || Repeats.isHostScalar(n)) return FusionDecision.YES;
        if (at.size() > 1) return FusionDecision.no("it is expensive and would be computed at several positions");
        // Each element is computed once for every combination of variables that its position does not mention, unless
        // it belongs to a whole row.
        long evaluations = 1;
        boolean rowLevel = true;
        for (Var v : g.vars()) {
            boolean used = at.getFirst().stream().anyMatch(i -> IndexMath.mentions(i, v));
            if (used && g.inner().contains(v)) rowLevel = false;
        }
        for (Var v : g.vars())
            if (!(rowLevel && g.inner().contains(v))) evaluations *= v.extent().lit();
        if (evaluations > 2 * n.type().numel() && !Spaces.followsReduction(n, g, at.getFirst()))
            return FusionDecision.no("it is expensive and would be computed again for every repeated element");
        return FusionDecision.YES;
    }

    private FusionDecision checkTemplate(Node n, Group g, List<Index> at) {
        if (g.kind() != Group.Kind.LOOPS) return FusionDecision.no("the kernel has a template already");
        if (!g.inner().isEmpty()) return FusionDecision.no("a template's epilogue is elementwise; this kernel reduces");
        for (Node m : g.members()) {
            if (m.op() instanceof Concat || m.op() instanceof View)
                return FusionDecision.no("a template's epilogue is elementwise");
        }
        long numel = 1;
        for (Var v : g.vars()) numel *= v.extent().lit();
        if (numel != n.type().numel() || !Spaces.isLinear(n, g, at))
            return FusionDecision.no("the readers go through its result in another order");
        return FusionDecision.YES;
    }

    private FusionDecision checkReduction(Node n, Reduce r, Group g, List<Index> at) {
        if (g.kind() != Group.Kind.LOOPS) return FusionDecision.no("a template's epilogue is elementwise");
        if (g.hasSplit()) return FusionDecision.no("a concatenation is stored part by part, not row by row");
        if (g.blocks() != null) return FusionDecision.no("the kernel goes by blocks of rows");
        Set<Var> used = Spaces.plain(n, at);
        if (used == null) return FusionDecision.no("its readers do not go through it row by row");
        if (Spaces.match(r, n, g, at) == null && !Spaces.startsRows(g, used))
            return FusionDecision.no("the readers' rows are not the rows that it reduces");
        if (g.inner().isEmpty() && !Spaces.startsRows(g, used)) {
            long rows = 1;
            long total = 1;
            for (Var v : g.vars()) {
                total *= v.extent().lit();
                if (used.contains(v)) rows *= v.extent().lit();
            }
            if (rows < FEW_ROWS && total > SMALL) return FusionDecision.no("too few rows to fill the device");
        }
        return FusionDecision.YES;
    }
}
