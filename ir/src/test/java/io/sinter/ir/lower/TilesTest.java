// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.Capabilities;
import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.op.Cast;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tasks of elementwise kernels: tiles of crossing operands, many short rows; and max-pooling as such a kernel. */
class TilesTest {
    private final GraphBuilder b = new GraphBuilder();
    private final List<RefArray> args = new ArrayList<>();

    private Node in(DType t, long... dims) {
        Type type = Type.of(t, dims);
        args.add(Sample.uniform(type, -4, 4, args.size() + 1));
        return b.input(type);
    }

    private List<String> kernels(Node... out) {
        Graph g = b.build(out);
        Plan p = PlanTest.check(g, args, "tiles");
        return texts(p);
    }

    private static List<String> texts(Plan p) {
        return p.steps().stream()
                .map(s -> KernelText.print(((Plan.Launch) s).kernel()))
                .toList();
    }

    /** The tile is copied row by row, and read along the vectors; neither reads nor writes jump from element to element. */
    @Test
    void aTransposedOperandIsTurned() {
        Node x = in(DType.F32, 150, 70);
        List<String> k = kernels(b.unary(Unary.RELU, b.transpose(x, 0, 1)));
        assertEquals(1, k.size());
        assertFalse(k.getFirst().contains("scratch=0"), k.getFirst());
        assertTrue(k.getFirst().contains(" rows\n"), k.getFirst());
    }

    @Test
    void resultsAreTurnedToo() {
        // Two operands lie along the vectors, so the result does not.
        Node x = in(DType.F64, 3, 65, 40);
        Node y = in(DType.BF16, 3, 65, 40);
        Node z = in(DType.I32, 3, 40, 65);
        Node sum = b.add(x, b.apply(new Cast(DType.F64), y));
        kernels(b.add(b.transpose(sum, 1, 2), b.apply(new Cast(DType.F64), z)), b.transpose(sum, 0, 2));
    }

    @Test
    void imagesWithChannelsLast() {
        Node x = in(DType.F16, 2, 18, 9, 10);
        kernels(b.apply(new Cast(DType.F32), b.permute(x, 0, 2, 3, 1)));
    }

    @Test
    void shortRowsAreOneTask() {
        Node x = in(DType.F32, 6, 50, 28);
        Node y = in(DType.F32, 50, 28);
        Node even = b.slice(x, 2, 0, 13, 2);
        List<String> k = kernels(b.add(even, b.slice(b.expand(y, x.shape()), 2, 1, 13, 2)));
        assertEquals(1, k.size());
        assertTrue(k.getFirst().contains(" rows\n"), k.getFirst());
        assertTrue(k.getFirst().contains("+2*"), "every second element is a way of reading: " + k.getFirst());
    }

    /** For devices that want many tasks there are neither tiles in memory of their own nor rows of rows. */
    @Test
    void smallTasksElsewhere() {
        Node x = in(DType.F32, 150, 70);
        Node y = in(DType.F32, 40, 20, 50);
        Graph g = b.build(b.unary(Unary.RELU, b.transpose(x, 0, 1)), b.slice(y, 2, 0, 20, 2));
        Plan p = Compiler.plan(g, Fusion.MAX_WEIGHT, new Capabilities(Compiler::keptWhole, false, 2, true));
        for (String k : texts(p)) {
            assertFalse(k.contains(" rows\n"), k);
            assertTrue(k.contains("scratch=0"), k);
        }
    }

    private static MaxPool pool(long kernel, long stride, long pad) {
        long[] p = {pad, pad};
        return new MaxPool(new long[] {kernel, kernel}, new long[] {stride, stride}, p, p, new long[] {1, 1});
    }

    private static boolean isElementwise(Graph g) {
        return Compiler.optimize(g, (_, _) -> {}).nodes().stream().noneMatch(n -> n.op() instanceof MaxPool);
    }

    /** Values alone fuse with what is around them; the first of equals and of NaNs is the greatest. */
    @Test
    void maxPoolingWithoutPlaces() {
        Node x = in(DType.F32, 2, 3, 9, 22);
        List<String> k = kernels(b.unary(
                Unary.NEG, b.emit(pool(2, 2, 0), List.of(b.unary(Unary.ABS, x))).getFirst()));
        assertEquals(1, k.size(), k.toString());
        double nan = Double.NaN;
        args.clear();
        args.add(RefArray.of(DType.F32, Shape.of(2, 8), -0.0, 0, nan, 1, 0, -0.0, 5, 6, 0, -0.0, 2, 3, 7, nan, 6, 5));
        GraphBuilder other = new GraphBuilder();
        Node y = other.input(Type.of(DType.F32, 2, 8));
        Graph g = other.build(other.emit(pool(2, 2, 0), List.of(y)).getFirst());
        assertTrue(isElementwise(g));
        PlanTest.check(g, args, "zeros and NaN");
    }

    @Test
    void maxPoolingThatIsNotElementwise() {
        for (MaxPool p : List.of(pool(3, 2, 0), pool(2, 2, 1), pool(4, 4, 0))) {
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, 2, 8, 8));
            assertFalse(isElementwise(g.build(g.emit(p, List.of(x)).getFirst())), p.toString());
        }
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 2, 8, 8));
        List<Node> both = g.emit(pool(2, 2, 0), List.of(x));
        assertFalse(isElementwise(g.build(both.get(0), both.get(1))), "places are read");
    }
}
