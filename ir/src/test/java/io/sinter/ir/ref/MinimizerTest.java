// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Unary;
import io.sinter.ir.pass.Decompose;
import io.sinter.ir.pass.Verifier;
import io.sinter.ir.text.GraphParser;
import io.sinter.ir.text.GraphPrinter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class MinimizerTest {
    /** A compiler with a seeded fault: {@code tanh} of a sum of a sum comes out as its {@code exp}. */
    private static Graph wronglyCompiled(Graph g) {
        String text = GraphPrinter.print(g).lines().map(l -> faulty(g, l)).reduce("", (a, b) -> a + b + "\n");
        return GraphParser.parse(text);
    }

    private static String faulty(Graph g, String line) {
        for (Node n : g.nodes()) {
            boolean seeded = n.op() == Unary.TANH && n.input(0).op() == Binary.ADD;
            if (seeded && line.startsWith(GraphPrinter.names(g).get(n) + ":")) return line.replace("tanh(", "exp(");
        }
        return line;
    }

    private static boolean isWrong(Graph g) {
        List<RefArray> args = RandomGraphs.arguments(g, 3);
        return Closeness.worst(RefEvaluator.run(wronglyCompiled(g), args), RefEvaluator.run(g, args)) != null;
    }

    @Test
    void aSeededFaultIsFoundAmongManyOperators() {
        GraphBuilder b = new GraphBuilder();
        Node x = b.input(Type.of(io.sinter.ir.DType.F32, 3, 4));
        Node y = b.input(Type.of(io.sinter.ir.DType.F32, 3, 4));
        Node h = x;
        for (int i = 0; i < 10; i++)
            h = b.emit(i % 2 == 0 ? Unary.SIN : Unary.COS, List.of(h)).getFirst();
        Node bad = b.emit(Unary.TANH, List.of(b.emit(Binary.ADD, List.of(h, y)).getFirst()))
                .getFirst();
        Node other = b.emit(Unary.EXP, List.of(y)).getFirst();
        for (int i = 0; i < 10; i++) bad = b.emit(Unary.COS, List.of(bad)).getFirst();
        Graph g = b.build(other, bad, h);
        assertTrue(isWrong(g));
        Graph small = Minimizer.minimize(g, MinimizerTest::isWrong);
        assertEquals("""
                %0: f32[3,4] = input
                %1: f32[3,4] = input
                %2: f32[3,4] = add(%0, %1)
                %3: f32[3,4] = tanh(%2)
                return %3
                """, GraphPrinter.print(small).replaceAll(" *# @.*", ""));
        assertEquals(2, Minimizer.size(small));
    }

    @Test
    void whatDoesNotFailIsRefused() {
        Graph g = GraphParser.parse("%0: f32[2] = input\n%1: f32[2] = exp(%0)\nreturn %1\n");
        assertThrows(IllegalArgumentException.class, () -> Minimizer.minimize(g, _ -> false));
    }

    private static final Graph SOFTMAX = GraphParser.parse("""
            %0: f32[3,4] = input
            %1: f32[3,4] = sin(%0)
            %2: f32[3,4] = softmax(%1) {axis=1}
            %3: f32[3,4] = log(%2)
            return %3
            """);

    private static boolean has(Graph g, String op) {
        return g.nodes().stream().anyMatch(n -> n.op().name().equals(op));
    }

    private static String text(Graph g) {
        return GraphPrinter.print(g).replaceAll(" *# @.*", "");
    }

    /** Of a composite that stands alone the part that is at fault is found, too. */
    @Test
    void compositesAreTakenApart() {
        Graph small = Minimizer.minimize(SOFTMAX, g -> has(Decompose.apply(g, _ -> false), "exp"));
        assertEquals("%0: f32[3,4] = input\n%1: f32[3,4] = exp(%0)\nreturn %1\n", text(small));
    }

    @Test
    void aCompositeThatFailsOnlyAsAWholeStaysWhole() {
        Graph small = Minimizer.minimize(SOFTMAX, g -> has(g, "softmax"));
        assertEquals("%0: f32[3,4] = input\n%1: f32[3,4] = softmax(%0) {axis=1}\nreturn %1\n", text(small));
        // Nor is it taken apart for nothing, where all of its parts are needed.
        int parts = Minimizer.size(Decompose.apply(small, _ -> false));
        assertTrue(parts >= 4, parts + " operators");
        Graph all = Minimizer.minimize(
                SOFTMAX,
                g -> Minimizer.size(Decompose.apply(g, _ -> false)) >= parts
                        && has(Decompose.apply(g, _ -> false), "exp"));
        assertEquals(text(small), text(all));
    }

    /** An argument that takes the place of a composite's part is what the part was. */
    @Test
    void whatPartsOfACompositeWereIsKnown() {
        List<RefArray> arguments = RandomGraphs.arguments(SOFTMAX, 5);
        List<RefArray> last = new ArrayList<>();
        Graph small = Minimizer.minimize(SOFTMAX, arguments, (g, known) -> {
            boolean shows = has(Decompose.apply(g, _ -> false), "exp");
            if (shows) {
                last.clear();
                last.addAll(known);
            }
            return shows;
        });
        assertEquals("%0: f32[3,4] = input\n%1: f32[3,4] = exp(%0)\nreturn %1\n", text(small));
        assertEquals(1, last.size());
        // What softmax takes the exponential of: at most 0, and 0 in each row.
        double[] x = last.getFirst().toDoubles();
        for (int row = 0; row < 3; row++)
            assertEquals(0, Arrays.stream(x, 4 * row, 4 * row + 4).max().orElseThrow());
    }

    /** Whatever is looked for: the result has it, verifies, and is no larger. */
    @Property(tries = 40)
    void resultsAreGraphsThatFail(@ForAll long seed) {
        Graph g = RandomGraphs.graph(seed, 25);
        String op = g.nodes()
                .get((int) Math.floorMod(seed, (long) g.nodes().size()))
                .op()
                .name();
        Predicate<Graph> has =
                x -> x.nodes().stream().anyMatch(n -> n.op().name().equals(op));
        Graph small = Minimizer.minimize(g, has);
        Verifier.verify(small);
        assertTrue(has.test(small));
        assertTrue(small.nodes().size() <= 3, GraphPrinter.print(small));
    }
}
