// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.op.Composite;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import io.sinter.ir.pass.Decompose;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Makes a graph that fails smaller as long as it goes on failing: gives up results, ends the program at an inner node, puts an argument in the place
 * of a node, or one of a node's operands; then puts a composite's parts in its place, where some of them fail by themselves. Like delta debugging
 * (Zeller 1999), with the graph's own structure for a guide.
 */
public final class Minimizer {
    /** Says whether a graph goes wrong. */
    @FunctionalInterface
    public interface Fault {
        /**
         * @param arguments for the graph's inputs: what the values that the inputs stand for were in the program; null elements where that is not
         *     known
         */
        boolean shows(Graph graph, List<RefArray> arguments);
    }

    private final Fault fault;
    /** What nodes were in the program, as far as that is known. */
    private final Map<Node, RefArray> values;

    private Minimizer(Fault fault, Map<Node, RefArray> values) {
        this.fault = fault;
        this.values = values;
    }

    /**
     * A small graph that fails.
     *
     * @param fails whether a graph shows the fault; asked often. It must hold for {@code graph}.
     * @throws IllegalArgumentException if {@code graph} does not fail
     */
    public static Graph minimize(Graph graph, Predicate<Graph> fails) {
        return minimize(graph, new IdentityHashMap<>(), (g, _) -> fails.test(g));
    }

    /**
     * As {@link #minimize(Graph, Predicate)}, of a graph that fails on certain arguments: an argument that takes a node's place is what the node was.
     *
     * @param arguments of the graph
     */
    public static Graph minimize(Graph graph, List<RefArray> arguments, Fault fault) {
        return minimize(graph, values(graph, arguments), fault);
    }

    private static Graph minimize(Graph graph, Map<Node, RefArray> values, Fault fault) {
        Minimizer m = new Minimizer(fault, values);
        Graph g = withoutDonations(graph);
        if (!m.fails(g)) {
            // Memory that is taken over may be what matters.
            if (!m.fails(graph)) throw new IllegalArgumentException("the graph does not fail");
            g = graph;
        }
        return m.shrunk(g);
    }

    private Graph shrunk(Graph failing) {
        Graph g = failing;
        for (Graph smaller = step(g); smaller != null; smaller = step(g)) g = smaller;
        return g;
    }

    private boolean fails(Graph g) {
        List<RefArray> arguments = new ArrayList<>();
        for (Node n : g.inputs()) arguments.add(values.get(n));
        return fault.shows(g, arguments);
    }

    /** A smaller graph that fails, or null. */
    private Graph step(Graph g) {
        Graph r = oneResult(g);
        if (r == null) r = endEarlier(g);
        if (r == null) r = replaceNodes(g);
        if (r == null) r = takeApart(g);
        return r;
    }

    private static Graph withoutDonations(Graph g) {
        return new Graph(
                g.inputs(),
                g.nodes(),
                g.outputs(),
                Collections.nCopies(g.outputs().size(), -1));
    }

    private Graph oneResult(Graph g) {
        if (g.outputs().size() <= 1) return null;
        for (int i = 0; i < g.outputs().size(); i++) {
            Graph r = rebuilt(List.of(g.outputs().get(i)), Map.of());
            if (fails(r)) return r;
        }
        for (int half = g.outputs().size() / 2, from = 0; from < 2; from++) {
            List<Node> some = from == 0
                    ? g.outputs().subList(0, half)
                    : g.outputs().subList(half, g.outputs().size());
            if (some.size() < g.outputs().size() && !some.isEmpty()) {
                Graph r = rebuilt(some, Map.of());
                if (fails(r)) return r;
            }
        }
        return null;
    }

    /** The first node, in program order, whose value alone fails. */
    private Graph endEarlier(Graph g) {
        if (g.outputs().size() != 1) return null;
        for (Node n : g.nodes()) {
            if (n == g.outputs().getFirst() || n.types().size() != 1) continue;
            Graph r = rebuilt(List.of(n), Map.of());
            if (r.nodes().size() < g.nodes().size() && fails(r)) return r;
        }
        return null;
    }

    private Graph replaceNodes(Graph g) {
        for (Node n : g.nodes().reversed()) {
            if (n.types().size() != 1) continue;
            if (!isResult(g, n)) {
                Node argument = like(n, new Node(new Input(0, n.type(), false), List.of(), n.types(), n.origin()));
                Graph r = rebuilt(g.outputs(), Map.of(n, argument));
                if (r.nodes().size() < g.nodes().size() && fails(r)) return r;
            }
            for (Node in : n.inputs()) {
                if (in.types().size() != 1 || !in.type().equals(n.type())) continue;
                Graph r = rebuilt(g.outputs(), Map.of(n, in));
                if (r.nodes().size() < g.nodes().size() && !r.nodes().isEmpty() && fails(r)) return r;
            }
        }
        return null;
    }

    /** What is left of the graph if a composite is taken apart; null if all of its parts must come together, or only the whole fails. */
    private Graph takeApart(Graph g) {
        int parts = parts(g);
        Set<Op> tried = new HashSet<>();
        for (Node n : g.nodes()) {
            if (!(n.op() instanceof Composite) || !tried.add(n.op())) continue;
            Graph apart = Decompose.apply(g, op -> !op.equals(n.op()));
            evaluate(apart);
            if (!fails(apart)) continue;
            Graph small = shrunk(apart);
            if (parts(small) < parts) return small;
        }
        return null;
    }

    /** Number of operators once all composites are taken apart. */
    private static int parts(Graph g) {
        return size(Decompose.apply(g, _ -> false));
    }

    /** Notes what the nodes of a graph are, if its arguments are known. */
    private void evaluate(Graph g) {
        List<RefArray> arguments = new ArrayList<>();
        for (Node n : g.inputs()) {
            if (values.get(n) == null) return;
            arguments.add(values.get(n));
        }
        values.putAll(values(g, arguments));
    }

    /** What the nodes of one result are. */
    private static Map<Node, RefArray> values(Graph graph, List<RefArray> arguments) {
        Map<Node, RefArray> values = new IdentityHashMap<>();
        RefEvaluator.run(graph, arguments, (g, all) -> {
            if (g != graph) return;
            all.forEach((n, results) -> {
                if (results.size() == 1) values.put(n, results.getFirst());
            });
        });
        return values;
    }

    private static boolean isResult(Graph g, Node n) {
        for (Node o : g.outputs()) if (o == n) return true;
        return false;
    }

    /** The graph of {@code outputs}, with other nodes in the place of some; arguments that it needs are numbered anew. */
    private Graph rebuilt(List<Node> outputs, Map<Node, Node> replaced) {
        Map<Node, Node> now = new IdentityHashMap<>();
        Map<Node, Node> instead = new IdentityHashMap<>(replaced);
        List<Node> inputs = new ArrayList<>();
        List<Node> results = new ArrayList<>();
        Set<Node> order = new java.util.LinkedHashSet<>();
        for (Node o : outputs) collect(o, instead, order);
        for (Node n : order) {
            if (n.op() instanceof Input in) {
                Node fresh =
                        new Node(new Input(inputs.size(), n.type(), in.scalar()), List.of(), n.types(), n.origin());
                inputs.add(like(n, fresh));
                now.put(n, fresh);
                continue;
            }
            List<Node> operands = new ArrayList<>();
            for (Node in : n.inputs()) operands.add(now.get(instead.getOrDefault(in, in)));
            now.put(n, like(n, new Node(n.op(), operands, n.types(), n.origin())));
        }
        for (Node o : outputs) results.add(now.get(instead.getOrDefault(o, o)));
        return Graph.of(inputs, results, Collections.nCopies(results.size(), -1));
    }

    /** {@code made}, which stands for {@code n}. */
    private Node like(Node n, Node made) {
        RefArray value = values.get(n);
        if (value != null) values.put(made, value);
        return made;
    }

    /** Everything that a node needs, operands first. Explicit stack: graphs are deep. */
    private static void collect(Node root, Map<Node, Node> instead, Set<Node> order) {
        java.util.ArrayDeque<Node> stack = new java.util.ArrayDeque<>(List.of(instead.getOrDefault(root, root)));
        while (!stack.isEmpty()) {
            Node n = stack.peek();
            boolean ready = true;
            if (!order.contains(n)) {
                for (Node in : n.inputs().reversed()) {
                    Node x = instead.getOrDefault(in, in);
                    if (order.contains(x)) continue;
                    stack.push(x);
                    ready = false;
                }
            }
            if (!ready) continue;
            stack.pop();
            order.add(n);
        }
    }

    /** Number of operators that compute something: constants and projections are left out. */
    public static int size(Graph g) {
        int n = 0;
        for (Node x : g.nodes()) if (!(x.op() instanceof Project) && !x.inputs().isEmpty()) n++;
        return n;
    }
}
