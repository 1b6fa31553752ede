// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Compiler;
import io.sinter.ir.CompilerWatch;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Scan;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.ir.store.StoredPlan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole programs on the simulated GPU. */
class PtxExecutableTest {
    private final Session session =
            Session.open(Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM));

    @AfterEach
    void close() {
        session.close();
    }

    private Executable compile(Graph graph) {
        return Executable.compile(graph, CompileContext.of(session));
    }

    private void check(Graph graph, List<RefArray> args, double tolerance) {
        List<RefArray> want = RefEvaluator.run(graph, args);
        List<Buffer> buffers = args.stream().map(a -> Buffers.of(session, a)).toList();
        Run run = compile(graph).run(buffers);
        for (int i = 0; i < want.size(); i++) {
            RefArray w = want.get(i);
            RefArray got = Elements.load(w.type(), run.result(i));
            for (int j = 0; j < w.size(); j++) {
                double x = w.getDouble(j);
                // Any number is within a part of infinity.
                double delta = Double.isFinite(x) ? tolerance * Math.max(1, Math.abs(x)) : 0;
                assertEquals(x, got.getDouble(j), delta, i + ", " + j);
            }
        }
    }

    /**
     * Several blocks of queries, keys and features, with hidden keys, forward and gradient: by multiply-adds, and by tensor cores, which round weights to
     * 16 bits.
     */
    @ParameterizedTest
    @CsvSource({
        "F32, false, 2e-5",
        "F32, true, 2e-5",
        "F16, false, 4e-3",
        "F16, true, 4e-3",
        "BF16, false, 3e-2",
        "BF16, true, 3e-2"
    })
    void attentionByBlocks(DType t, boolean causal, double tolerance) {
        GraphBuilder g = new GraphBuilder();
        List<Node> operands = new ArrayList<>();
        for (long[] shape : new long[][] {{2, 70, 72}, {2, 130, 72}, {2, 130, 24}, {2, 70, 130}})
            operands.add(g.input(Type.of(t, shape)));
        Node dout = g.input(Type.of(t, 2, 70, 24));
        operands.add(g.constant(operands.getFirst(), 0.2));
        List<Node> results = new ArrayList<>(g.emit(new Attention(causal), operands));
        operands.addAll(results);
        operands.add(dout);
        results.addAll(g.emit(new AttentionGrad(causal), operands));
        List<RefArray> args = new ArrayList<>();
        for (Node n : operands.subList(0, 3)) args.add(Sample.uniform(n.type(), -1, 1, args.size() + 1));
        // Query 5 sees nothing.
        args.add(RefArray.of(
                operands.get(3).type(),
                i -> i / 130 % 70 == 5 || i * 7L % 11 == 3 ? Double.NEGATIVE_INFINITY : (i % 13 - 6) * 0.1));
        args.add(Sample.uniform(dout.type(), -1, 1, 9));
        check(g.build(results.toArray(Node[]::new)), args, tolerance);
        assertTrue(session.counters().kernelsGenerated() <= 3, "attention is not decomposed");
    }

    /** Rows that several CTAs share, over two kernels that meet in scratch memory; forward, and backward as the gradient has it. */
    @Test
    void scansOfLongRows() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 2, 4500));
        Node y = g.input(Type.of(DType.I32, 5000));
        Graph graph = g.build(
                g.apply(new Scan(Scan.Kind.SUM, 1, false), x),
                g.apply(new Scan(Scan.Kind.SUM, 1, true), x),
                g.apply(new Scan(Scan.Kind.MAX, 0, false), y));
        RefArray whole = RefArray.of(x.type(), i -> i % 7 - 3);
        check(graph, List.of(whole, RefArray.ofLongs(y.type(), i -> i * 7919L % 5000)), 0);
        assertEquals(3, session.counters().kernelsGenerated());
    }

    /** Several tiles, none of them full at the edges, and several panels. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64", "F16", "BF16"})
    void matrixProducts(DType t) {
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(t, 2, 70, 37));
        Node b = g.input(Type.of(t, 2, 37, 131));
        Node bias = g.input(Type.of(t, 131));
        Node c = g.matmul(a, b);
        Node y = g.add(c, g.expand(g.reshape(bias, Shape.of(1, 1, 131)), Shape.of(2, 70, 131)));
        List<RefArray> args = new ArrayList<>();
        for (Node n : List.of(a, b, bias)) args.add(Sample.uniform(n.type(), -1, 1, args.size() + 1));
        check(
                g.build(y),
                args,
                switch (t) {
                    case F64 -> 1e-13;
                    case F32 -> 1e-5;
                    case F16 -> 4e-3;
                    default -> 3e-2;
                });
    }

    /** A sum in parts is two launches with scratch memory between them. */
    @Test
    void longSumsInParts() {
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(DType.F32, 17, 1040));
        Node b = g.input(Type.of(DType.F32, 1040, 21));
        List<RefArray> args = List.of(Sample.uniform(a.type(), -1, 1, 1), Sample.uniform(b.type(), -1, 1, 2));
        check(g.build(g.matmul(a, b)), args, 1e-4);
    }

    /** Operands of f32 are rounded to TF32 only if that was asked for, and then by other code. */
    @Test
    void matmulPrecision() {
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(Type.of(DType.F32, 16, 16));
        Node b = g.input(Type.of(DType.F32, 16, 16));
        Graph graph = g.build(g.matmul(a, b));
        float x = 1 + 0x1p-12f;
        RefArray left = RefArray.of(a.type(), _ -> x);
        RefArray right = RefArray.of(b.type(), i -> i % 17 == 0 ? 1 : 0);
        for (MatmulPrecision p : MatmulPrecision.values()) {
            session.setMatmulPrecision(p);
            Run run = compile(graph).run(List.of(Buffers.of(session, left), Buffers.of(session, right)));
            double got = Elements.load(a.type(), run.result(0)).getDouble(0);
            assertEquals(p == MatmulPrecision.HIGHEST ? x : 1, got, p.toString());
        }
    }

    /** On Hopper large products have maps of tensors as parameters; a replayed graph has those of its addresses. */
    @Test
    void tensorMaps() {
        try (Session hopper = Session.open(session.options(), new SimDriver(Target.SM_90A))) {
            GraphBuilder g = new GraphBuilder();
            Node a = g.input(Type.of(DType.BF16, 1200, 64));
            Node b = g.input(Type.of(DType.BF16, 64, 1024));
            Node x = g.matmul(a, b);
            Executable e =
                    Executable.compile(g.build(g.sum(x, 0, 1), g.sum(x, 0), g.sum(x, 1)), CompileContext.of(hopper));
            List<Buffer> inputs = new ArrayList<>();
            for (int run = 0; run < 3; run++) {
                int k = run;
                inputs.add(Buffers.of(hopper, RefArray.of(a.type(), i -> i % 64 == k ? 1 : 0)));
                inputs.add(Buffers.of(hopper, RefArray.of(b.type(), i -> i / 1024 == k ? k + 1 : 0)));
                Run r = e.run(inputs.subList(2 * run, 2 * run + 2));
                RefArray got = Elements.load(Type.of(DType.BF16, 1200), r.result(2));
                for (int i = 0; i < 1200; i++)
                    assertEquals(1024 * (k + 1), got.getDouble(i), "run " + k + ", row " + i);
            }
        }
    }

    /** Rows of several warps, rows of one thread, columns. */
    @Test
    void reductions() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 3, 3001));
        Node y = g.input(Type.of(DType.F32, 400, 5));
        check(
                g.build(g.sum(g.exp(x), 1), g.sum(y, 1), g.sum(y, 0), g.sum(x, 0)),
                List.of(Sample.uniform(x.type(), -1, 1, 1), Sample.uniform(y.type(), -1, 1, 2)),
                1e-5);
    }

    /** Equal kernels of two programs are generated, and counted, once. */
    @Test
    void kernelsAreGeneratedOnce() {
        for (long n : new long[] {100, 200}) {
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, n));
            compile(g.build(g.exp(x))).run(List.of(Buffers.of(session, Sample.uniform(x.type(), -1, 1, 1))));
        }
        assertEquals(1, session.counters().kernelsGenerated());
    }

    /** Donated results overwrite their argument; results may be scalars, which come by value. */
    @Test
    void argumentsAndResults() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Node y = g.input(Type.of(DType.F32, 4));
        Node s = g.scalarInput(DType.F32);
        Graph graph = Graph.of(List.of(x, y, s), List.of(g.add(y, 1), g.mul(x, s), s), List.of(0, 1, -1));
        Buffer bx = Buffers.of(session, RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4));
        Buffer by = Buffers.of(session, RefArray.of(DType.F32, Shape.of(4), 5, 6, 7, 8));
        Run run = compile(graph).run(List.of(bx, by, Arg.Scalar.ofFloat(2)));
        assertSame(bx, run.result(0));
        assertSame(by, run.result(1));
        assertEquals(6, Buffers.first(bx));
        assertEquals(2, Buffers.first(by));
        assertEquals(2, Buffers.first(run.result(2)));
    }

    private static boolean isLoop(Sample s) {
        return s.op() instanceof Loop && s.smooth() && s.inputs().stream().allMatch(a -> a.dtype() == DType.F64);
    }

    /** A loop with more blocks than go in one copy sends them in several. */
    @Test
    void longLoopsSendTheirParametersInPieces() {
        int loops = 0;
        for (Sample s : Operators.samples().stream()
                .filter(PtxExecutableTest::isLoop)
                .limit(6)
                .toList()) {
            GraphBuilder g = new GraphBuilder();
            List<Node> in = s.inputs().stream().map(a -> g.input(a.type())).toList();
            Plan plan = Compiler.plan(
                    g.build(g.emit(s.op(), in).toArray(Node[]::new)),
                    Fusion.MAX_WEIGHT,
                    PtxCodegen.CAPABILITIES,
                    CompilerWatch.NONE);
            if (plan.steps().stream().noneMatch(Plan.Repeat.class::isInstance)) continue;
            loops++;
            List<RefArray> want = s.op().evaluate(s.inputs());
            for (long bytes : new long[] {1 << 20, 500, 1}) {
                PtxExecutable e = new PtxExecutable(StoredPlan.of(plan), session, Numerics.DEFAULT, bytes);
                for (int i = 0; i < 3; i++) {
                    Run run = e.run(
                            s.inputs().stream().map(a -> Buffers.of(session, a)).toList());
                    for (int r = 0; r < want.size(); r++) {
                        RefArray got = Elements.load(want.get(r).type(), run.result(r));
                        for (int j = 0; j < got.size(); j++)
                            assertEquals(
                                    want.get(r).getDouble(j),
                                    got.getDouble(j),
                                    1e-4,
                                    bytes + " bytes, run " + i + ", result " + r + "[" + j + "] of " + s);
                    }
                }
            }
        }
        assertTrue(loops > 2, loops + " loops");
    }

    /** All memory is found before anything runs, and the message says who holds what there is. */
    @Test
    void runningOutOfMemoryNamesLines() {
        try (Session small = Session.open(session.options().withMemoryLimit(1 << 20))) {
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, 1 << 17));
            Executable e = Executable.compile(g.build(g.exp(x)), CompileContext.of(small));
            Buffer a = small.allocator().allocate(1 << 19, "Model.java:7");
            OutOfDeviceMemoryException thrown =
                    assertThrows(OutOfDeviceMemoryException.class, () -> e.run(List.of(a), _ -> "Model.java:8"));
            assertTrue(thrown.getMessage().contains("ptx-sim"), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("Model.java:7"), thrown.getMessage());
            assertEquals(1 << 19, small.allocator().stats().liveBytes() & -(1 << 19));
        }
    }

    @Test
    void buffersOfOtherDevicesAreRefused() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Executable e = compile(g.build(g.exp(x)));
        try (Session jvm = Session.open(Options.fromProperties().withThreads(1).withDevice(Device.JVM))) {
            Buffer b = jvm.allocator().allocate(16);
            IllegalArgumentException thrown = assertThrows(IllegalArgumentException.class, () -> e.run(List.of(b)));
            assertTrue(
                    thrown.getMessage().contains("jvm") && thrown.getMessage().contains("ptx-sim"));
        }
    }
}
