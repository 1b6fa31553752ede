// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Project;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a graph node by node on reference arrays: slow, and the measure of every optimization and
 * backend.
 */
public final class RefEvaluator {
    private RefEvaluator() {}

    /**
     * The graph's outputs for these arguments.
     *
     * @throws IllegalArgumentException if the arguments are not of the inputs' types
     * @throws IllegalStateException if a node's values are not of the types that the graph states
     */
    public static List<RefArray> run(Graph graph, List<RefArray> arguments) {
        if (arguments.size() != graph.inputs().size()) {
            throw new IllegalArgumentException(
                    arguments.size() + " arguments for " + graph.inputs().size() + " inputs");
        }
        Map<Node, List<RefArray>> values = new IdentityHashMap<>();
        for (int i = 0; i < arguments.size(); i++) {
            Node input = graph.inputs().get(i);
            if (!arguments.get(i).type().equals(input.type())) {
                throw new IllegalArgumentException(
                        "argument " + i + " is " + arguments.get(i).type() + ", not " + input.type());
            }
            values.put(input, List.of(arguments.get(i)));
        }
        for (Node n : graph.nodes()) {
            List<RefArray> results = n.op().evaluate(operands(n, values));
            List<Type> types = results.stream().map(RefArray::type).toList();
            if (!types.equals(n.types())) throw new IllegalStateException(n + " evaluated to " + types);
            values.put(n, results);
        }
        return graph.outputs().stream().map(n -> values.get(n).get(0)).toList();
    }

    /** Values of a node's operands; all results of the producer for a projection. */
    private static List<RefArray> operands(Node n, Map<Node, List<RefArray>> values) {
        if (n.op() instanceof Project) return values.get(n.input(0));
        List<RefArray> operands = new ArrayList<>();
        for (Node in : n.inputs()) operands.add(values.get(in).get(0));
        return operands;
    }
}
