// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.op.Sample;
import io.sinter.ir.plan.Plan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Matrix products of operands that views took apart: memory with strides, without divisions, and the right values. */
class FactorsTest {
    private static final long BATCH = 2;
    private static final long HEADS = 3;
    private static final long TIME = 5;
    private static final long WIDTH = 4;

    /** What comes from the heads of attention: {@code [batch, heads, time, width]}, as rows of one width. */
    private static Node joined(GraphBuilder e, Node x) {
        return e.reshape(e.permute(x, 0, 2, 1, 3), Shape.of(BATCH * TIME, HEADS * WIDTH));
    }

    private static List<Index> divided(GemmKernel k) {
        List<Index> all = new ArrayList<>();
        for (Index i : Rewriter.indices(List.of(), List.of(k.a(), k.b()))) {
            if (i.terms().stream().anyMatch(t -> !(t.atom() instanceof Index.VarAtom))) all.add(i);
        }
        return all;
    }

    private static GemmKernel check(GraphBuilder e, Node product, Type... inputs) {
        List<io.sinter.ir.ref.RefArray> args = new ArrayList<>();
        for (Type t : inputs) args.add(Sample.uniform(t, -1, 1, 1 + args.size()));
        Plan plan = PlanTest.check(e.build(product), args, "product");
        assertEquals(1, plan.steps().size(), "steps");
        return assertInstanceOf(GemmKernel.class, ((Plan.Launch) plan.steps().getFirst()).kernel());
    }

    @Test
    void projectionOfHeads() {
        GraphBuilder e = new GraphBuilder();
        Type x = new Type(DType.F32, Shape.of(BATCH, HEADS, TIME, WIDTH));
        Type w = new Type(DType.F32, Shape.of(HEADS * WIDTH, 7));
        Node a = e.input(x);
        Node b = e.input(w);
        GemmKernel k = check(e, e.matmul(joined(e, a), b), x, w);
        assertEquals(List.of(), divided(k));
        assertEquals(2, k.m().size());
        assertEquals(2, k.k().size());
        assertInstanceOf(Expr.Load.class, k.a());
    }

    @Test
    void gradientOfTheProjection() {
        GraphBuilder e = new GraphBuilder();
        Type x = new Type(DType.F32, Shape.of(BATCH, HEADS, TIME, WIDTH));
        Type g = new Type(DType.F32, Shape.of(BATCH * TIME, 7));
        Node a = e.input(x);
        Node b = e.input(g);
        GemmKernel k = check(e, e.matmul(e.transpose(joined(e, a), 0, 1), b), x, g);
        assertEquals(List.of(), divided(k));
        assertEquals(2, k.k().size());
    }

    /** 4 and 6 both divide 12, but neither divides the other: the variable stays whole. */
    @Test
    void divisorsThatDoNotNestAreLeft() {
        GraphBuilder e = new GraphBuilder();
        Type x = new Type(DType.F32, Shape.of(3, 5, 4));
        Type y = new Type(DType.F32, Shape.of(2, 7, 6));
        Node a = e.input(x);
        Node b = e.input(y);
        Node rows = e.reshape(e.permute(a, 1, 0, 2), Shape.of(5, 12));
        Node columns = e.reshape(e.permute(b, 0, 2, 1), Shape.of(12, 7));
        Node turned = e.reshape(e.permute(b, 1, 0, 2), Shape.of(7, 12));
        assertEquals(1, check(e, e.matmul(rows, columns), x, y).m().size());
        GraphBuilder f = new GraphBuilder();
        Node c = f.input(x);
        Node d = f.input(y);
        Node left = f.reshape(f.permute(c, 1, 0, 2), Shape.of(5, 12));
        Node right = f.reshape(f.permute(d, 1, 0, 2), Shape.of(7, 12));
        GemmKernel k = check(f, f.matmul(left, f.transpose(right, 0, 1)), x, y);
        assertEquals(1, k.k().size());
        assertTrue(!divided(k).isEmpty());
    }
}
