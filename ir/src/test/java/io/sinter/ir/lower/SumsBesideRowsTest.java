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
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.op.LayerNorm;
import io.sinter.ir.op.LayerNormGrad;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Softmax;
import io.sinter.ir.op.Unary;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Row kernels that sum blocks of their rows column by column. */
class SumsBesideRowsTest {
    private GraphBuilder b = new GraphBuilder();
    private final List<RefArray> args = new ArrayList<>();

    private Node in(DType t, long... dims) {
        Type type = Type.of(t, dims);
        args.add(Sample.uniform(type, -1, 1, args.size() + 1));
        return b.input(type);
    }

    private List<String> kernels(Node... out) {
        Plan p = PlanTest.check(b.build(out), args, "sums beside rows");
        b = new GraphBuilder();
        args.clear();
        return texts(p);
    }

    private static List<String> texts(Plan p) {
        return p.steps().stream()
                .map(s -> KernelText.print(((Plan.Launch) s).kernel()))
                .toList();
    }

    /** A layer norm with scale and shift, and the gradients of all three. */
    private Node[] layerNorm(DType t, long... dims) {
        int last = dims.length - 1;
        Node x = in(t, dims);
        Node g = in(t, dims[last]);
        Node shift = in(t, dims[last]);
        Node dy = in(t, dims);
        int[] rows = new int[last];
        for (int i = 0; i < last; i++) rows[i] = i;
        Shape all = x.shape();
        List<Node> norm = b.emit(new LayerNorm(1, 1e-5), List.of(x));
        Node y = b.add(b.mul(norm.getFirst(), b.expand(g, all)), b.expand(shift, all));
        Node dn = b.mul(dy, b.expand(g, all));
        Node dx = b.apply(new LayerNormGrad(1), dn, x, norm.get(1), norm.get(2));
        return new Node[] {y, dx, b.sum(b.mul(dy, norm.getFirst()), rows), b.sum(dy, rows)};
    }

    /** One kernel for everything, and the sums of its blocks; the same code for any number of rows. */
    @Test
    void aLayerNormIsOneKernel() {
        Set<String> code = new HashSet<>();
        for (long rows : new long[] {1031, 1032}) {
            List<String> k = kernels(layerNorm(DType.F32, rows, 256));
            assertTrue(k.size() <= 3, k.toString());
            assertTrue(k.getFirst().split("out").length > 4, k.getFirst());
            // Beside the loops over sums: the means of x and dy, those of their products with what is centred, and
            // everything else.
            String[] passes = k.getFirst().split(" vector\n");
            assertEquals(1 + 3 + 2, passes.length, k.getFirst());
            assertFalse(passes[2].contains("scratch"), k.getFirst());
            code.addAll(k);
        }
        assertEquals(2, code.size(), code.toString());
    }

    @Test
    void rowsOfSeveralAxes() {
        assertTrue(kernels(layerNorm(DType.F64, 7, 150, 256)).size() <= 3);
        assertTrue(kernels(layerNorm(DType.F32, 33, 32, 257)).size() <= 3);
    }

    /** The rows' variables are not one, where something is read by each of them. */
    @Test
    void rowsThatAreNotJoined() {
        Node x = in(DType.F32, 7, 150, 256);
        Node perImage = b.expand(b.reshape(in(DType.F32, 7), Shape.of(7, 1, 1)), x.shape());
        Node y = b.apply(new Softmax(2), b.mul(x, perImage));
        List<String> k = kernels(y, b.sum(y, 0, 1));
        assertEquals(2, k.size(), k.toString());
    }

    /** Softmax's gradient with that of a bias; an RMS norm's; the largest of each column. */
    @Test
    void anyRowKernel() {
        Node y = in(DType.F64, 1040, 256);
        Node dy = in(DType.F64, 1040, 256);
        Node dx = b.mul(b.sub(dy, b.expand(b.sumKeep(b.mul(dy, y), 1), y.shape())), y);
        assertEquals(2, kernels(dx, b.sum(dx, 0)).size());

        Node x = in(DType.F64, 1040, 256);
        Node scale = b.unary(Unary.RSQRT, b.add(b.mul(b.sumKeep(b.mul(x, x), 1), 1.0 / 256), 1e-6));
        Node normal = b.mul(x, b.expand(scale, x.shape()));
        List<String> k = kernels(normal, b.sum(normal, 0), b.reduce(Reduce.Kind.MAX, normal, 0));
        assertTrue(k.size() <= 3, k.toString());
        assertEquals(3, k.getFirst().split("\n")[1].split("out").length - 1, k.getFirst());
    }

    /** A generator that cannot gets the rows and the sums apart. */
    @Test
    void notWhereItIsNotWanted() {
        Graph g = b.build(layerNorm(DType.F32, 1030, 256));
        Capabilities none = new Capabilities(Compiler::keptWhole, false, 2, true);
        Plan apart = Compiler.plan(g, Fusion.MAX_WEIGHT, none);
        Plan together = Compiler.plan(g, Fusion.MAX_WEIGHT, Capabilities.ALL);
        assertEquals(together.steps().size() + 1, apart.steps().size());
        LoopKernel rows = (LoopKernel) ((Plan.Launch) apart.steps().getFirst()).kernel();
        assertFalse(KernelText.print(rows).contains(" seq"), KernelText.print(rows));
    }
}
