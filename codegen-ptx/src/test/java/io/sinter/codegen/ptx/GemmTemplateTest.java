// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.ref.RefArray;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every form of the template for matrix products and convolutions on the simulator against the reference evaluator, on whole numbers, of which every
 * type of instruction makes the exact result; and what the assembler says of them.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GemmTemplateTest {
    private final long seed = Long.getLong("sinter.test.seed", new java.util.Random().nextLong());
    /** Code that ran, by its text without the entry's name: what the assembler is to take. */
    private final Map<String, PtxKernel> emitted = new LinkedHashMap<>();

    @BeforeAll
    void say() {
        System.out.println("GemmTemplateTest: -Dsinter.test.seed=" + seed);
    }

    /** How to choose among the forms of a product: which tile of those that operands allow (the largest is 0, the last one −1), and how many parts of a sum (0: as chosen). */
    private record Form(int tile, MatmulPrecision precision, int splits, Target target) implements SimPlan.Choice {
        Form(int tile, MatmulPrecision precision, int splits) {
            this(tile, precision, splits, Target.SM_80);
        }

        private GemmSchedule.Tile get(List<GemmSchedule.Tile> tiles) {
            return tile < 0 ? tiles.getLast() : tiles.get(tile);
        }

        @Override
        public Schedule of(io.sinter.ir.loop.Kernel kernel, java.util.function.IntToLongFunction slot) {
            Schedule s = PtxCodegen.schedule(kernel, slot, target, Numerics.DEFAULT.withProducts(precision));
            if (!(s instanceof GemmSchedule g)) return s;
            GemmKernel k = (GemmKernel) kernel;
            if (target.hasWarpgroupMma()) {
                assertTrue(GemmTiles.isTensor(GemmOperand.left(k), g.math(), k.batch(), slot));
                assertTrue(GemmTiles.isTensor(GemmOperand.right(k), g.math(), k.batch(), slot));
                List<GemmSchedule.Tile> tiles = GemmTiles.tiles(g.math(), k.acc(), Source.TENSOR);
                return new GemmSchedule(g.math(), get(tiles), Source.TENSOR, Source.TENSOR, 1);
            }
            Source source = g.left() == g.right() ? g.left() : Source.CODE;
            List<GemmSchedule.Tile> tiles = GemmTiles.tiles(g.math(), k.acc(), source);
            return new GemmSchedule(g.math(), get(tiles), g.left(), g.right(), splits == 0 ? g.splits() : splits);
        }
    }

    private static final Form LAST = tile(-1);

    private static Form tile(int n) {
        return new Form(n, MatmulPrecision.HIGHEST, 0);
    }

    private SimPlan check(String what, Graph g, Form form, int... shifts) {
        List<RefArray> args = new ArrayList<>();
        for (Node n : g.inputs()) args.add(SimPlan.whole(n.type(), args.size() + 1));
        SimPlan p = new SimPlan(g, args, form, form.target, seed, shifts)
                .withCtas(form.target.hasWarpgroupMma() ? 3 : Long.MAX_VALUE)
                .check(what + ", seed " + seed, 0);
        for (PtxKernel k : p.kernels()) {
            for (PtxKernel x = k; x != null; x = x.next())
                emitted.putIfAbsent(x.code().toString().replace(x.name(), "k"), x);
        }
        return p;
    }

    /** A product with a bias and a factor behind it, each operand transposed or not; scaled so that f16 and bf16 round nothing that differs. */
    private static Graph product(DType t, long batch, long m, long n, long k, boolean turnA, boolean turnB) {
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(turnA ? Type.of(t, batch, k, m) : Type.of(t, batch, m, k));
        Node b = g.input(turnB ? Type.of(t, batch, n, k) : Type.of(t, batch, k, n));
        Node bias = g.input(Type.of(t, n));
        Node x = turnA ? g.transpose(a, 1, 2) : a;
        Node y = turnB ? g.transpose(b, 1, 2) : b;
        Node c = g.mul(g.matmul(x, y), 2);
        return g.build(g.add(c, g.expand(g.reshape(bias, Shape.of(1, 1, n)), Shape.of(batch, m, n))));
    }

    private static final DType[] TYPES = {DType.BF16, DType.F16, DType.F32, DType.F64};

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

    /** The assembler takes all that ran, for both ends of the range of targets, without spilling registers. */
    @AfterAll
    void assembles(@TempDir Path dir) throws IOException, InterruptedException {
        assumeTrue(ptxas(dir, "--version") != null, "ptxas is not installed");
        assertFalse(emitted.isEmpty());
        for (Target target : List.of(Target.SM_80, Target.SM_90A)) {
            List<PtxKernel> all = new ArrayList<>();
            for (PtxKernel k : emitted.values())
                if (target.hasWarpgroupMma() || k.tensors().isEmpty())
                    all.add(renamed(k, "e" + all.size() + "_" + k.name()));
            Path file = Path.of("target", "gemm-" + target + ".ptx").toAbsolutePath();
            Files.writeString(file, PtxCodegen.module(target, all).toString());
            String log = ptxas(
                    dir, "-arch=" + target, "-v", "-o", dir.resolve("all.cubin").toString(), file.toString());
            Files.writeString(Path.of("target", "gemm-" + target + ".log"), log);
            assertFalse(log.contains("error"), log);
            for (String line : log.lines().toList())
                assertTrue(!line.contains("spill stores") || line.contains(" 0 bytes spill stores"), log);
        }
    }

    private static PtxKernel renamed(PtxKernel k, String name) {
        var c = k.code();
        return new PtxKernel(
                new io.sinter.codegen.ptx.lang.Kernel(c.visible(), name, c.parameters(), c.limits(), c.body()),
                k.listing(),
                k.rule(),
                null,
                k.tensors());
    }

    private static String ptxas(Path dir, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("ptxas"));
        command.addAll(List.of(arguments));
        Process p;
        try {
            p = new ProcessBuilder(command)
                    .directory(dir.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            return null;
        }
        String log = new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        return p.waitFor() == 0 ? log : "error " + log;
    }
}
