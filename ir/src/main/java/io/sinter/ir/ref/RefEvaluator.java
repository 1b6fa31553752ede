// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Project;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a graph node by node on reference arrays: slow, and the measure of every optimization and
 * backend.
 */
public final class RefEvaluator {
    private RefEvaluator() {}

    /** Sees the values of all nodes. */
    public interface Watch {
        /** Sees nothing. */
        Watch NONE = (_, _) -> {};

        /**
         * A graph has been run: the program, or before it, once a step, the body of one of its loops.
         *
         * @param values of each node and input, all results
         */
        void ran(Graph graph, Map<Node, List<RefArray>> values);
    }

    /** As {@link #run(Graph, List, Watch)}; nobody watches. */
    public static List<RefArray> run(Graph graph, List<RefArray> arguments) {
        return run(graph, arguments, Watch.NONE);
    }

    /**
     * The graph's outputs for these arguments.
     *
     * @throws IllegalArgumentException if the arguments are not of the inputs' types
     * @throws IllegalStateException if a node's values are not of the types that the graph states
     */
    public static List<RefArray> run(Graph graph, List<RefArray> arguments, Watch watch) {
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
            List<RefArray> operands = operands(n, values);
            List<RefArray> results = n.op() instanceof Loop loop && watch != Watch.NONE
                    ? loop.evaluate(operands, step -> run(loop.body(), step, watch))
                    : n.op().evaluate(operands);
            List<Type> types = results.stream().map(RefArray::type).toList();
            if (!types.equals(n.types())) throw new IllegalStateException(n + " evaluated to " + types);
            values.put(n, results);
        }
        watch.ran(graph, values);
        return graph.outputs().stream().map(n -> values.get(n).get(0)).toList();
    }

    /** Values of a node's operands; all results of the producer for a projection. */
    static List<RefArray> operands(Node n, Map<Node, List<RefArray>> values) {
        if (n.op() instanceof Project) return values.get(n.input(0));
        return n.inputs().stream().map(in -> values.get(in).getFirst()).toList();
    }
}
