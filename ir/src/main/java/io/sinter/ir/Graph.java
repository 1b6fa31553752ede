// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.op.Input;
import java.util.ArrayList;
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
        return new Graph(inputs, reachable(outputs), outputs, donations);
    }

    private static List<Node> reachable(List<Node> outputs) {
        List<Node> order = new ArrayList<>();
        Set<Node> done = Collections.newSetFromMap(new IdentityHashMap<>());
        // Explicit stack: traces are thousands of nodes deep.
        java.util.ArrayDeque<Object[]> stack = new java.util.ArrayDeque<>();
        for (Node root : outputs) {
            if (done.contains(root)) continue;
            stack.push(new Object[] {root, 0});
            while (!stack.isEmpty()) {
                Object[] frame = stack.peek();
                Node n = (Node) frame[0];
                int next = (Integer) frame[1];
                if (done.contains(n)) {
                    stack.pop();
                } else if (next < n.inputs().size()) {
                    frame[1] = next + 1;
                    Node in = n.input(next);
                    if (!done.contains(in)) stack.push(new Object[] {in, 0});
                } else {
                    done.add(n);
                    if (!(n.op() instanceof Input)) order.add(n);
                    stack.pop();
                }
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
