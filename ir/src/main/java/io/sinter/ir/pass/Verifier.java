// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Project;
import io.sinter.ir.text.GraphPrinter;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Checks that a graph is well formed. In tests it runs after every pass. */
public final class Verifier {
    private final Graph graph;
    private final Set<Node> defined = Collections.newSetFromMap(new IdentityHashMap<>());

    private Verifier(Graph graph) {
        this.graph = graph;
    }

    /**
     * Inputs are numbered in order; every node stands after its operands, once, and has the types
     * that its operator infers; several results are read through projections; outputs are single
     * values of the graph; a donated input has its output's type, is donated once, and is no output
     * itself.
     *
     * @return the graph
     * @throws VerifyException naming the first node that breaks a rule
     */
    public static Graph verify(Graph graph) {
        Verifier v = new Verifier(graph);
        v.inputs();
        for (Node n : graph.nodes()) v.node(n);
        v.outputs();
        return graph;
    }

    private void inputs() {
        for (int i = 0; i < graph.inputs().size(); i++) {
            Node n = graph.inputs().get(i);
            if (!(n.op() instanceof Input in)) throw bad(n, "stands among the inputs but is not one");
            if (in.number() != i) throw bad(n, "is input " + in.number() + " but stands at place " + i);
            if (!n.types().equals(List.of(in.type()))) throw bad(n, "its operator says " + in.type());
            if (!defined.add(n)) throw bad(n, "occurs twice");
        }
    }

    private void node(Node n) {
        if (n.op() instanceof Input) throw bad(n, "is an input that stands among the nodes");
        for (int i = 0; i < n.inputs().size(); i++) {
            if (!defined.contains(n.input(i))) throw bad(n, "operand " + i + " is not defined before it");
        }
        List<Type> inferred;
        try {
            inferred = n.op().infer(operandTypes(n));
        } catch (OpException e) {
            throw new VerifyException(GraphPrinter.describe(graph, n) + ": " + e.getMessage(), e);
        }
        if (!inferred.equals(n.types())) throw bad(n, "its operator infers " + inferred);
        if (n.op() instanceof Loop loop) body(n, loop);
        if (!defined.add(n)) throw bad(n, "occurs twice");
    }

    private void body(Node n, Loop loop) {
        try {
            verify(loop.body());
        } catch (VerifyException e) {
            throw new VerifyException(GraphPrinter.describe(graph, n) + ": in its body: " + e.getMessage(), e);
        }
    }

    private List<Type> operandTypes(Node n) {
        if (n.op() instanceof Project) {
            if (n.inputs().size() != 1) throw bad(n, "a projection has one operand");
            if (n.input(0).types().size() < 2)
                throw bad(n, "projects from a node with one result; use the node itself");
            return n.input(0).types();
        }
        for (int i = 0; i < n.inputs().size(); i++) {
            if (n.input(i).types().size() != 1)
                throw bad(n, "operand " + i + " has several results; read one through a projection");
        }
        return n.inputs().stream().map(Node::type).toList();
    }

    private void outputs() {
        Set<Integer> donated = new HashSet<>();
        for (int i = 0; i < graph.outputs().size(); i++) {
            Node n = graph.outputs().get(i);
            if (!defined.contains(n)) throw bad(n, "is output " + i + " but not in the graph");
            if (n.types().size() != 1)
                throw bad(n, "output " + i + " has several results; read one through a projection");
            int d = graph.donations().get(i);
            if (d == -1) continue;
            if (d < -1 || d >= graph.inputs().size())
                throw bad(n, "output " + i + " takes over input " + d + ", which does not exist");
            Node in = graph.inputs().get(d);
            if (!donated.add(d)) throw bad(in, "is donated twice");
            if (!in.type().equals(n.type()))
                throw bad(n, "output " + i + " takes over input " + d + " of type " + in.type());
        }
        for (int i = 0; i < graph.outputs().size(); i++) {
            Node n = graph.outputs().get(i);
            if (n.op() instanceof Input in
                    && donated.contains(in.number())
                    && graph.donations().get(i) != in.number()) {
                throw bad(n, "is output " + i + ", but another output overwrites it");
            }
        }
    }

    private VerifyException bad(Node n, String problem) {
        return new VerifyException(GraphPrinter.describe(graph, n) + ": " + problem);
    }
}
