// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Compiler;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Scan.Kind;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Scans by CTAs, in one part and in several, on the simulator against the reference evaluator. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ScanTemplateTest {
    private final long seed = Long.getLong("sinter.test.seed", new Random().nextLong());

    @BeforeAll
    void say() {
        System.out.println("ScanTemplateTest: -Dsinter.test.seed=" + seed);
    }

    private static Graph scan(Type t, Kind kind, int axis, boolean reverse) {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(t);
        return g.build(g.apply(new Scan(kind, axis, reverse), x));
    }

    private static Plan plan(Graph g) {
        return Compiler.plan(g, Fusion.MAX_WEIGHT, PtxCodegen.CAPABILITIES);
    }

    /** Sums of them are exact in every type; products are of ones, minus ones and a few twos. */
    private static RefArray whole(Type t, Kind kind) {
        if (kind != Kind.PROD) return SimPlan.whole(t, 3);
        Random r = new Random(5);
        int[] of = {1, -1, 1, 1};
        int n = (int) t.numel();
        if (!t.dtype().isFloat()) return RefArray.ofLongs(t, i -> i % 97 == 5 ? 3 : 1);
        return RefArray.of(t, i -> n < 400 && i % 50 == 7 ? 2 : of[r.nextInt(4)]);
    }

    private SimPlan run(Graph g, RefArray x, int parts, long ctas, int shift, long order) {
        SimPlan.Choice choice = (kernel, _) -> new ScanSchedule(parts);
        return new SimPlan(g, List.of(x), choice, Target.SM_80, order, shift).withCtas(ctas);
    }

    private DynamicTest test(String what, Type t, Kind kind, int axis, boolean reverse, int parts, int shift) {
        String name = what + ": " + kind + " of " + t + " along " + axis + (reverse ? ", reverse" : "") + ", " + parts
                + " parts";
        return DynamicTest.dynamicTest(name, () -> {
            SimPlan p = run(scan(t, kind, axis, reverse), whole(t, kind), parts, parts == 4 ? 3 : 1 << 20, shift, seed);
            p.check(name + ", seed " + seed, 0);
            PtxKernel k = p.kernels().getFirst();
            assertEquals(parts > 1, k.next() != null);
        });
    }

    /** Around a tile's end and a part's, with parts that are empty; arrays that are aligned and not. */
    @TestFactory
    Stream<DynamicTest> lengths() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int n : new int[] {1, 255, 256, 257, 1023, 1024, 1025, 3000, 8192}) {
            for (int parts : new int[] {1, 4})
                tests.add(test("length", Type.of(DType.F32, 3, n), Kind.SUM, 1, false, parts, n == 3000 ? 1 : 0));
        }
        tests.add(test("most parts", Type.of(DType.F32, 20_001), Kind.SUM, 0, true, ScanSchedule.MAX_PARTS, 0));
        return tests.stream();
    }

    /** Every type, of which narrow ones wrap, and every kind. */
    @TestFactory
    Stream<DynamicTest> types() {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType t : DType.values()) {
            if (t.isBool()) continue;
            boolean coarse = t == DType.F16 || t == DType.BF16;
            for (Kind kind : Kind.values()) {
                long n = coarse && kind == Kind.SUM ? 300 : 1500;
                tests.add(test("type", Type.of(t, 2, n), kind, 1, kind == Kind.MAX, t.bytes() == 4 ? 2 : 1, 0));
            }
        }
        return tests.stream();
    }

    /** Columns, few and in tiles of which the last is short; backwards. */
    @TestFactory
    Stream<DynamicTest> columns() {
        List<DynamicTest> tests = new ArrayList<>();
        for (boolean reverse : new boolean[] {false, true}) {
            tests.add(test("columns", Type.of(DType.F32, 1100, 3), Kind.SUM, 0, reverse, 2, 0));
            tests.add(test("columns", Type.of(DType.I64, 300, 70), Kind.SUM, 0, reverse, 1, 0));
            tests.add(test("middle", Type.of(DType.F64, 2, 600, 2), Kind.SUM, 1, reverse, 2, 0));
        }
        return tests.stream();
    }

    /** NaN stays once it has come, in this part and those after it. */
    @Test
    void extremesKeepNan() {
        Type t = Type.of(DType.F32, 5000);
        RefArray x = RefArray.of(t, i -> i == 2100 ? Double.NaN : Math.floor(i / 7.0));
        Graph g = scan(t, Kind.MAX, 0, false);
        for (int parts : new int[] {1, 2}) {
            RefArray y = run(g, x, parts, 8, 0, seed).run(plan(g)).getFirst();
            for (int i = 0; i < 5000; i++)
                assertEquals(i < 2100 ? i / 7 : Double.NaN, y.getDouble(i), "element " + i + ", " + parts + " parts");
        }
    }

    /** What is read need not lie side by side: views vanish. */
    @Test
    void linesOfViews() {
        Type t = Type.of(DType.F32, 4500, 2);
        GraphBuilder g = new GraphBuilder();
        Graph graph = g.build(g.apply(new Scan(Kind.SUM, 1, false), g.transpose(g.input(t), 0, 1)));
        SimPlan p = run(graph, SimPlan.whole(t, 4), 2, 8, 0, seed).check("views", 0);
        assertEquals(1, p.kernels().size());
    }

    /** The order in which CTAs and warps run makes no difference to a bit: sums that round differ in others. */
    @Test
    void bitsDoNotDependOnTime() {
        Type t = Type.of(DType.F32, 2, 9000);
        RefArray x = RefArray.of(t, i -> Math.sin(i) * 1e3);
        Graph g = scan(t, Kind.SUM, 1, false);
        Plan plan = plan(g);
        RefArray first = run(g, x, 4, 8, 0, 1).run(plan).getFirst();
        for (int order = 2; order < 5; order++) {
            RefArray again = run(g, x, 4, 2 + order, 0, order).run(plan).getFirst();
            for (int i = 0; i < first.size(); i++) assertEquals(first.getDouble(i), again.getDouble(i), "element " + i);
        }
    }

    private static Schedule chosen(Type t, int axis) {
        Plan plan = plan(scan(t, Kind.SUM, axis, false));
        Plan.Launch l = (Plan.Launch) plan.steps().getFirst();
        assertTrue(l.kernel() instanceof LoopKernel);
        return PtxCodegen.schedule(
                l.kernel(),
                i -> l.segments().getFirst().get(i) instanceof Plan.SlotValue.Number n ? n.value() : 0,
                Target.SM_80,
                Numerics.DEFAULT);
    }

    /** Long lines have CTAs of their own, few long ones several; many are a thread's each, as are short ones. */
    @Test
    void formsAreChosenByExtents() {
        assertEquals(new ScanSchedule(128), chosen(Type.of(DType.F32, 1 << 20), 0));
        assertEquals(new ScanSchedule(2), chosen(Type.of(DType.F32, 3, 5000), 1));
        assertEquals(new ScanSchedule(1), chosen(Type.of(DType.F32, 1000, 5000), 1));
        assertEquals(new ScanSchedule(16), chosen(Type.of(DType.F32, 1 << 20, 10), 0));
        assertEquals(new Schedule.Only(), chosen(Type.of(DType.F32, 100_000, 500), 1));
        assertEquals(new Schedule.Only(), chosen(Type.of(DType.F32, 4, 100), 1));
    }
}
