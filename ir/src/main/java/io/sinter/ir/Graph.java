// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.op.Input;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A program: nodes in topological order, its inputs, its results, and which results take over an input's memory.
 *
 * @param inputs the {@link Input} nodes in argument order; all are listed, used or not
 * @param nodes every other node, each after its operands
 * @param outputs the results in order; an input may be an output, and a node may occur twice
 * @param donations for each output, the index of the input whose buffer it may overwrite (state updates), or -1; no input is donated twice
 */
public record Graph(List<Node> inputs, List<Node> nodes, List<Node> outputs, List<Integer> donations) {
    public Graph {
        inputs = List.copyOf(inputs);
        nodes = List.copyOf(nodes);
        outputs = List.copyOf(outputs);
        donations = List.copyOf(donations);
        if (donations.size() != outputs.size()) throw new IllegalArgumentException("one donation entry per output");
    }

    /** A graph of the nodes that {@code outputs} need, in an order that visits operands first, left to right. */
    public static Graph of(List<Node> inputs, List<Node> outputs, List<Integer> donations) {
        return new Graph(inputs, reachable(outputs, 32), outputs, donations);
    }

    /**
     * This graph with other results, of the nodes that they need, in the order of {@link #of}; itself if the results are the same nodes (a node holds all that it is
     * computed from) and the donations the same.
     */
    public Graph with(List<Node> outputs, List<Integer> donations) {
        if (same(outputs, this.outputs) && donations.equals(this.donations)) return this;
        return new Graph(inputs, reachable(outputs, inputs.size() + nodes.size()), outputs, donations);
    }

    /** This graph in the order of {@link #of}, without what its results do not need. */
    public Graph ordered() {
        return new Graph(inputs, reachable(outputs, inputs.size() + nodes.size()), outputs, donations);
    }

    private static boolean same(List<Node> a, List<Node> b) {
        if (a.size() != b.size()) return false;
        for (int i = 0; i < a.size(); i++) if (a.get(i) != b.get(i)) return false;
        return true;
    }

    /** @param expected about how many nodes there are */
    private static List<Node> reachable(List<Node> outputs, int expected) {
        List<Node> order = new ArrayList<>(expected);
        // Nodes that have been met: those on the stack are not met again either, as there are no cycles.
        Set<Node> met = Collections.newSetFromMap(new IdentityHashMap<>(expected));
        // Explicit stack: traces are thousands of nodes deep.
        Node[] stack = new Node[64];
        int[] next = new int[64];
        int depth = 0;
        for (Node root : outputs) {
            if (!met.add(root)) continue;
            stack[depth] = root;
            next[depth++] = 0;
            while (depth > 0) {
                Node n = stack[depth - 1];
                int k = next[depth - 1]++;
                if (k == n.inputs().size()) {
                    if (!(n.op() instanceof Input)) order.add(n);
                    depth--;
                    continue;
                }
                Node in = n.input(k);
                if (!met.add(in)) continue;
                if (depth == stack.length) {
                    stack = Arrays.copyOf(stack, 2 * depth);
                    next = Arrays.copyOf(next, 2 * depth);
                }
                stack[depth] = in;
                next[depth++] = 0;
            }
        }
        return order;
    }

    /** Consumers of each node, once per operand place, in program order. */
    public Map<Node, List<Node>> users() {
        Map<Node, List<Node>> users = new IdentityHashMap<>();
        for (Node n : nodes)
            for (Node in : n.inputs())
                users.computeIfAbsent(in, _ -> new ArrayList<>()).add(n);
        return users;
    }
}
