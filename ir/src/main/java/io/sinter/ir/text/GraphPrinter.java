// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.text;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.OpText;
import io.sinter.ir.op.Project;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.IntFunction;

/**
 * Prints graphs, stably (values are numbered in program order), in a form that
 * {@link GraphParser} reads back:
 *
 * <pre>
 * %0: f32[32,10] = input
 * %1: f32[] = scalar
 * %2: f32[] = constant(0.5)
 * %3: f32[32,10] = softmax(%0) {axis=1}  # Model.java:42
 * %4: (f32[32,3], i64[32,3]) = topk(%3) {axis=1, k=3, largest=true}
 * %5: i64[32,3] = %4.1
 * return %5, %3 -> %0
 * </pre>
 *
 * {@code derived(v)} is a constant that was computed from extents; {@code %4.1} reads a result of
 * an operator that has several; {@code %3 -> %0} is an output that takes over that input's memory.
 * What follows {@code #} is the node's origin.
 */
public final class GraphPrinter {
    private final IntFunction<String> origins;
    private final Map<Node, String> names = new IdentityHashMap<>();

    private GraphPrinter(Graph graph, IntFunction<String> origins) {
        this.origins = origins;
        for (Node n : graph.inputs()) names.put(n, "%" + names.size());
        for (Node n : graph.nodes()) names.put(n, "%" + names.size());
    }

    /** The graph's text; origins as {@code # @12}, which the parser keeps. */
    public static String print(Graph graph) {
        return print(graph, origin -> "@" + origin);
    }

    /**
     * The graph's text, with what {@code origins} says of each origin number (null: nothing):
     * usually {@code Model.java:42}.
     */
    public static String print(Graph graph, IntFunction<String> origins) {
        GraphPrinter p = new GraphPrinter(graph, origins);
        StringBuilder b = new StringBuilder();
        for (Node n : graph.inputs()) b.append(p.line(n)).append('\n');
        for (Node n : graph.nodes()) b.append(p.line(n)).append('\n');
        StringJoiner outputs = new StringJoiner(", ");
        for (int i = 0; i < graph.outputs().size(); i++) {
            int donated = graph.donations().get(i);
            String over = donated < 0 ? "" : " -> " + p.name(graph.inputs().get(donated));
            outputs.add(p.name(graph.outputs().get(i)) + over);
        }
        return b.append(graph.outputs().isEmpty() ? "return" : "return " + outputs)
                .append('\n')
                .toString();
    }

    /** What the graph's nodes are called in its text: {@code %0}, {@code %1}, …, by identity. */
    public static Map<Node, String> names(Graph graph) {
        return Collections.unmodifiableMap(new GraphPrinter(graph, _ -> null).names);
    }

    /** The line of one node of the graph, for messages. */
    public static String describe(Graph graph, Node node) {
        return new GraphPrinter(graph, origin -> "@" + origin).line(node);
    }

    private String name(Node n) {
        String name = names.get(n);
        return name != null ? name : "%?";
    }

    private String line(Node n) {
        String origin = n.origin() < 0 ? null : origins.apply(n.origin());
        return name(n) + ": " + types(n.types()) + " = " + expression(n) + (origin == null ? "" : "  # " + origin);
    }

    private static String types(List<Type> types) {
        if (types.size() == 1) return types.get(0).toString();
        StringJoiner j = new StringJoiner(", ", "(", ")");
        for (Type t : types) j.add(t.toString());
        return j.toString();
    }

    private String expression(Node n) {
        if (n.op() instanceof Input in) return in.scalar() ? "scalar" : "input";
        if (n.op() instanceof Project p) return name(n.input(0)) + "." + p.index();
        if (n.op() instanceof Constant c) return (c.derived() ? "derived(" : "constant(") + value(c) + ")";
        StringJoiner operands = new StringJoiner(", ", "(", ")");
        for (Node in : n.inputs()) operands.add(name(in));
        String attributes = OpText.attributes(n.op());
        return n.op().name() + operands + (attributes.isEmpty() ? "" : " " + attributes);
    }

    private static String value(Constant c) {
        return c.dtype().isFloat() ? Double.toString(c.doubleValue()) : Long.toString(c.bits());
    }
}
