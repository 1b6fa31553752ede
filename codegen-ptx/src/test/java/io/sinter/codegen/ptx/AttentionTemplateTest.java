// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.codegen.ptx.GemmSchedule.Math;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Attention's forms, forward and backward, on the simulator against the reference evaluator: several blocks of queries, keys and features, none of them
 * full at the edges, with hidden keys.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AttentionTemplateTest {
    private final long seed = Long.getLong("sinter.test.seed", new Random().nextLong());

    @BeforeAll
    void say() {
        System.out.println("AttentionTemplateTest: -Dsinter.test.seed=" + seed);
    }

    private static RefArray random(Type t, long seed) {
        Random r = new Random(seed);
        boolean half = t.dtype().bytes() == 2;
        // Exact in 16 bits.
        return RefArray.of(t, _ -> half ? (r.nextInt(65) - 32) / 32.0 : r.nextDouble() * 2 - 1);
    }

    private record Case(Graph graph, List<RefArray> args) {
        /** Of so many features of keys and of values; heads lie between positions and features if {@code turned}. */
        static Case of(DType t, boolean causal, long d, long e, boolean turned) {
            GraphBuilder g = new GraphBuilder();
            List<Node> inputs = new ArrayList<>();
            List<Node> operands = new ArrayList<>();
            for (long[] s : new long[][] {{2, 70, d}, {2, 130, d}, {2, 130, e}}) {
                Node x = g.input(turned ? Type.of(t, s[1], s[0], s[2]) : Type.of(t, s));
                inputs.add(x);
                operands.add(turned ? g.transpose(x, 0, 1) : x);
            }
            Node bias = g.input(Type.of(t, 2, 70, 130));
            Node dout = g.input(Type.of(t, 2, 70, e));
            inputs.addAll(List.of(bias, dout));
            operands.add(bias);
            operands.add(g.constant(bias, 0.25));
            List<Node> results = new ArrayList<>(g.emit(new Attention(causal), operands));
            operands.addAll(results);
            operands.add(dout);
            results.addAll(g.emit(new AttentionGrad(causal), operands));
            Graph graph = g.build(results.toArray(Node[]::new));
            List<RefArray> args = new ArrayList<>();
            for (Node n : inputs) args.add(random(n.type(), args.size() + 1));
            // Query 5 sees nothing.
            args.set(
                    3,
                    RefArray.of(
                            bias.type(),
                            i -> i / 130 % 70 == 5 || i * 7L % 11 == 3
                                    ? Double.NEGATIVE_INFINITY
                                    : (i % 13 - 6) * 0.125));
            return new Case(graph, args);
        }
    }

    /** Rows of 16 bytes' multiples come by asynchronous copies, others, and f64, by code; f32 is TF32 where that is allowed. */
    @ParameterizedTest
    @CsvSource({
        "F16, false, 72, 24, false, HIGHEST, F16, true, 4e-3",
        "F16, true, 16, 136, true, HIGHEST, F16, true, 4e-3",
        "F16, true, 40, 20, false, HIGHEST, F16, false, 4e-3",
        "BF16, true, 72, 24, false, HIGHEST, BF16, true, 3e-2",
        "BF16, false, 20, 24, true, HIGHEST, BF16, false, 3e-2",
        "F32, false, 36, 20, false, HIGH, TF32, true, 4e-3",
        "F32, true, 8, 68, true, HIGH, TF32, true, 4e-3",
        "F32, true, 35, 21, false, HIGH, TF32, false, 4e-3",
        "F32, false, 36, 20, true, HIGHEST, FMA, true, 2e-5",
        "F32, true, 72, 68, false, HIGHEST, FMA, true, 2e-5",
        "F32, true, 35, 21, false, HIGHEST, FMA, false, 2e-5",
        "F64, true, 8, 12, false, HIGH, FMA, false, 1e-12"
    })
    void forms(
            DType t,
            boolean causal,
            long d,
            long e,
            boolean turned,
            MatmulPrecision precision,
            Math math,
            boolean async,
            double tolerance) {
        Case c = Case.of(t, causal, d, e, turned);
        List<Schedule> chosen = new ArrayList<>();
        SimPlan.Choice choice = (kernel, slot) -> {
            Schedule s = PtxCodegen.schedule(kernel, slot, Target.SM_80, Numerics.DEFAULT.withProducts(precision));
            if (kernel instanceof AttentionKernel) chosen.add(s);
            return s;
        };
        new SimPlan(c.graph, c.args, choice, Target.SM_80, seed).check("seed " + seed, tolerance);
        AttentionSchedule form = new AttentionSchedule(math, async);
        assertEquals(List.of(form, form), chosen);
    }

    /** Threads with more elements, where a launch has many CTAs: here it is asked for them. */
    @ParameterizedTest
    @CsvSource({"false, 36, 20, true", "true, 72, 68, false", "true, 132, 36, true"})
    void moreElements(boolean causal, long d, long e, boolean turned) {
        Case c = Case.of(DType.F32, causal, d, e, turned);
        SimPlan.Choice choice = (kernel, slot) -> {
            List<Schedule> all = PtxCodegen.schedules(kernel, slot, Target.SM_80, Numerics.DEFAULT);
            if (!(kernel instanceof AttentionKernel)) return all.getFirst();
            return all.stream()
                    .filter(s -> s instanceof AttentionSchedule a && a.elements() == 64)
                    .findFirst()
                    .orElseThrow();
        };
        // Few CTAs take more than one block each.
        new SimPlan(c.graph, c.args, choice, Target.SM_80, seed).withCtas(3).check("seed " + seed, 2e-5);
    }

    /** Whole heads: several blocks of queries and keys, more keys than queries and fewer, scales of either sign and 0. */
    @ParameterizedTest
    @CsvSource({
        "BF16, true, 64, 64, 150, 200, 0.25, 64, 1e-2",
        "BF16, true, 64, 64, 260, 70, -0.25, 64, 1e-2",
        "BF16, false, 64, 40, 130, 130, 0, 64, 1e-2",
        "F16, false, 24, 64, 17, 300, -2, 64, 2e-3",
        "F16, true, 128, 72, 130, 130, 0.25, 128, 2e-3",
        "BF16, false, 72, 128, 65, 100, 0.25, 128, 1e-2"
    })
    void wholeHeads(
            DType t,
            boolean causal,
            long d,
            long e,
            long queries,
            long keys,
            double scale,
            int features,
            double tolerance) {
        GraphBuilder g = new GraphBuilder();
        List<Node> inputs = new ArrayList<>();
        // Heads between positions and features, as projections leave them.
        for (long[] s : new long[][] {{queries, d}, {keys, d}, {keys, e}}) {
            inputs.add(g.input(Type.of(t, s[0], 2, s[1])));
        }
        List<Node> operands = new ArrayList<>();
        for (Node x : inputs) operands.add(g.transpose(x, 0, 1));
        operands.add(g.expand(g.constant(inputs.getFirst(), 0), Shape.of(2, queries, keys)));
        operands.add(g.constant(inputs.getFirst(), scale));
        List<Node> results = new ArrayList<>(g.emit(new Attention(causal), operands));
        operands.addAll(results);
        Node dout = g.input(Type.of(t, queries, 2, e));
        operands.add(g.transpose(dout, 0, 1));
        results.addAll(g.emit(new AttentionGrad(causal), operands));
        Graph graph = g.build(results.toArray(Node[]::new));
        List<RefArray> args = new ArrayList<>();
        for (Node n : graph.inputs()) args.add(random(n.type(), args.size() + 1));
        List<Schedule> chosen = new ArrayList<>();
        SimPlan.Choice choice = (kernel, slot) -> {
            chosen.add(PtxCodegen.schedule(kernel, slot, Target.SM_90A, Numerics.DEFAULT));
            return chosen.getLast();
        };
        // Few CTAs take more than one block each.
        new SimPlan(graph, args, choice, Target.SM_90A, seed).withCtas(3).check("seed " + seed, tolerance);
        AttentionSchedule form = new AttentionSchedule(t == DType.BF16 ? Math.BF16 : Math.F16, true, features);
        assertEquals(List.of(form, form), chosen);
    }

    /** Operands beside an aligned address come by code. */
    @ParameterizedTest
    @CsvSource({"F16, F16", "F32, TF32"})
    void unaligned(DType t, Math math) {
        Case c = Case.of(t, false, 8, 8, false);
        List<Schedule> chosen = new ArrayList<>();
        SimPlan.Choice choice = (kernel, slot) -> {
            chosen.add(PtxCodegen.schedule(
                    kernel, slot, Target.SM_80, Numerics.DEFAULT.withProducts(MatmulPrecision.HIGH)));
            return chosen.getLast();
        };
        new SimPlan(c.graph, c.args, choice, Target.SM_80, seed, 0, 1).check("seed " + seed, 4e-3);
        AttentionSchedule form = new AttentionSchedule(math, false);
        assertEquals(List.of(form, form), chosen);
    }
}
