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
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Softmax;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Expensive values that several passes over a row need: they lie in the row of a result until that is stored, or in scratch memory. */
class KeptRowsTest {
    private GraphBuilder b = new GraphBuilder();
    private final List<RefArray> args = new ArrayList<>();

    private Node in(DType t, long... dims) {
        Type type = Type.of(t, dims);
        args.add(Sample.uniform(type, -2, 2, args.size() + 1));
        return b.input(type);
    }

    private String kernel(Node... out) {
        Plan p = PlanTest.check(b.build(out), args, "kept rows");
        b = new GraphBuilder();
        args.clear();
        List<String> kernels = texts(p);
        assertEquals(1, kernels.size(), kernels.toString());
        return kernels.getFirst();
    }

    private static List<String> texts(Plan p) {
        return p.steps().stream()
                .filter(s -> s instanceof Plan.Launch)
                .map(s -> KernelText.print(((Plan.Launch) s).kernel()))
                .toList();
    }

    private static int stores(String kernel) {
        return kernel.split("\\] = ", -1).length - 1;
    }

    private Node rowSums(Node x) {
        return b.expand(b.reshape(b.sum(x, 1), Shape.of(x.shape().dim(0), 1)), x.shape());
    }

    /** No number in the code tells how long the rows are: one kernel for all lengths. */
    @Test
    void aSoftmaxKeepsItsExponentialsInTheResult() {
        String k = kernel(b.apply(new Softmax(1), in(DType.F32, 13, 40)));
        assertTrue(k.contains("scratch=0"), k);
        assertEquals(2, stores(k), k);
        assertEquals(k, kernel(b.apply(new Softmax(1), in(DType.F32, 9, 70))));
    }

    /** Results in a narrower type would round them. */
    @Test
    void narrowResultsHaveNoRoom() {
        String k = kernel(b.apply(new Softmax(1), in(DType.BF16, 13, 40)));
        assertFalse(k.contains("scratch=0"), k);
    }

    /** A transposed result is no row of memory. */
    @Test
    void otherOrdersHaveNoRoom() {
        Node y = b.apply(new Softmax(1), in(DType.F32, 13, 40));
        String k = kernel(b.unary(Unary.NEG, b.transpose(y, 0, 1)));
        assertTrue(stores(k) > 0, k);
    }

    @Test
    void aResultIsStoredOnce() {
        Node e = b.unary(Unary.EXP, in(DType.F32, 13, 40));
        String k = kernel(e, b.div(e, rowSums(e)));
        assertTrue(k.contains("scratch=0"), k);
        assertEquals(2, stores(k), k);
    }

    /** The first result is there before the last pass needs the exponentials; they lie in the second one. */
    @Test
    void aValueOutlivesAResult() {
        Node e = b.unary(Unary.EXP, in(DType.F32, 13, 40));
        Node first = b.sub(e, rowSums(e));
        Node second = b.mul(e, rowSums(b.mul(first, first)));
        String k = kernel(first, second);
        assertTrue(k.contains("scratch=0"), k);
        assertEquals(3, stores(k), k);
    }

    @Test
    void twoValuesAndOneResult() {
        Node x = in(DType.F32, 13, 40);
        Node e = b.unary(Unary.EXP, x);
        Node t = b.unary(Unary.TANH, x);
        String k = kernel(b.add(b.div(e, rowSums(e)), b.mul(t, rowSums(t))));
        assertFalse(k.contains("scratch=0"), k);
        assertEquals(3, stores(k), k);
    }

    /** A result that takes its argument's memory, and reads it once more after the exponentials are stored. */
    @Test
    void aResultOverItsArgument() {
        Node x = in(DType.F32, 13, 40);
        Node e = b.unary(Unary.EXP, x);
        Graph g = b.build(b.mul(b.div(e, rowSums(e)), x));
        PlanTest.check(new Graph(g.inputs(), g.nodes(), g.outputs(), List.of(0)), args, "donated");
    }

    /** A GPU's threads keep such rows in registers. */
    @Test
    void devicesOfSmallTasksUseScratch() {
        Graph g = b.build(b.apply(new Softmax(1), in(DType.F32, 13, 40)));
        Plan p = Compiler.plan(g, Fusion.MAX_WEIGHT, new Capabilities(Compiler::keptWhole, false, 2, true));
        for (String k : texts(p)) assertFalse(k.contains("scratch=0"), k);
    }
}
