// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.GemmSchedule.Math;
import io.sinter.codegen.ptx.GemmSchedule.Source;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every form of the template for matrix products and convolutions on the simulator against the reference evaluator, on whole numbers, of which every
 * type of instruction makes the exact result; and what the assembler says of them.
 */
class GemmTemplateTest extends GemmTests {
    /** Every layout, by asynchronous copies: strides are whole chunks, edges are not. */
    @TestFactory
    Stream<DynamicTest> alignedOperands() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : TYPES) {
            for (int turns = 0; turns < 4; turns++) {
                boolean a = (turns & 1) != 0;
                boolean b = turns > 1;
                String what = t + (a ? ", a turned" : "") + (b ? ", b turned" : "");
                tests.add(DynamicTest.dynamicTest(what, () -> check(what, product(t, 2, 72, 88, 104, a, b), LAST)));
            }
        }
        return tests.stream();
    }

    /** Large tiles, with rows, columns and steps beyond the first. */
    @TestFactory
    Stream<DynamicTest> largeTiles() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : TYPES) {
            boolean turned = t == DType.F16;
            tests.add(DynamicTest.dynamicTest(
                    t.toString(), () -> check("large", product(t, 1, 136, 280, 72, false, turned), tile(0))));
            if (t.bytes() == 2)
                tests.add(DynamicTest.dynamicTest(
                        t + ", second", () -> check("second", product(t, 1, 136, 152, 72, turned, false), tile(1))));
        }
        return tests.stream();
    }

    /** Nothing is aligned: extents are odd, or memory begins beside an aligned address. */
    @TestFactory
    Stream<DynamicTest> unalignedOperands() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : TYPES) {
            tests.add(DynamicTest.dynamicTest(
                    t + ", odd", () -> check("odd", product(t, 1, 65, 67, 35, false, true), LAST)));
            tests.add(DynamicTest.dynamicTest(
                    t + ", turned", () -> check("turned", product(t, 2, 33, 31, 37, true, false), LAST)));
            tests.add(DynamicTest.dynamicTest(
                    t + ", shifted", () -> check("shifted", product(t, 1, 64, 64, 64, false, false), LAST, 1, 0)));
            tests.add(DynamicTest.dynamicTest(
                    t + ", one", () -> check("one", product(t, 3, 1, 1, 1, false, false), LAST)));
        }
        return tests.stream();
    }

    /** One operand is copied, the other one comes by its own code; the result does not change. */
    @Test
    void operandsComeIndependently() {
        for (int[] shifts : new int[][] {{0, 0}, {1, 0}, {0, 1}}) {
            Source[] sources = new Source[2];
            Form form = LAST;
            SimPlan.Choice see = (k, slot) -> {
                GemmSchedule s = (GemmSchedule) form.of(k, slot);
                sources[0] = s.left();
                sources[1] = s.right();
                return s;
            };
            Graph g = product(DType.BF16, 1, 70, 72, 40, false, false);
            List<RefArray> args = new ArrayList<>();
            for (Node n : g.inputs()) args.add(SimPlan.whole(n.type(), args.size() + 1));
            new SimPlan(g, args, see, Target.SM_80, seed, shifts).check("shifts", 0);
            assertEquals(shifts[0] == 0 ? Source.ASYNC : Source.CODE, sources[0]);
            assertEquals(shifts[1] == 0 ? Source.ASYNC : Source.CODE, sources[1]);
        }
    }

    /** Products by warpgroups: every layout and both tiles, more tiles than CTAs, more stages than the ring has. */
    @TestFactory
    Stream<DynamicTest> warpgroups() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : List.of(DType.BF16, DType.F16)) {
            for (int turns = 0; turns < 4; turns++) {
                boolean a = (turns & 1) != 0;
                boolean b = turns > 1;
                for (int n = 0; n < 2; n++) {
                    int tile = n;
                    if (t == DType.F16 && a != b) continue;
                    String what = t + ", turns " + turns + ", tile " + tile;
                    Graph g = tile == 0 ? product(t, 1, 136, 264, 200, a, b) : product(t, 2, 136, 152, 72, a, b);
                    Form form = new Form(tile, MatmulPrecision.HIGHEST, 0, Target.SM_90A);
                    tests.add(DynamicTest.dynamicTest(what, () -> check(what, g, form)));
                }
            }
        }
        Form form = new Form(1, MatmulPrecision.HIGHEST, 0, Target.SM_90A);
        // The left operand is the same for all of a batch: its map has no dimension for it.
        GraphBuilder shared = new GraphBuilder();
        Node a = shared.input(Type.of(DType.BF16, 72, 64));
        Node b = shared.input(Type.of(DType.BF16, 3, 2, 64, 80));
        Graph batched = shared.build(shared.matmul(shared.expand(a, Shape.of(3, 2, 72, 64)), b));
        tests.add(DynamicTest.dynamicTest("batched", () -> check("batched", batched, form)));
        tests.add(DynamicTest.dynamicTest(
                "long", () -> check("long", product(DType.F16, 1, 8, 8, 712, false, false), form)));
        return tests.stream();
    }

    /** Integers wrap. */
    @TestFactory
    Stream<DynamicTest> integers() {
        return Stream.of(DType.I32, DType.I64, DType.U8)
                .map(t -> DynamicTest.dynamicTest(t.toString(), () -> {
                    GraphBuilder g = new GraphBuilder();
                    Node a = g.input(Type.of(t, 20, 40));
                    Node b = g.input(Type.of(t, 40, 68));
                    check(t.toString(), g.build(g.matmul(a, b)), tile(0));
                }));
    }

    /** f32 in TF32, when that is allowed. */
    @Test
    void tf32() {
        Form high = new Form(-1, MatmulPrecision.HIGH, 0);
        for (int turns = 0; turns < 4; turns++) {
            Graph g = product(DType.F32, 1, 72, 68, 40, (turns & 1) != 0, turns > 1);
            check("tf32, turns " + turns, g, high);
        }
        check("tf32, odd", product(DType.F32, 1, 37, 33, 27, true, true), high);
        check("tf32, large", product(DType.F32, 1, 132, 140, 36, false, false), new Form(0, MatmulPrecision.HIGH, 0));
    }

    /** Operands of f32 are rounded to TF32 to nearest, ties away from zero, not cut. */
    @Test
    void tf32Rounds() {
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(DType.F32, 1, 1));
        Node b = g.input(Type.of(DType.F32, 1, 1));
        Graph graph = g.build(g.matmul(a, b));
        float half = 1 + java.lang.Math.scalb(1f, -11);
        List<RefArray> args =
                List.of(RefArray.of(DType.F32, Shape.of(1, 1), half), RefArray.of(DType.F32, Shape.of(1, 1), 1));
        double want = 1 + java.lang.Math.scalb(1.0, -10);
        new SimPlan(graph, args, new Form(-1, MatmulPrecision.HIGH, 0), Target.SM_80, seed)
                .check("rounded", want - half + 1e-12);
        org.junit.jupiter.api.Assertions.assertThrows(AssertionError.class, () -> new SimPlan(
                        graph, args, new Form(-1, MatmulPrecision.HIGH, 0), Target.SM_80, seed)
                .check("not exact", (want - half) / 2));
    }

    /** A long sum of a small result is made in parts, which are added in order. */
    @TestFactory
    Stream<DynamicTest> sumsInParts() {
        return Stream.of(TYPES)
                .map(t -> DynamicTest.dynamicTest(t.toString(), () -> {
                    Graph g = product(t, 2, 18, 21, 300, false, false);
                    SimPlan p = check(t.toString(), g, new Form(-1, MatmulPrecision.HIGHEST, 4));
                    assertTrue(p.kernels().getFirst().next() != null);
                    // More parts than there are stages.
                    check(t.toString(), product(t, 1, 5, 6, 20, false, true), new Form(-1, MatmulPrecision.HIGHEST, 4));
                }));
    }

    /** Rows that are several axes in memory: the heads of attention. */
    @Test
    void axesTakenApart() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.BF16, 3, 24, 2, 16));
        Node w = g.input(Type.of(DType.BF16, 32, 40));
        // [batch, time, head, 16] as it comes from attention: [batch, head, time, 16] turned.
        Node rows = g.reshape(x, Shape.of(72, 32));
        Node turned = g.reshape(g.permute(g.reshape(x, Shape.of(3, 2, 24, 16)), 0, 2, 1, 3), Shape.of(72, 32));
        check("apart", g.build(g.matmul(rows, w), g.matmul(turned, w)), LAST);
    }

    private static Graph conv(DType t, int groups, long stride, long pad, long dilation) {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(t, 2, 4L * groups, 9, 10));
        Node w = g.input(Type.of(t, 6L * groups, 4, 3, 2));
        long[] s = {stride, stride};
        long[] p = {pad, pad};
        long[] d = {dilation, dilation};
        Node y = g.apply(new Conv(s, p, p, d, groups), x, w);
        Node dy = g.input(y.type());
        return g.build(
                g.mul(y, 2),
                g.apply(new ConvInputGrad(x.shape(), s, p, p, d, groups), dy, w),
                g.apply(new ConvWeightGrad(w.shape(), s, p, p, d, groups), x, dy));
    }

    @TestFactory
    Stream<DynamicTest> convolutions() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : TYPES) {
            tests.add(DynamicTest.dynamicTest(t + ", padded", () -> check("padded", conv(t, 1, 1, 1, 1), LAST)));
            tests.add(DynamicTest.dynamicTest(t + ", strided", () -> check("strided", conv(t, 2, 2, 1, 1), LAST)));
        }
        tests.add(DynamicTest.dynamicTest("dilated", () -> check("dilated", conv(DType.BF16, 1, 1, 2, 2), tile(0))));
        return tests.stream();
    }

    /** What is chosen for the shapes that matter. */
    @Test
    void choices() {
        record Case(DType type, long m, long n, long k, MatmulPrecision precision, Math math, int rows, int splits) {}
        List<Case> cases = List.of(
                new Case(DType.BF16, 8192, 8192, 8192, MatmulPrecision.HIGHEST, Math.BF16, 128, 1),
                new Case(DType.F16, 256, 256, 64, MatmulPrecision.HIGHEST, Math.F16, 64, 1),
                new Case(DType.F32, 1024, 1024, 1024, MatmulPrecision.HIGHEST, Math.FMA, 128, 4),
                new Case(DType.F32, 1024, 1024, 1024, MatmulPrecision.HIGH, Math.TF32, 128, 1),
                // More tiles than multiprocessors, but not by much: a weight gradient.
                new Case(DType.F32, 768, 768, 8192, MatmulPrecision.HIGHEST, Math.FMA, 64, 8),
                new Case(DType.F64, 1024, 1024, 1024, MatmulPrecision.HIGH, Math.F64, 64, 2),
                new Case(DType.BF16, 64, 64, 65536, MatmulPrecision.HIGHEST, Math.BF16, 64, 32));
        for (Case x : cases) {
            GraphBuilder g = new GraphBuilder();
            Node a = g.input(Type.of(x.type, x.m, x.k));
            Node b = g.input(Type.of(x.type, x.k, x.n));
            Graph graph = g.build(g.matmul(a, b));
            io.sinter.ir.plan.Plan plan =
                    io.sinter.ir.Compiler.plan(graph, io.sinter.ir.fuse.Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES);
            var launch = (io.sinter.ir.plan.Plan.Launch) plan.steps().getFirst();
            GemmSchedule s = (GemmSchedule) PtxCodegen.schedule(
                    launch.kernel(),
                    i -> launch.segments().getFirst().get(i) instanceof io.sinter.ir.plan.Plan.SlotValue.Number v
                            ? v.value()
                            : 0,
                    Target.SM_80,
                    Numerics.DEFAULT.withProducts(x.precision));
            assertEquals(x.math, s.math(), x.toString());
            assertEquals(x.rows, s.tile().rows(), x + " " + s);
            assertEquals(x.splits, s.splits(), x + " " + s);
        }
    }
}
