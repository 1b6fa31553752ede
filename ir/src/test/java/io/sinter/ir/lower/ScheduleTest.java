// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** In which order the steps of a plan come: temporaries die early, whatever the order of the results. */
class ScheduleTest {
    private static final int LAYERS = 6;
    private static final int ROWS = 64;
    private static final int WIDTH = 16;
    private static final long ACTIVATION = (long) ROWS * WIDTH * Float.BYTES;

    private final List<RefArray> args = new ArrayList<>();

    /**
     * Layers {@code x ↦ tanh(x w)} and their backward pass by hand; results are the gradients of all weights.
     *
     * @param lastFirst order in which the results are listed
     */
    private Graph layers(boolean lastFirst) {
        args.clear();
        GraphBuilder b = new GraphBuilder();
        Node x = input(b, ROWS, WIDTH);
        List<Node> weights = new ArrayList<>();
        List<Node> activations = new ArrayList<>();
        for (int i = 0; i < LAYERS; i++) {
            weights.add(input(b, WIDTH, WIDTH));
            activations.add(x);
            x = b.apply(Unary.TANH, product(b, x, weights.get(i)));
        }
        Node y = x;
        Node g = input(b, ROWS, WIDTH);
        List<Node> gradients = new ArrayList<>();
        for (int i = LAYERS - 1; i >= 0; i--) {
            // tanh' = 1 - y²
            Node d = b.sub(g, b.mul(g, b.mul(y, y)));
            gradients.add(product(b, b.apply(new Permute(1, 0), activations.get(i)), d));
            g = product(b, d, b.apply(new Permute(1, 0), weights.get(i)));
            y = activations.get(i);
        }
        if (!lastFirst) Collections.reverse(gradients);
        // Nodes in the order in which the results need them, as the frontend's cut of a trace has them.
        return fromResults(b.build(gradients.toArray(Node[]::new)));
    }

    private Node input(GraphBuilder b, long... dims) {
        Type t = Type.of(DType.F32, dims);
        args.add(Sample.uniform(t, -1, 1, args.size() + 1));
        return b.input(t);
    }

    private static Node product(GraphBuilder b, Node x, Node y) {
        return b.apply(new Matmul(), x, y);
    }

    private static Graph fromResults(Graph g) {
        List<Node> body = new ArrayList<>();
        for (Node o : g.outputs()) visit(o, g.inputs(), body);
        return new Graph(g.inputs(), body, g.outputs(), g.donations());
    }

    private static void visit(Node n, List<Node> inputs, List<Node> body) {
        if (inputs.contains(n) || body.contains(n)) return;
        for (Node in : n.inputs()) visit(in, inputs, body);
        body.add(n);
    }

    @Test
    void gradientsOfWeightsComeAsSoonAsTheyCan() {
        for (boolean lastFirst : new boolean[] {true, false}) {
            Plan plan = PlanTest.check(layers(lastFirst), args, "layers, last first: " + lastFirst);
            // The activations, and of the backward pass two gradients at a time. With all weights' gradients at the end
            // it is 2 × LAYERS.
            assertTrue(
                    plan.arenaBytes() <= (LAYERS + 2) * ACTIVATION,
                    () -> plan.arenaBytes() / ACTIVATION + " activations, last first: " + lastFirst);
        }
    }

    @Test
    void theOrderOfResultsDoesNotMatter() {
        assertEquals(
                Compiler.plan(layers(true)).arenaBytes(),
                Compiler.plan(layers(false)).arenaBytes());
    }

    /** An argument whose memory a result takes over is read before: no copy is needed. */
    @Test
    void updatesInPlaceStayBehindTheReadersOfWhatTheyOverwrite() {
        GraphBuilder b = new GraphBuilder();
        Node w = input(b, ROWS, ROWS);
        Node x = input(b, ROWS, ROWS);
        Node h = b.apply(Unary.TANH, product(b, x, w));
        Node g = product(b, b.apply(new Permute(1, 0), x), h);
        Node back = product(b, h, b.apply(new Permute(1, 0), w));
        Node updated = b.sub(w, g);
        Graph plain = b.build(back, updated);
        Graph graph = new Graph(plain.inputs(), plain.nodes(), plain.outputs(), List.of(-1, 0));
        Plan plan = PlanTest.check(graph, args, "update in place");
        assertTrue(plan.steps().stream().noneMatch(s -> s instanceof Plan.Copy), plan.steps()::toString);
    }
}
