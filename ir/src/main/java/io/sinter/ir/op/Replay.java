// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Emits the nodes of a graph anew, on whatever values an emitter has: how a body becomes part of what is around it. */
public final class Replay {
    private Replay() {}

    /**
     * The graph's outputs for these arguments: one {@link Emitter#emit} for each node that is no {@link Project}, in the graph's order.
     *
     * @param arguments one per input of the graph
     */
    public static <V> List<V> apply(Emitter<V> e, Graph graph, List<V> arguments) {
        Map<Node, List<V>> values = new IdentityHashMap<>();
        for (int i = 0; i < arguments.size(); i++) values.put(graph.inputs().get(i), List.of(arguments.get(i)));
        for (Node n : graph.nodes()) {
            if (n.op() instanceof Project p) {
                values.put(n, List.of(values.get(n.input(0)).get(p.index())));
                continue;
            }
            List<V> operands = new ArrayList<>(n.inputs().size());
            for (Node in : n.inputs()) operands.add(values.get(in).getFirst());
            values.put(n, e.emit(n.op(), operands));
        }
        return graph.outputs().stream().map(n -> values.get(n).getFirst()).toList();
    }
}
