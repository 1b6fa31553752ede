// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import io.sinter.ir.ref.RefArray;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What tests of products have in common: kernels run on the simulator against the reference evaluator, on whole numbers, and are then assembled. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class GemmTests {
    final long seed = Long.getLong("sinter.test.seed", new java.util.Random().nextLong());
    /** Code that ran, by its text without the entry's name: what the assembler is to take. */
    final Map<String, PtxKernel> emitted = new LinkedHashMap<>();

    /** The same for targets that have the shared memory of an H100. */
    final Map<String, PtxKernel> large = new LinkedHashMap<>();

    @BeforeAll
    void say() {
        System.out.println(getClass().getSimpleName() + ": -Dsinter.test.seed=" + seed);
    }

    /** How to choose among the forms of a product: which tile of those that operands allow (the largest is 0, the last one −1), and how many parts of a sum (0: as chosen). */
    record Form(int tile, MatmulPrecision precision, int splits, Target target) implements SimPlan.Choice {
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

    static final Form LAST = tile(-1);

    static Form tile(int n) {
        return new Form(n, MatmulPrecision.HIGHEST, 0);
    }

    SimPlan check(String what, Graph g, Form form, int... shifts) {
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
    static Graph product(DType t, long batch, long m, long n, long k, boolean turnA, boolean turnB) {
        GraphBuilder g = new GraphBuilder();
        Node a = g.input(turnA ? Type.of(t, batch, k, m) : Type.of(t, batch, m, k));
        Node b = g.input(turnB ? Type.of(t, batch, n, k) : Type.of(t, batch, k, n));
        Node bias = g.input(Type.of(t, n));
        Node x = turnA ? g.transpose(a, 1, 2) : a;
        Node y = turnB ? g.transpose(b, 1, 2) : b;
        Node c = g.mul(g.matmul(x, y), 2);
        return g.build(g.add(c, g.expand(g.reshape(bias, Shape.of(1, 1, n)), Shape.of(batch, m, n))));
    }

    static final DType[] TYPES = {DType.BF16, DType.F16, DType.F32, DType.F64};

    /** The assembler takes all that ran, for both ends of the range of targets, without spilling registers. */
    @AfterAll
    void assembles(@TempDir Path dir) throws IOException, InterruptedException {
        assumeTrue(ptxas(dir, "--version") != null, "ptxas is not installed");
        assertFalse(emitted.isEmpty());
        for (Target target : List.of(Target.SM_80, Target.SM_90A)) {
            List<PtxKernel> all = new ArrayList<>();
            List<PtxKernel> ran = new ArrayList<>(emitted.values());
            if (target == Target.SM_90A) ran.addAll(large.values());
            for (PtxKernel k : ran)
                if (target.hasWarpgroupMma() || k.tensors().isEmpty())
                    all.add(renamed(k, "e" + all.size() + "_" + k.name()));
            Path file = Path.of("target", getClass().getSimpleName() + "-" + target + ".ptx")
                    .toAbsolutePath();
            Files.writeString(file, PtxCodegen.module(target, all).toString());
            String log = ptxas(
                    dir, "-arch=" + target, "-v", "-o", dir.resolve("all.cubin").toString(), file.toString());
            Files.writeString(Path.of("target", getClass().getSimpleName() + "-" + target + ".log"), log);
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
