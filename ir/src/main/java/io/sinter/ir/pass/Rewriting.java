// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.op.Input;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** What became of each node while a pass walks a graph in order. */
final class Rewriting {
    private final Graph graph;
    private Map<Node, Node> replacements = Map.of();

    Rewriting(Graph graph) {
        this.graph = graph;
    }

    /** From here on, uses of {@code old} read {@code now}. */
    void replace(Node old, Node now) {
        if (old == now) return;
        // What is replaced changes what reads it: a pass replaces nothing, or much.
        if (replacements.isEmpty())
            replacements = new IdentityHashMap<>(graph.nodes().size());
        replacements.put(old, now);
    }

    /** What stands for {@code old} now. */
    Node now(Node old) {
        return replacements.getOrDefault(old, old);
    }

    /** The node with its operands brought up to date: itself if none changed. */
    Node updated(Node n) {
        List<Node> operands = updated(n.inputs());
        return operands == n.inputs() ? n : new Node(n.op(), operands, n.types(), n.origin());
    }

    /** What stands for each of these nodes now: the list itself if nothing else does. */
    private List<Node> updated(List<Node> nodes) {
        if (replacements.isEmpty()) return nodes;
        for (int i = 0; i < nodes.size(); i++) {
            if (now(nodes.get(i)) == nodes.get(i)) continue;
            List<Node> now = new ArrayList<>(nodes);
            now.replaceAll(this::now);
            return now;
        }
        return nodes;
    }

    /**
     * The rewritten graph: the nodes that its outputs still need; inputs and donations as they
     * were. The graph itself if nothing has changed.
     */
    Graph finish() {
        List<Node> outputs = updated(graph.outputs());
        return graph.with(outputs, donations(outputs));
    }

    /**
     * A donation ends where the output has become an input itself: another one's memory, or its
     * own, which need not be written.
     */
    private List<Integer> donations(List<Node> outputs) {
        List<Integer> donations = new ArrayList<>(graph.donations());
        for (int i = 0; i < outputs.size(); i++) {
            if (!(outputs.get(i).op() instanceof Input in)) continue;
            // An output that is this input must not see it overwritten by another output.
            int writer = donations.indexOf(in.number());
            if (writer >= 0 && writer != i) donations.set(writer, -1);
        }
        return donations;
    }
}
