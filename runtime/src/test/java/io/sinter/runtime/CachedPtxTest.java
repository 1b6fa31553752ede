// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.GeneratedPtx;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Canonical;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.Sort;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.cache.Tier;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** PTX text is found on disk by the next process, whatever GPU it has of the architecture; what a driver has assembled, by the next one with that driver. */
class CachedPtxTest {
    @TempDir
    private Path folder;

    private Path cache() {
        return folder.resolve("cache");
    }

    private Session open(GpuDriver driver) {
        Options options = Options.fromProperties()
                .withThreads(1)
                .withDevice(Device.PTX_SIM)
                .withCache(CacheOptions.NONE.withFolder(cache()));
        return Session.open(options, driver);
    }

    /** A kernel of every form of launch: teams of all sizes, a product by plain multiply-adds, one whose sum is in parts, one of bf16, attention, a sort. */
    private static Graph graph() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 40, 70));
        Node w = g.input(Type.of(DType.F32, 70, 6));
        Node tall = g.input(Type.of(DType.F32, 8, 1200));
        Node half = g.input(Type.of(DType.BF16, 72, 64));
        Node heads = g.input(Type.of(DType.F32, 1, 2, 9, 4));
        Node bias = g.input(Type.of(DType.F32, 1, 2, 9, 9));
        Node y = g.matmul(x, w);
        Node parts = g.matmul(tall, g.permute(tall, 1, 0));
        Node square = g.matmul(half, g.permute(half, 1, 0));
        Node scale = g.constant(heads, 0.5);
        Node attended = g.emit(new Attention(true), List.of(heads, heads, heads, bias, scale))
                .getFirst();
        return g.build(
                g.exp(y),
                g.sum(g.exp(x), 1),
                g.sum(x, 0),
                parts,
                square,
                attended,
                g.emit(new Sort(1, true), List.of(y)).getFirst());
    }

    private static List<RefArray> run(Session session) {
        return run(session, graph());
    }

    private static List<RefArray> run(Session session, Graph g) {
        List<RefArray> args = new ArrayList<>();
        for (Node n : g.inputs()) args.add(RefArray.of(n.type(), k -> Math.sin(k + 1)));
        Executable e = Executable.get(Canonical.of(g), g, CompileContext.of(session), Sources.NONE);
        return ArrayRun.run(e, g, args, session);
    }

    private static void same(List<RefArray> a, List<RefArray> b) {
        assertEquals(a.size(), b.size());
        for (int i = 0; i < a.size(); i++) assertTrue(a.get(i).sameAs(b.get(i)), "result " + i);
    }

    private List<Tier.Stored> entries(CacheKey.Kind kind) throws IOException {
        return Tier.own(cache()).list().stream().filter(s -> s.kind() == kind).toList();
    }

    @ParameterizedTest
    @EnumSource(
            value = Target.class,
            names = {"SM_80", "SM_90A"})
    void theSecondSessionGeneratesNothing(Target target) throws IOException {
        List<RefArray> first;
        long generated;
        try (Session s = open(new SimDriver(target))) {
            first = run(s);
            generated = s.counters().kernelsGenerated();
            assertTrue(generated >= 6, generated + " kernels");
        }
        assertEquals(generated, entries(CacheKey.Kind.PTX).size());
        try (Session s = open(new SimDriver(target))) {
            same(first, run(s));
            assertEquals(0, s.counters().programsCompiled());
            assertEquals(0, s.counters().kernelsGenerated());
            assertEquals(0, s.counters().cache().misses());
            assertEquals(generated + 1, s.counters().cache().hits());
        }
        Target other = target == Target.SM_80 ? Target.SM_90A : Target.SM_80;
        try (Session s = open(new SimDriver(other))) {
            run(s);
            assertEquals(0, s.counters().cache().hits(), "code of another architecture");
        }
        assertEquals(List.of(), entries(CacheKey.Kind.CUBIN), "the simulator assembles nothing");
    }

    /** Maps of tensors are parameters of what comes from disk, too. */
    @Test
    void tensorCopies() {
        List<RefArray> first = null;
        for (int n = 0; n < 2; n++) {
            try (Session s = open(new SimDriver(Target.SM_90A))) {
                GraphBuilder g = new GraphBuilder();
                Node a = g.input(Type.of(DType.BF16, 1200, 64));
                Node b = g.input(Type.of(DType.BF16, 64, 1024));
                List<RefArray> got = run(s, g.build(g.matmul(a, b)));
                assertEquals(1 - n, s.counters().kernelsGenerated());
                if (n == 0) first = got;
                else same(first, got);
            }
        }
    }

    /** Which instructions multiply is part of a kernel's form; a kernel that does not multiply is found for either precision. */
    @Test
    void precisionIsInTheKeysOfProductsAlone() {
        try (Session s = open(new SimDriver())) {
            run(s);
        }
        try (Session s = open(new SimDriver())) {
            s.setMatmulPrecision(MatmulPrecision.HIGH);
            run(s);
            assertEquals(1, s.counters().programsCompiled());
            assertTrue(s.counters().kernelsGenerated() > 0);
            assertTrue(s.counters().cache().hits() > 0);
        }
    }

    @Test
    void damagedTextIsAMissAndIsSetAside() throws IOException {
        List<RefArray> first;
        try (Session s = open(new SimDriver())) {
            first = run(s);
        }
        List<Tier.Stored> all = entries(CacheKey.Kind.PTX);
        for (Tier.Stored e : all) {
            byte[] bytes = Files.readAllBytes(e.file());
            bytes[bytes.length / 2] ^= 1;
            Files.write(e.file(), bytes);
        }
        try (Session s = open(new SimDriver())) {
            same(first, run(s));
            assertEquals(0, s.counters().programsCompiled());
            assertEquals(all.size(), s.counters().cache().corrupt());
            assertEquals(all.size(), s.counters().kernelsGenerated());
        }
        try (Session s = open(new SimDriver())) {
            same(first, run(s));
            assertEquals(0, s.counters().cache().misses());
        }
    }

    /** A checksum that is right does not make text PTX. */
    @Test
    void textThatTheDeviceRefusesIsAMiss() throws IOException {
        List<RefArray> first;
        try (Session s = open(new SimDriver())) {
            first = run(s);
        }
        Tier.Stored victim = entries(CacheKey.Kind.PTX).getFirst();
        byte[] bytes = Files.readAllBytes(victim.file());
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = text.indexOf("ret;");
        assertTrue(at > 0);
        bytes[at] = '?';
        Files.write(victim.file(), Entry.sealed(bytes));
        try (Session s = open(new SimDriver())) {
            same(first, run(s));
            assertEquals(1, s.counters().cache().corrupt());
            assertEquals(1, s.counters().kernelsGenerated());
        }
    }

    /** A simulated GPU whose driver assembles: to the text, behind the driver's version. */
    private static final class Assembling {
        final GpuDriver driver;
        int assembled;
        boolean refuses;

        Assembling(String version) {
            SimDriver sim = new SimDriver();
            driver = (GpuDriver) Proxy.newProxyInstance(
                    GpuDriver.class.getClassLoader(), new Class<?>[] {GpuDriver.class}, (_, method, args) -> {
                        switch (method.getName()) {
                            case "keepsAssembled" -> {
                                return true;
                            }
                            case "properties" -> {
                                GpuDriver.Properties p = sim.properties();
                                return new GpuDriver.Properties(
                                        "PTX simulator",
                                        p.major(),
                                        p.minor(),
                                        p.multiprocessors(),
                                        p.memoryBytes(),
                                        p.sharedBytes(),
                                        version);
                            }
                            case "assemble" -> {
                                if (refuses) throw new IllegalArgumentException("no assembler today");
                                assembled++;
                                return (version + "\n" + args[0]).getBytes(StandardCharsets.UTF_8);
                            }
                            case "load" -> {
                                if (args[0] instanceof String text) return sim.load(text);
                                String code = new String((byte[]) args[0], StandardCharsets.UTF_8);
                                if (!code.startsWith(version + "\n"))
                                    throw new IllegalArgumentException("a cubin of another driver");
                                return sim.load(code.substring(version.length() + 1));
                            }
                            default -> {
                                try {
                                    return method.invoke(sim, args);
                                } catch (InvocationTargetException e) {
                                    throw e.getCause();
                                }
                            }
                        }
                    });
        }
    }

    @Test
    void whatTheDriverAssembledIsFoundUnderTextCapabilityAndDriver() throws IOException {
        Assembling cold = new Assembling("CUDA 12.4, driver 550.54");
        List<RefArray> first;
        try (Session s = open(cold.driver)) {
            first = run(s);
        }
        int modules = entries(CacheKey.Kind.PTX).size();
        assertEquals(modules, cold.assembled);
        assertEquals(modules, entries(CacheKey.Kind.CUBIN).size());

        Assembling warm = new Assembling("CUDA 12.4, driver 550.54");
        try (Session s = open(warm.driver)) {
            same(first, run(s));
            assertEquals(0, s.counters().kernelsGenerated());
            assertEquals(0, s.counters().cache().misses());
        }
        assertEquals(0, warm.assembled);

        // Another driver assembles the same text anew.
        Assembling updated = new Assembling("CUDA 12.4, driver 550.90");
        try (Session s = open(updated.driver)) {
            same(first, run(s));
            assertEquals(0, s.counters().kernelsGenerated());
        }
        assertEquals(modules, updated.assembled);
        assertEquals(2 * modules, entries(CacheKey.Kind.CUBIN).size());
    }

    @Test
    void aCubinThatTheDriverRefusesIsAMiss() throws IOException {
        List<RefArray> first;
        try (Session s = open(new Assembling("one").driver)) {
            first = run(s);
        }
        Tier.Stored victim = entries(CacheKey.Kind.CUBIN).getFirst();
        byte[] bytes = Files.readAllBytes(victim.file());
        bytes[Entry.payloadStart(bytes)] = '?';
        Files.write(victim.file(), Entry.sealed(bytes));
        Assembling warm = new Assembling("one");
        try (Session s = open(warm.driver)) {
            same(first, run(s));
            assertEquals(1, s.counters().cache().corrupt());
        }
        assertEquals(1, warm.assembled);
    }

    /** Where the assembler fails, text is loaded as it is without a cache, and nothing is stored. */
    @Test
    void anAssemblerThatFailsCostsNothingButTheEntry() throws IOException {
        Assembling broken = new Assembling("one");
        broken.refuses = true;
        try (Session s = open(broken.driver)) {
            run(s);
            assertTrue(s.counters().kernelsGenerated() > 0);
        }
        assertEquals(List.of(), entries(CacheKey.Kind.CUBIN));
        assertFalse(entries(CacheKey.Kind.PTX).isEmpty());
    }

    /** Kernels are called alike in every session, whatever was compiled before: so texts are equal, and cubins are found. */
    @Test
    void textsDoNotDependOnWhatWasCompiledBefore() throws IOException {
        try (Session s = open(new SimDriver())) {
            run(s);
        }
        Map<String, String> texts = contents();
        Tier.own(cache()).clear();
        try (Session s = open(new SimDriver())) {
            GraphBuilder g = new GraphBuilder();
            Graph other = g.build(g.sqrt(g.input(Type.of(DType.F32, 5))));
            Executable.get(Canonical.of(other), other, CompileContext.of(s), Sources.NONE);
            run(s);
        }
        Map<String, String> again = contents();
        again.keySet().retainAll(texts.keySet());
        assertEquals(texts, again);
    }

    /** Files of kernels' PTX by their digests. */
    private Map<String, String> contents() throws IOException {
        Map<String, String> files = new TreeMap<>();
        for (Tier.Stored e : entries(CacheKey.Kind.PTX))
            files.put(e.digest(), Files.readString(e.file(), StandardCharsets.ISO_8859_1));
        return files;
    }

    /** Bytes that are no code of the kernel are refused, or read as something that launches can be made of. */
    @Test
    void changedBytesAreRefusedOrFitTogether() {
        List<Kernel> kernels = StoredPlan.kernels(SimulatedProgram.plan(graph()));
        List<byte[]> sound = kernels.stream()
                .map(k -> GeneratedPtx.of(k, PtxCodegen.anySchedule(k), "k", Target.SM_90A))
                .map(made -> new GeneratedPtx("text", made.entries()).toBytes())
                .toList();
        Random random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            Kernel kernel = kernels.get(i % kernels.size());
            byte[] bytes = sound.get(i % kernels.size()).clone();
            byte[] changed = i % 3 == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
            for (int k = i % 3; k > 0; k--) changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            try {
                GeneratedPtx code = GeneratedPtx.read(changed, kernel);
                for (GeneratedPtx.Entry e : code.entries()) {
                    try {
                        e.rule().shape(slot -> {
                            assertTrue(slot >= 0 && slot < kernel.slots(), "slot " + slot);
                            return 1 + slot % 3;
                        });
                    } catch (ArithmeticException | UnsupportedOperationException x) {
                        assertFalse(x.getMessage().contains("by zero"), x.getMessage());
                    }
                }
            } catch (FormatException e) {
                refused++;
            }
        }
        assertTrue(refused > 1000, refused + " refused");
        assertThrows(FormatException.class, () -> GeneratedPtx.read(new byte[0], kernels.getFirst()));
    }
}
