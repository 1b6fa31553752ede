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
import io.sinter.ir.IndexError;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Operators;
import io.sinter.ir.op.Sample;
import io.sinter.ir.op.Take;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.dump.Sources;
import java.lang.foreign.MemorySegment;
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

    private Buffer buffer(RefArray a) {
        Buffer b = session.allocator().allocate(a.type().bytes());
        Elements.store(a, b);
        return b;
    }

    private static float first(Buffer b) {
        float[] f = new float[1];
        b.read(0, MemorySegment.ofArray(f));
        return f[0];
    }

    private void check(Graph graph, List<RefArray> args, double tolerance) {
        List<RefArray> want = RefEvaluator.run(graph, args);
        List<Buffer> buffers = args.stream().map(this::buffer).toList();
        Run run = compile(graph).run(buffers);
        for (int i = 0; i < want.size(); i++) {
            RefArray w = want.get(i);
            RefArray got = Elements.load(w.type(), run.result(i));
            for (int j = 0; j < w.size(); j++)
                assertEquals(
                        w.getDouble(j),
                        got.getDouble(j),
                        tolerance * Math.max(1, Math.abs(w.getDouble(j))),
                        i + ", " + j);
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
        for (long[] shape : new long[][] {{2, 70, 72}, {2, 130, 72}, {2, 130, 20}, {2, 70, 130}})
            operands.add(g.input(Type.of(t, shape)));
        Node dout = g.input(Type.of(t, 2, 70, 20));
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
            Run run = compile(graph).run(List.of(buffer(left), buffer(right)));
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
                inputs.add(hopper.allocator().allocate(a.type().bytes()));
                inputs.add(hopper.allocator().allocate(b.type().bytes()));
                int k = run;
                Elements.store(RefArray.of(a.type(), i -> i % 64 == k ? 1 : 0), inputs.get(2 * run));
                Elements.store(RefArray.of(b.type(), i -> i / 1024 == k ? k + 1 : 0), inputs.get(2 * run + 1));
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
            compile(g.build(g.exp(x))).run(List.of(buffer(Sample.uniform(x.type(), -1, 1, 1))));
        }
        assertEquals(1, session.counters().kernelsGenerated());
    }

    /** The launch is found out of order, and names operator, value and bound. */
    @Test
    void indexErrorsSayWhat() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Node i = g.input(Type.of(DType.I64, 2));
        Executable e = compile(g.build(g.apply(new Take(0), x, i)));
        Buffer bx = buffer(RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4));
        Buffer good = buffer(RefArray.ofLongs(DType.I64, Shape.of(2), 3, -4));
        assertEquals(4, first(e.run(List.of(bx, good)).result(0)));
        Buffer bad = buffer(RefArray.ofLongs(DType.I64, Shape.of(2), 0, 4));
        Run wrong = e.run(List.of(bx, bad));
        IndexError thrown = assertThrows(IndexError.class, () -> first(wrong.result(0)));
        assertEquals(4, thrown.value());
        assertEquals(4, first(e.run(List.of(bx, good)).result(0)));
    }

    private static Sources line(String line) {
        return _ -> new Sources.Source(line, "", "");
    }

    /**
     * Runs with index checks are not waited for. Who waits next gets the error of the run that had it, whichever run of the program that was; what it has
     * computed, and what was computed since, gives the error at every use, and what was there before does not.
     */
    @Test
    void indexChecksAreDeferred() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(session.options(), counted.driver)) {
            GraphBuilder g = new GraphBuilder();
            Node x = g.input(Type.of(DType.F32, 4));
            Node i = g.input(Type.of(DType.I64, 2));
            g.origin(0);
            Executable take = Executable.compile(g.build(g.apply(new Take(0), x, i)), CompileContext.of(own));
            GraphBuilder h = new GraphBuilder();
            Executable grow =
                    Executable.compile(h.build(h.add(h.input(Type.of(DType.F32, 2)), 1)), CompileContext.of(own));
            Buffer bx = own.allocator().allocate(16);
            Elements.store(RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4), bx);
            List<Buffer> indices = new ArrayList<>();
            for (long last : new long[] {3, 4, -4}) {
                indices.add(own.allocator().allocate(16));
                Elements.store(RefArray.ofLongs(DType.I64, Shape.of(2), last, 0), indices.getLast());
            }
            counted.reset();
            Buffer before = take.run(List.of(bx, indices.get(0)), _ -> "", line("A.java:1"))
                    .result(0);
            Buffer wrong = take.run(List.of(bx, indices.get(1)), _ -> "", line("A.java:2"))
                    .result(0);
            Buffer grown = grow.run(List.of(wrong)).result(0);
            Buffer after = take.run(List.of(bx, indices.get(2)), _ -> "", line("A.java:3"))
                    .result(0);
            assertEquals(0, counted.calls("copyOut"));
            assertEquals(0, counted.calls("synchronize"));
            IndexError thrown = assertThrows(IndexError.class, own::synchronize);
            assertTrue(thrown.getMessage().endsWith("index 4 is out of bounds for an extent of 4 (A.java:2)"));
            for (Buffer b : List.of(wrong, grown, after))
                assertEquals(
                        thrown.getMessage(),
                        assertThrows(IndexError.class, () -> first(b)).getMessage());
            assertThrows(IndexError.class, () -> grow.run(List.of(grown)));
            assertEquals(4, first(before));
            assertEquals(5, first(grow.run(List.of(before)).result(0)));
            own.synchronize();
            // Overwritten, it is as good as new.
            Elements.store(RefArray.of(DType.F32, Shape.of(2), 7, 8), wrong);
            assertEquals(8, first(grow.run(List.of(wrong)).result(0)));
            // Too many to remember: one waits.
            for (int k = 0; k <= IndexChecks.ROOM; k++)
                after = take.run(List.of(bx, indices.get(2))).result(0);
            assertEquals(1, first(after));
        }
    }

    /** Donated results overwrite their argument; results may be scalars, which come by value. */
    @Test
    void argumentsAndResults() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4));
        Node y = g.input(Type.of(DType.F32, 4));
        Node s = g.scalarInput(DType.F32);
        Graph graph = Graph.of(List.of(x, y, s), List.of(g.add(y, 1), g.mul(x, s), s), List.of(0, 1, -1));
        Buffer bx = buffer(RefArray.of(DType.F32, Shape.of(4), 1, 2, 3, 4));
        Buffer by = buffer(RefArray.of(DType.F32, Shape.of(4), 5, 6, 7, 8));
        Run run = compile(graph).run(List.of(bx, by, Arg.Scalar.ofFloat(2)));
        assertSame(bx, run.result(0));
        assertSame(by, run.result(1));
        assertEquals(6, first(bx));
        assertEquals(2, first(by));
        assertEquals(2, first(run.result(2)));
    }

    /** A chain of four kernels (sums of rows stay between), which grows x by 1 in the end. */
    private static Graph chain() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 64, 64));
        Node y = g.sub(x, g.expand(g.reshape(g.sum(g.sum(x, 1), 0), Shape.of(1, 1)), x.shape()));
        Node z = g.add(y, g.expand(g.reshape(g.sum(g.sum(x, 0), 0), Shape.of(1, 1)), x.shape()));
        return g.build(g.add(z, 1));
    }

    /** Nothing is copied to the host before somebody reads; a run sends its parameters in one copy. */
    @Test
    void tensorsStayOnTheDevice() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(session.options(), counted.driver)) {
            Buffer b = own.allocator().allocate(64 * 64 * 4);
            Elements.store(Sample.uniform(Type.of(DType.F32, 64, 64), -1, 1, 1), b);
            float before = first(b);
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            counted.reset();
            for (int i = 0; i < 3; i++) b = e.run(List.of(b)).result(0);
            assertEquals(3, counted.calls("copyIn"));
            assertEquals(0, counted.calls("copyOut"));
            assertEquals(0, counted.calls("synchronize"));
            assertEquals(before + 3, first(b), 1e-3);
            assertEquals(1, counted.calls("copyOut"));
        }
    }

    /** From the second equal run on it is a graph, also with other arguments: their addresses are data. */
    @Test
    void equalRunsAreReplayedAsAGraph() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(session.options(), counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            assertTrue(e.kernels() >= 3, "too few kernels for a graph: " + e.kernels());
            List<Buffer> kept = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Buffer b = own.allocator().allocate(64 * 64 * 4);
                Elements.store(RefArray.of(Type.of(DType.F32, 64, 64), j -> j), b);
                kept.add(b);
                Buffer r = e.run(List.of(b)).result(0);
                kept.add(r);
                assertEquals(1, first(r), 1);
            }
            assertEquals(1, counted.calls("beginCapture"));
            assertEquals(4, counted.calls("launchGraph"));
            float[] all = new float[64 * 64];
            kept.getLast().read(0, MemorySegment.ofArray(all));
            for (int j = 0; j < all.length; j++) assertEquals(j + 1, all[j], 1);
        }
    }

    /** A run that fails while it is captured leaves no graph of a part of it behind. */
    @Test
    void failedCapturesLeaveNoGraph() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = Session.open(session.options(), counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            Buffer b = smallNumbers(own);
            assertEquals(4, first(e.run(List.of(b)).result(0)));
            counted.fail("launch");
            assertThrows(GpuFaultException.class, () -> e.run(List.of(b)));
            assertEquals(1, counted.calls("beginCapture"));
            counted.fail("");
            for (int i = 0; i < 2; i++) assertEquals(4, first(e.run(List.of(b)).result(0)));
            assertEquals(2, counted.calls("beginCapture"));
            assertEquals(2, counted.calls("launchGraph"));
        }
    }

    /** An argument of {@link #chain}, whose sums are exact. */
    private static Buffer smallNumbers(Session session) {
        Buffer b = session.allocator().allocate(64 * 64 * 4);
        Elements.store(RefArray.of(Type.of(DType.F32, 64, 64), i -> 3 + i % 5), b);
        return b;
    }

    private Session open(String property, String value, GpuDriver driver) {
        System.setProperty(property, value);
        try {
            return Session.open(session.options(), driver);
        } finally {
            System.clearProperty(property);
        }
    }

    @Test
    void graphsCanBeSwitchedOff() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = open("sinter.gpu.graphs", "false", counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            Buffer b = smallNumbers(own);
            for (int i = 1; i <= 3; i++) {
                assertEquals(4, first(e.run(List.of(b)).result(0)));
                assertEquals(i * e.kernels(), counted.calls("launch"));
            }
            assertEquals(0, counted.calls("beginCapture"));
            assertEquals(0, counted.calls("launchGraph"));
        }
    }

    /** Each kernel is waited for, also in equal runs, and the one that has the fault is named with the lines whose results it works on. */
    @Test
    void eachKernelCanBeWaitedFor() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        try (Session own = open("sinter.gpu.wait", "true", counted.driver)) {
            Executable e = Executable.compile(chain(), CompileContext.of(own));
            Buffer b = smallNumbers(own);
            counted.reset();
            for (int i = 1; i <= 3; i++) {
                e.run(List.of(b));
                assertEquals(i * e.kernels(), counted.calls("launch"));
                assertEquals(i * e.kernels(), counted.calls("synchronize"));
            }
            assertEquals(0, counted.calls("launchGraph"));

            GraphBuilder g = new GraphBuilder();
            Executable exp =
                    Executable.compile(g.build(g.exp(g.input(Type.of(DType.F32, 64, 64)))), CompileContext.of(own));
            counted.reset();
            counted.fail("synchronize");
            GpuFaultException thrown =
                    assertThrows(GpuFaultException.class, () -> exp.run(List.of(b), i -> "Model.java:" + (7 + i)));
            counted.fail("");
            assertEquals(1, counted.calls("launch"));
            assertTrue(
                    thrown.getMessage()
                            .matches(
                                    "(?s)CUDA_ERROR_ILLEGAL_ADDRESS \\(700\\) in kernel k_exp_.*\n    at Model.java:7"),
                    thrown.getMessage());
        }
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
                PtxExecutable e = new PtxExecutable(StoredPlan.of(plan), session, MatmulPrecision.HIGHEST, bytes);
                for (int i = 0; i < 3; i++) {
                    Run run = e.run(s.inputs().stream().map(this::buffer).toList());
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

    /** A fault arrives late; the message says which kernels may have it. */
    @Test
    void faultsNameTheKernelsThatWereRunning() {
        CountedDriver counted = new CountedDriver(new SimDriver());
        Session own = Session.open(session.options(), counted.driver);
        Buffer b = own.allocator().allocate(64 * 64 * 4);
        Elements.store(Sample.uniform(Type.of(DType.F32, 64, 64), -1, 1, 1), b);
        Buffer r = Executable.compile(chain(), CompileContext.of(own))
                .run(List.of(b))
                .result(0);
        counted.fail("synchronize");
        GpuFaultException thrown = assertThrows(GpuFaultException.class, () -> first(r));
        counted.fail("");
        assertTrue(thrown.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS"), thrown.getMessage());
        assertTrue(thrown.getMessage().contains("k_"), thrown.getMessage());
        own.close();
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
