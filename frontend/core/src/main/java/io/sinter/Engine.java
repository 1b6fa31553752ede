// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Reverse mode: walks the tape from roots to leaves, latest node first. Its operations are traced like any
 * others.
 */
final class Engine {
    /** A result of a node. */
    record Edge(TapeNode node, int result) {}

    private final boolean retainGraph;
    private final boolean createGraph;
    /** Gradients asked for instead of accumulated; null when leaves accumulate. */
    private final Map<Edge, Tensor> captured;

    /** What a node has got so far. */
    private static final class Visit {
        final TapeNode node;
        /** Of the nodes where its operands come from; null where no gradient is wanted. */
        final Visit[] next;
        /** How many nodes have yet to be processed before it. */
        int waits;
        /** Sums of the gradients of its results; null if there are none. */
        Tensor[] arrived;

        Visit(TapeNode node) {
            this.node = node;
            next = new Visit[node.next.length];
        }
    }

    /** In order of discovery (nodes are equal only to themselves): what is traced must not depend on addresses. */
    private final Map<TapeNode, Visit> visits = new LinkedHashMap<>();

    /** When capturing: nodes from which a captured edge can be reached. */
    private Set<TapeNode> useful;

    private Engine(boolean retainGraph, boolean createGraph, Map<Edge, Tensor> captured) {
        this.retainGraph = retainGraph;
        this.createGraph = createGraph;
        this.captured = captured;
    }

    /** {@code outputs} accumulate into the {@code grad} of the leaves that they depend on. */
    static void backward(List<Tensor> outputs, List<Tensor> seeds, boolean retainGraph, boolean createGraph) {
        new Engine(retainGraph, createGraph, null).run(outputs, seeds);
    }

    /**
     * Gradients with respect to {@code inputs}; null where an output does not depend on one. Leaves' {@code
     * grad} is left alone.
     */
    static List<Tensor> gradients(
            List<Tensor> outputs, List<Tensor> seeds, List<Tensor> inputs, boolean retainGraph, boolean createGraph) {
        List<Edge> edges =
                inputs.stream().map(x -> new Edge(x.edge(), x.resultNumber())).toList();
        return gradientsAt(outputs, seeds, edges, retainGraph, createGraph);
    }

    /** Gradients at places of the tape, which stays as it is; null where none arrives. */
    static List<Tensor> gradientsAt(List<Tensor> outputs, List<Tensor> seeds, List<Edge> edges) {
        return gradientsAt(outputs, seeds, edges, true, false);
    }

    private static List<Tensor> gradientsAt(
            List<Tensor> outputs, List<Tensor> seeds, List<Edge> edges, boolean retainGraph, boolean createGraph) {
        Map<Edge, Tensor> captured = new HashMap<>();
        for (Edge e : edges) captured.put(e, null);
        new Engine(retainGraph, createGraph, captured).run(outputs, seeds);
        List<Tensor> found = new ArrayList<>();
        for (Edge e : edges) found.add(captured.get(e));
        return found;
    }

    private void run(List<Tensor> outputs, List<Tensor> seeds) {
        Trace t = Trace.current();
        boolean gradMode = t.gradMode;
        int outer = t.beginPass();
        List<Value> outerRoots = t.passRoots;
        List<Value> values = new ArrayList<>();
        for (Tensor y : outputs) values.add(y.value());
        t.passRoots = values;
        t.consumed();
        t.depth++;
        t.busy++;
        try {
            List<Visit> roots = new ArrayList<>();
            for (Tensor y : outputs) roots.add(visits.computeIfAbsent(y.edge(), Visit::new));
            countDependencies();
            if (captured == null) runPendingGradients(t);
            t.gradMode = createGraph;
            PriorityQueue<Visit> ready = new PriorityQueue<>((a, b) -> Long.compare(b.node.sequence, a.node.sequence));
            for (int i = 0; i < outputs.size(); i++)
                arrive(roots.get(i), outputs.get(i).resultNumber(), seeds.get(i));
            for (Visit v : new LinkedHashSet<>(roots)) if (v.waits == 0) ready.add(v);
            while (!ready.isEmpty()) process(ready.poll(), ready);
        } finally {
            t.busy--;
            t.depth--;
            t.gradMode = gradMode;
            t.pass = outer;
            t.passRoots = outerRoots;
        }
    }

    /** Finds what the roots, which are visited already, lead to. */
    private void countDependencies() {
        ArrayDeque<Visit> queue = new ArrayDeque<>(visits.values());
        while (!queue.isEmpty()) {
            Visit visit = queue.poll();
            TapeNode[] next = visit.node.next;
            for (int i = 0; i < next.length; i++) {
                if (next[i] == null) continue;
                Visit known = visits.get(next[i]);
                if (known == null) {
                    known = new Visit(next[i]);
                    visits.put(next[i], known);
                    queue.add(known);
                }
                known.waits++;
                visit.next[i] = known;
            }
        }
        if (captured != null) findUseful(new ArrayList<>(visits.keySet()));
    }

    /**
     * Operands have smaller sequence numbers than results (leaves apart), so one pass in ascending order
     * suffices.
     */
    private void findUseful(List<TapeNode> all) {
        useful = new HashSet<>();
        for (Edge e : captured.keySet()) useful.add(e.node());
        all.sort((a, b) -> Long.compare(a.sequence, b.sequence));
        for (TapeNode n : all) for (TapeNode m : n.next) if (m != null && useful.contains(m)) useful.add(n);
    }

    /**
     * A backward pass that adds to a gradient that has not been computed runs it first: micro-batches do not
     * pile up.
     */
    private void runPendingGradients(Trace t) {
        List<Value> pending = new ArrayList<>();
        for (TapeNode n : visits.keySet()) {
            if (n instanceof AccumulateNode a
                    && a.leaf.gradient() != null
                    && a.leaf.gradient().value().pending())
                pending.add(a.leaf.gradient().value());
        }
        if (!pending.isEmpty() && !createGraph) t.work.runGradients(pending);
    }

    private static void arrive(Visit to, int result, Tensor grad) {
        if (to.arrived == null) to.arrived = new Tensor[to.node.results.length];
        Tensor old = to.arrived[result];
        to.arrived[result] = old == null ? grad : Dispatch.EMITTER.add(old, grad);
    }

    private void process(Visit visit, PriorityQueue<Visit> ready) {
        TapeNode n = visit.node;
        Tensor[] grads = visit.arrived;
        visit.arrived = null;
        boolean any = false;
        if (grads != null) {
            for (int i = 0; i < grads.length; i++) {
                grads[i] = n.hooked(i, grads[i]);
                any |= grads[i] != null;
                if (captured == null || grads[i] == null) continue;
                Edge e = new Edge(n, i);
                if (captured.containsKey(e)) captured.put(e, grads[i]);
            }
        }
        List<Tensor> out = List.of();
        boolean leaf = n instanceof AccumulateNode;
        if (any && !(leaf && captured != null) && (useful == null || leadsOn(n))) {
            out = n.backward(grads);
            if (!retainGraph && !leaf) n.release();
        }
        for (int i = 0; i < visit.next.length; i++) {
            Visit to = visit.next[i];
            if (to == null) continue;
            Tensor g = i < out.size() ? out.get(i) : null;
            if (g != null) arrive(to, n.nextResult[i], fit(n, g, to.node.results[n.nextResult[i]]));
            if (--to.waits == 0) ready.add(to);
        }
    }

    private boolean leadsOn(TapeNode n) {
        for (TapeNode m : n.next) if (m != null && useful.contains(m)) return true;
        return false;
    }

    private static Tensor fit(TapeNode from, Tensor g, io.sinter.ir.Type want) {
        if (g.type().equals(want)) return g;
        if (g.type().shape().equals(want.shape())) return Dispatch.EMITTER.cast(g, want.dtype());
        throw Errors.state("the gradient of " + from.name() + " (" + from.line() + ") has type " + g.type() + " where "
                + want + " is needed");
    }
}
