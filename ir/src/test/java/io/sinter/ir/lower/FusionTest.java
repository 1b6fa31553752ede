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
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.CrossEntropy;
import io.sinter.ir.op.LayerNorm;
import io.sinter.ir.op.LogSoftmax;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Softmax;
import io.sinter.ir.op.Take;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.Tape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which programs become how many kernels, and that they still compute the same. */
class FusionTest {
    private final GraphBuilder b = new GraphBuilder();
    private final List<RefArray> args = new ArrayList<>();

    private Node in(long... dims) {
        Type t = Type.of(DType.F32, dims);
        args.add(Sample.uniform(t, -1, 1, args.size() + 1));
        return b.input(t);
    }

    private Node scalar(double v) {
        args.add(RefArray.scalar(DType.F32, v));
        return b.scalarInput(DType.F32);
    }

    private Plan check(Node... out) {
        return check(b.build(out));
    }

    private Plan check(Graph g) {
        return PlanTest.check(g, args, g.outputs().toString());
    }

    private static void kernels(int n, Plan p) {
        assertEquals(n, p.steps().size(), () -> {
            StringBuilder s = new StringBuilder();
            for (Plan.Step step : p.steps())
                s.append(step instanceof Plan.Launch l ? KernelText.print(l.kernel()) : step)
                        .append('\n');
            return s.toString();
        });
    }

    @Test
    void elementwiseChainIsOneKernel() {
        Node t = b.unary(Unary.TANH, b.add(b.mul(in(5, 7), in(5, 7)), in(5, 7)));
        kernels(1, check(b.mul(t, b.unary(Unary.SIGMOID, in(5, 7)))));
    }

    /** What the parts have in common is computed once, beside what else is needed of it. */
    @Test
    void partsOfAConcatenationAreOneKernel() {
        Node x = in(6, 40);
        Node y = in(6, 40);
        Node t = b.unary(Unary.TANH, b.mul(x, y));
        Node parts = b.apply(new Concat(1), b.mul(t, x), t, b.mul(t, y));
        kernels(1, check(parts, b.add(t, x)));
        kernels(2, check(b.matmul(parts, in(120, 5))));
    }

    @Test
    void elementwiseSiblingsAreOneKernel() {
        Node x = in(6, 40);
        Node y = in(6, 40);
        kernels(1, check(b.mul(x, y), b.unary(Unary.EXP, x)));
        // Another read between the two forbids it.
        Node e = b.unary(Unary.EXP, x);
        Node sum = b.expand(b.reduceKeep(Reduce.Kind.SUM, e, 0), Shape.of(6, 40));
        check(e, b.mul(sum, x));
        // Elsewhere: nothing is read that the other computes at another place.
        check(e, b.add(x, b.flip(e, 1)));
    }

    /** A square takes no more than what it is the square of, which the kernel after the next reads anyway: it is not stored for it. */
    @Test
    void aSquareIsComputedAgain() {
        Node x = b.add(b.matmul(in(32, 24), in(24, 40)), b.expand(in(1, 40), Shape.of(32, 40)));
        Node square = b.mul(x, x);
        Node first = b.unary(Unary.TANH, b.mul(square, x));
        Node second = b.mul(b.mul(b.matmul(first, in(40, 40)), square), x);
        Plan p = check(second);
        kernels(2, p);
        assertEquals(2 * 32 * 40 * Float.BYTES, p.arenaBytes(), "more than tanh and the product is stored");
    }

    @Test
    void softmaxIsOneKernelForwardAndOneBackward() {
        kernels(1, check(b.apply(new Softmax(1), in(9, 33))));
    }

    @Test
    void softmaxBackward() {
        Tape<Node> t = new Tape<>(b);
        var x = t.leaf(in(9, 33));
        var y = t.apply(new Softmax(1), x);
        Node dx = t.gradients(List.of(y), List.of(t.leaf(in(9, 33))), List.of(x))
                .getFirst()
                .value();
        // In one program even these are one: the rows are the same.
        kernels(1, check(y.value(), dx));
    }

    @Test
    void softmaxOverColumns() {
        kernels(1, check(b.apply(new Softmax(0), in(9, 33))));
        kernels(1, check(b.apply(new LogSoftmax(1), in(4, 9, 33))));
    }

    @Test
    void layerNormIsOneKernelForwardAndTwoBackward() {
        Tape<Node> t = new Tape<>(b);
        var x = t.leaf(in(3, 20, 24));
        var w = t.leaf(in(24));
        var s = t.leaf(in(24));
        var y = t.add(t.mul(t.emit(new LayerNorm(1, 1e-5), List.of(x)).getFirst(), w), s);
        kernels(1, check(y.value()));
        var all = b.emit(new LayerNorm(1, 1e-5), List.of(x.value()));
        kernels(1, check(all.toArray(Node[]::new)));
        var d = t.gradients(List.of(y), List.of(t.leaf(in(3, 20, 24))), List.of(x, w, s));
        Plan p = check(y.value(), d.get(0).value(), d.get(1).value(), d.get(2).value());
        assertTrue(
                p.steps().size() <= 3,
                () -> "layer norm with gradients takes " + p.steps().size());
    }

    @Test
    void crossEntropy() {
        Tape<Node> t = new Tape<>(b);
        var x = t.leaf(in(12, 10));
        args.add(Sample.uniform(Type.of(DType.I64, 12), 0, 10, 3));
        var target = t.leaf(b.input(Type.of(DType.I64, 12)));
        var loss = t.emit(new CrossEntropy(), List.of(x, target)).getFirst();
        var mean = t.mul(t.sum(loss, 0), 1.0 / 12);
        var d = t.gradients(List.of(mean), List.of(t.leaf(scalar(1))), List.of(x));
        Plan p = check(mean.value(), d.getFirst().value());
        assertTrue(
                p.steps().size() <= 3,
                () -> "cross-entropy with gradient takes " + p.steps().size());
        // Class numbers are compared at the width of f32: an i64 among them would halve every vector of the row.
        for (Plan.Step step : p.steps()) {
            if (step instanceof Plan.Launch l)
                assertFalse(KernelText.print(l.kernel()).contains("i64 [v"), KernelText.print(l.kernel()));
        }
    }

    @Test
    void biasAndActivationAreTheEpilogueOfAMatrixProduct() {
        Node h = b.add(b.matmul(in(6, 8), in(8, 10)), in(10));
        kernels(1, check(b.unary(Unary.RELU, h)));
    }

    @Test
    void epilogueThroughReshape() {
        Node h = b.reshape(b.matmul(in(6, 8), in(8, 10)), io.sinter.ir.Shape.of(2, 3, 10));
        kernels(1, check(b.add(b.add(h, in(10)), in(2, 3, 10))));
    }

    @Test
    void anEpilogueThatIsNeededElsewhereIsStored() {
        Node h = b.unary(Unary.RELU, b.add(b.matmul(in(6, 8), in(8, 10)), in(10)));
        kernels(2, check(b.matmul(h, in(10, 4)), h));
    }

    @Test
    void anOptimizerStepOfAWholeModelIsOneKernel() {
        List<Node> out = new ArrayList<>();
        List<Integer> donated = new ArrayList<>();
        Node lr = scalar(.1);
        Node beta = scalar(.9);
        for (long[] s : new long[][] {{12, 10}, {10}, {3, 4, 5}, {77}}) {
            int first = args.size();
            Node p = in(s);
            Node m = in(s);
            Node v = in(s);
            Node g = in(s);
            Node m2 = b.add(b.mul(m, beta), b.mul(g, b.sub(b.constant(beta, 1), beta)));
            Node v2 = b.add(b.mul(v, beta), b.mul(b.mul(g, g), b.sub(b.constant(beta, 1), beta)));
            Node p2 = b.sub(p, b.mul(b.div(m2, b.add(b.sqrt(b.unary(Unary.ABS, v2)), 1e-8)), lr));
            out.addAll(List.of(p2, m2, v2));
            donated.addAll(List.of(first, first + 1, first + 2));
        }
        Graph g = Graph.of(b.build().inputs(), out, donated);
        Plan p = check(g);
        kernels(1, p);
        for (int i = 0; i < out.size(); i++)
            assertEquals(
                    new Plan.Place.Argument(donated.get(i)), p.resultPlaces().get(i));
    }

    @Test
    void largeStateIsUpdatedInPlaceToo() {
        // Large enough to be split into tasks, whose offsets are parameters.
        Node p = in(192, 256);
        Node g = in(192, 256);
        Node updated = b.sub(p, b.mul(g, scalar(.1)));
        Graph graph = Graph.of(b.build().inputs(), List.of(updated), List.of(0));
        Plan plan = check(graph);
        kernels(1, plan);
        assertEquals(1, plan.steps().size());
    }

    @Test
    void aDonatedArgumentThatIsReadElsewhereIsCopiedAtTheEnd() {
        Node x = in(6, 6);
        Node t = b.apply(new Permute(1, 0), x);
        // x is read transposed by the very kernel that would overwrite it.
        Graph g = Graph.of(b.build().inputs(), List.of(b.add(x, t)), List.of(0));
        Plan p = check(g);
        assertTrue(p.steps().getLast() instanceof Plan.Copy);
    }

    @Test
    void rowsBeforeAndAfterAnOperatorOfSeveralResultsAreKernelsOfTheirOwn() {
        Node x = in(16, 6);
        Node centred = b.sub(x, b.sumKeep(x, 1));
        Node sorted = b.emit(new io.sinter.ir.op.Sort(1, false), List.of(b.mul(centred, centred)))
                .get(0);
        // Both sums run over the same rows and read x, but the second needs what the first leads to.
        check(b.sum(b.add(x, sorted), 1));
    }

    @Test
    void aTransposeIsAnIndex() {
        kernels(1, check(b.add(b.apply(new Permute(1, 0), in(5, 7)), in(7, 5))));
        kernels(1, check(b.apply(new Matmul(), b.apply(new Permute(1, 0), in(5, 7)), in(5, 3))));
    }

    @Test
    void aLongChainIsCutIntoKernelsThatHotSpotCompiles() {
        Node x = in(16);
        Node y = in(16);
        for (int i = 0; i < 1000; i++) x = b.add(x, y);
        Plan p = check(x);
        assertTrue(p.steps().size() < 20, () -> p.steps().size() + " kernels");
    }

    @Test
    void normalizationOverChannels() {
        Node x = in(4, 6, 3, 5);
        Node mean = b.mul(b.reduceKeep(Reduce.Kind.SUM, x, 0, 2, 3), 1.0 / 60);
        Node c = b.sub(x, mean);
        Node var = b.mul(b.reduceKeep(Reduce.Kind.SUM, b.mul(c, c), 0, 2, 3), 1.0 / 60);
        kernels(1, check(b.mul(c, b.unary(Unary.RSQRT, b.add(var, 1e-5))), b.reshape(mean, io.sinter.ir.Shape.of(6))));
    }

    /** Rows enough: the output joins the gradient's rows, whose statistics it needs. */
    @Test
    void whatReadsARowKernelJoinsIt() {
        Tape<Node> t = new Tape<>(b);
        var x = t.leaf(in(40, 24));
        var w = t.leaf(in(24));
        var y = t.mul(t.emit(new LayerNorm(1, 1e-5), List.of(x)).getFirst(), w);
        var d = t.gradients(List.of(y), List.of(t.leaf(in(40, 24))), List.of(x));
        kernels(1, check(y.value(), d.getFirst().value()));
    }

    /** Batch normalization with its gradient: the rows are channels, read through whatever order their axes stand in. */
    @Test
    void batchNormWithGradientIsOneKernel() {
        Tape<Node> t = new Tape<>(b);
        var x = t.leaf(in(4, 6, 3, 5));
        var w = t.leaf(in(6));
        io.sinter.ir.Shape channel = io.sinter.ir.Shape.of(1, 6, 1, 1);
        var mean = t.mul(t.reduceKeep(Reduce.Kind.SUM, x, 0, 2, 3), 1.0 / 60);
        var c = t.sub(x, mean);
        var var = t.mul(t.reduceKeep(Reduce.Kind.SUM, t.mul(c, c), 0, 2, 3), 1.0 / 60);
        var y = t.unary(Unary.RELU, t.mul(t.mul(c, t.unary(Unary.RSQRT, t.add(var, 1e-5))), t.reshape(w, channel)));
        var d = t.gradients(List.of(y), List.of(t.leaf(in(4, 6, 3, 5))), List.of(x, w));
        kernels(1, check(y.value(), d.get(0).value(), d.get(1).value()));
    }

    /** A reader that also needs something computed in between is a kernel of its own. */
    @Test
    void noKernelWaitsForItself() {
        Node x = in(40, 24);
        Node sum = b.reduceKeep(Reduce.Kind.SUM, x, 1);
        Node y = b.mul(x, sum);
        Node columns = b.reduceKeep(Reduce.Kind.SUM, y, 0);
        check(y, b.add(b.mul(x, sum), columns));
    }

    /** A mean of two neighbours that are looked up, along one axis and then along another: not four look-ups for each element. */
    @Test
    void whatIsLookedUpAndReadTwiceIsStored() {
        Node wider = betweenNeighbours(in(3, 6, 5), 2);
        kernels(2, check(betweenNeighbours(wider, 1)));
    }

    private Node betweenNeighbours(Node x, int axis) {
        List<Node> neighbours = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            args.add(RefArray.of(DType.I64, Shape.of(4), i, 1 + i, 2 + i, i));
            neighbours.add(b.apply(new Take(axis), x, b.input(Type.of(DType.I64, 4))));
        }
        return b.mul(b.add(neighbours.get(0), neighbours.get(1)), 0.5);
    }

    /** A transposed operand: square tiles, so that its cache lines are used whole. */
    @Test
    void transposedOperandsAreReadInTiles() {
        Node y = b.add(b.apply(new Permute(0, 2, 1), in(2, 40, 33)), in(2, 33, 40));
        Plan p = check(y);
        kernels(1, p);
        String text = KernelText.print(((Plan.Launch) p.steps().getFirst()).kernel());
        assertTrue(text.contains("vector") && text.contains("seq"), text);
    }

    @Test
    void aLargeSumIsSplit() {
        Node x = in(40, 1000);
        kernels(2, check(b.sum(b.mul(x, x), 0, 1)));
    }

    @Test
    void reshapedResultsAndCopies() {
        Node x = in(4, 6);
        Node y = b.mul(x, x);
        kernels(1, check(y, b.apply(new Reshape(io.sinter.ir.Shape.of(24)), y), x));
    }

    @Test
    void updatesOfIndexedRows() {
        args.add(RefArray.ofLongs(DType.I64, io.sinter.ir.Shape.of(4), 2, 0, 2, -1));
        Node idx = b.input(Type.of(DType.I64, 4));
        Node x = in(5, 7);
        Node src = in(4, 7);
        check(b.apply(new Put(0, Put.Mode.ADD), b.mul(x, x), idx, b.add(src, src)));
    }

    /** A batch norm is one kernel, whether or not its running variance is updated in place: the update reads what the kernel stores. */
    @Test
    void stateThatIsUpdatedInPlaceDoesNotSplitWhatItIsMadeOf() {
        for (int donor : new int[] {-1, 1}) {
            args.clear();
            GraphBuilder norm = new GraphBuilder();
            Type image = Type.of(DType.F32, 2, 512, 2, 2);
            Type channels = Type.of(DType.F32, 512);
            for (Type t : List.of(image, channels)) args.add(Sample.uniform(t, -1, 1, args.size() + 1));
            Node x = norm.input(image);
            Node running = norm.input(channels);
            Shape column = Type.of(DType.F32, 1, 512, 1, 1).shape();
            Reduce sum = new Reduce(Reduce.Kind.SUM, 0, 2, 3);
            Node mean = norm.apply(new Reshape(column), norm.apply(sum, x));
            Node d = norm.sub(x, norm.expand(mean, image.shape()));
            Node variance = norm.apply(new Reshape(column), norm.apply(sum, norm.mul(d, d)));
            Node deviation = norm.apply(Unary.RSQRT, variance);
            Node y = norm.apply(Unary.RELU, norm.mul(d, norm.expand(deviation, image.shape())));
            Node updated = norm.add(running, norm.apply(new Reshape(channels.shape()), variance));
            Graph g = norm.build(updated, y, deviation);
            g = new Graph(g.inputs(), g.nodes(), g.outputs(), List.of(donor, -1, -1));
            Plan p = check(g);
            assertTrue(p.steps().size() <= 2, p.steps()::toString);
        }
    }

    /** The gradient of a projection that was split in three (attention's), whose columns are summed: choosing a part for each element is no vector code. */
    @Test
    void aConcatenationThatIsStoredIsNotPartOfTheSumsOfItsColumns() {
        Node parts = b.apply(new Concat(1), in(4096, 24), in(4096, 24), in(4096, 24));
        // (Fewer rows would not be summed in blocks.) Whole numbers: the sums are exact in any order.
        for (RefArray a : args) for (int i = 0; i < a.size(); i++) a.set(i, Math.rint(4 * a.getDouble(i)));
        Plan p = check(parts, b.apply(new Reduce(Reduce.Kind.SUM, 0), parts));
        assertEquals("concat", ((Plan.Launch) p.steps().getFirst()).kernel().name());
    }

    /**
     * What costs little beside a device's memory is computed again where it is read, from what it is computed from: a gelu's tanh, and the polynomial in it.
     * A row's value is not, for each element of the row.
     */
    @Test
    void arithmeticIsRepeatedWhereItIsCheap() {
        Node x = in(64, 48);
        Node cube = b.mul(b.mul(x, x), x);
        Node t = b.unary(Unary.TANH, b.add(x, cube));
        Node rows = b.apply(new Reduce(Reduce.Kind.SUM, 1), b.mul(t, x));
        Node columns = b.apply(new Reduce(Reduce.Kind.SUM, 0), b.mul(t, in(64, 48)));
        Graph gelu = b.build(rows, columns);
        assertEquals(0, plan(gelu, 10).arenaBytes());
        assertEquals(64 * 48 * 4, plan(gelu, 2).arenaBytes());
        Node e = b.unary(
                Unary.RSQRT, b.add(b.mul(b.apply(new Reduce(Reduce.Kind.SUM, 1), b.mul(x, x)), 1 / 48.0), 1e-5));
        Node each = b.expand(b.apply(new Reshape(Shape.of(64, 1)), e), Shape.of(64, 48));
        Node scaled = b.apply(new Reduce(Reduce.Kind.SUM, 0), b.mul(each, in(64, 48)));
        for (int repeats : new int[] {2, 10}) {
            Plan p = plan(b.build(b.apply(new Reduce(Reduce.Kind.SUM, 1), b.mul(each, in(64, 48))), scaled), repeats);
            String last = KernelText.print(((Plan.Launch) p.steps().getLast()).kernel());
            assertFalse(last.contains("rsqrt"), last);
        }
    }

    /** A product gets its bias where it is stored, not in each of its readers. */
    @Test
    void aBiasIsAddedOnce() {
        Node x = in(64, 32);
        Node z = b.apply(new Reshape(Shape.of(4, 16, 48)), b.matmul(x, in(32, 48)));
        Node biased = b.add(z, b.expand(b.apply(new Reshape(Shape.of(1, 1, 48)), in(48)), Shape.of(4, 16, 48)));
        Node r = b.unary(Unary.RELU, biased);
        Plan p = plan(b.build(r, b.apply(new Reduce(Reduce.Kind.SUM, 0, 1), b.mul(biased, in(4, 16, 48)))), 10);
        kernels(2, p);
        String sum = KernelText.print(((Plan.Launch) p.steps().getLast()).kernel());
        assertFalse(sum.contains("add("), sum);
    }

    private static Plan plan(Graph g, int repeats) {
        return Compiler.plan(g, Fusion.MAX_WEIGHT, new Capabilities(Compiler::keptWhole, false, repeats, true));
    }
}
