// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.Canonical;
import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.IndexError;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.Take;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.Tier;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A second session finds on disk what the first one compiled. */
class CachedProgramsTest {
    @TempDir
    private Path folder;

    private Path cache() {
        return folder.resolve("cache");
    }

    private Session open(Device device, Options.Backend backend, CacheOptions cache) {
        return Session.open(Options.fromProperties()
                .withThreads(2)
                .withDevice(device)
                .withBackend(backend)
                .withCache(cache));
    }

    private Session open() {
        return open(Device.JVM, Options.Backend.GENERATED, CacheOptions.NONE.withFolder(cache()));
    }

    /** A product with an epilogue, a row kernel, a routine, an index check. */
    static Graph graph() {
        GraphBuilder g = new GraphBuilder();
        Node x = g.input(Type.of(DType.F32, 4, 8));
        Node w = g.input(Type.of(DType.F32, 8, 6));
        Node s = g.scalarInput(DType.F32);
        Node i = g.input(Type.of(DType.I64, 3));
        g.origin(5);
        Node y = g.mul(g.apply(new Matmul(), x, w), s);
        Node rows = g.sum(g.exp(y), 1);
        List<Node> sorted = g.emit(new Sort(1, true), List.of(y));
        Node taken = g.apply(new Take(0), y, i);
        return g.build(y, rows, sorted.get(0), sorted.get(1), taken);
    }

    private static List<RefArray> run(Session session, Graph g, long index) {
        List<RefArray> args = new ArrayList<>();
        for (Node n : g.inputs()) {
            args.add(
                    n.type().dtype() == DType.I64
                            ? RefArray.ofLongs(DType.I64, Shape.of(3), 1, index, 0)
                            : RefArray.of(n.type(), k -> Math.sin(k + 1)));
        }
        Executable e = Executable.get(
                Canonical.of(g), g, CompileContext.of(session), _ -> new Sources.Source("Model.java:7", "", ""));
        return ArrayRun.run(e, g, args, session);
    }

    private static List<RefArray> run(Session session, Graph g) {
        return run(session, g, -1);
    }

    private static void same(List<RefArray> a, List<RefArray> b) {
        assertEquals(a.size(), b.size());
        for (int i = 0; i < a.size(); i++) assertTrue(a.get(i).sameAs(b.get(i)), "result " + i);
    }

    @ParameterizedTest
    @CsvSource({"jvm,GENERATED", "jvm,INTERPRETED"})
    void theSecondSessionCompilesNothing(String device, Options.Backend backend) {
        CacheOptions cache = CacheOptions.NONE.withFolder(cache());
        Device d = Device.parse(device);
        List<RefArray> first;
        try (Session s = open(d, backend, cache)) {
            first = run(s, graph());
            assertEquals(1, s.counters().programsCompiled());
            assertEquals(0, s.counters().cache().hits());
            assertTrue(s.counters().cache().misses() > 0);
        }
        try (Session s = open(d, backend, cache)) {
            same(first, run(s, graph()));
            Counters c = s.counters();
            assertEquals(0, c.programsCompiled());
            assertEquals(1, c.programsLoaded());
            assertEquals(0, c.kernelsGenerated());
            assertEquals(0, c.cache().misses());
            assertTrue(c.cache().hits() > 0);
            assertTrue(c.cache().toString().startsWith("cache: " + c.cache().hits() + " hits, 0 misses, "));
        }
    }

    /** How exactly products multiply, and the architecture, are in the key of a GPU's plan. */
    @Test
    void plansOfASimulatedGpuAreStored() throws IOException {
        Options options = Options.fromProperties()
                .withThreads(1)
                .withDevice(Device.PTX_SIM)
                .withCache(CacheOptions.NONE.withFolder(cache()));
        List<RefArray> first;
        try (Session s = Session.open(options)) {
            first = run(s, graph());
            assertEquals(1, s.counters().programsCompiled());
        }
        try (Session s = Session.open(options)) {
            same(first, run(s, graph()));
            Counters c = s.counters();
            assertEquals(0, c.programsCompiled());
            assertEquals(1, c.programsLoaded());
            assertEquals(0, c.cache().misses());
            assertEquals(0, c.kernelsGenerated());
        }
        assertEquals(1, plans());
        try (Session s = Session.open(options)) {
            s.setMatmulPrecision(MatmulPrecision.HIGH);
            run(s, graph());
            assertEquals(1, s.counters().programsCompiled());
        }
        try (Session s = Session.open(options, new SimDriver(Target.SM_90A))) {
            run(s, graph());
            assertEquals(1, s.counters().programsCompiled());
        }
        assertEquals(3, plans());
    }

    private long plans() throws IOException {
        return entries().stream().filter(e -> e.kind() == CacheKey.Kind.PLAN).count();
    }

    @Test
    void indexErrorsOfStoredProgramsSayWhatTheySaid() {
        Graph g = graph();
        for (int n = 0; n < 2; n++) {
            try (Session s = open()) {
                IndexError error = Assertions.assertThrows(IndexError.class, () -> run(s, g, 4));
                assertEquals(4, error.value());
                assertEquals(5, error.origin());
                assertEquals(n, s.counters().programsLoaded());
            }
        }
    }

    private List<Tier.Stored> entries() throws IOException {
        return Tier.own(cache()).list();
    }

    @Test
    void damagedEntriesAreMissesAndAreSetAside() throws IOException {
        List<RefArray> first;
        try (Session s = open()) {
            first = run(s, graph());
        }
        for (CacheKey.Kind kind : List.of(CacheKey.Kind.PLAN, CacheKey.Kind.CLASS)) {
            for (Tier.Stored e : entries()) {
                if (e.kind() != kind) continue;
                byte[] bytes = Files.readAllBytes(e.file());
                bytes[bytes.length / 2] ^= 1;
                Files.write(e.file(), bytes);
            }
            try (Session s = open()) {
                same(first, run(s, graph()));
                assertEquals(kind == CacheKey.Kind.PLAN ? 1 : 0, s.counters().programsCompiled());
                assertTrue(s.counters().cache().corrupt() > 0);
                assertTrue(Files.list(cache().resolve("aside")).count() > 0);
            }
            try (Session s = open()) {
                same(first, run(s, graph()));
                assertEquals(0, s.counters().cache().misses());
            }
        }
    }

    @Test
    void aKernelWhoseClassWasEvictedIsGeneratedFromThePlan() throws IOException {
        List<RefArray> first;
        try (Session s = open()) {
            first = run(s, graph());
        }
        for (Tier.Stored e : entries()) if (e.kind() == CacheKey.Kind.CLASS) Files.delete(e.file());
        try (Session s = open()) {
            same(first, run(s, graph()));
            assertEquals(0, s.counters().programsCompiled());
            assertTrue(s.counters().kernelsGenerated() > 0);
        }
    }

    /** Classes are loaded while the plan is read; those that are not there are generated when it has been. Each of them is one miss. */
    @Test
    void someKernelsAreLoadedAndTheOthersGenerated() throws IOException {
        List<RefArray> first;
        try (Session s = open()) {
            first = run(s, graph());
        }
        long classes = entries().stream().filter(CachedProgramsTest::isKernel).count();
        assertTrue(classes > 2, classes + " kernels");
        Files.delete(entries().stream()
                .filter(CachedProgramsTest::isKernel)
                .findFirst()
                .orElseThrow()
                .file());
        try (Session s = open()) {
            same(first, run(s, graph()));
            assertEquals(0, s.counters().programsCompiled());
            assertEquals(1, s.counters().kernelsGenerated());
            assertEquals(1, s.counters().cache().misses());
            assertEquals(classes, s.counters().cache().hits());
        }
        assertEquals(
                classes, entries().stream().filter(CachedProgramsTest::isKernel).count());
    }

    /** Whether it is the class of one of {@link #graph}'s kernels: not one that kernels share, nor that of the kernel that sessions begin with. */
    private static boolean isKernel(Tier.Stored stored) {
        if (stored.kind() != CacheKey.Kind.CLASS) return false;
        try {
            String name = Tier.read(stored).name();
            return !name.startsWith("io/sinter/") && !name.equals("initialise");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aSharedTierIsReadAndNeverWritten() throws IOException {
        try (Session s = open()) {
            run(s, graph());
        }
        List<Tier.Stored> before = entries();
        CacheOptions shared = CacheOptions.NONE.withShared(cache());
        try (Session s = open(Device.JVM, Options.Backend.GENERATED, shared)) {
            run(s, graph());
            assertEquals(0, s.counters().cache().misses());
            GraphBuilder g = new GraphBuilder();
            Graph other = g.build(g.exp(g.input(Type.of(DType.F32, 5))));
            run(s, other);
            assertEquals(1, s.counters().programsCompiled());
        }
        assertEquals(before, entries());
    }

    @Test
    void theLeastRecentlyUsedEntriesGoFirst() throws IOException {
        try (Session s = open()) {
            run(s, graph());
        }
        Tier tier = Tier.own(cache());
        List<Tier.Stored> all = tier.list();
        long bytes = all.stream().mapToLong(Tier.Stored::bytes).sum();
        Tier.Stored oldest = all.get(all.size() - 1);
        Files.setLastModifiedTime(oldest.file(), java.nio.file.attribute.FileTime.fromMillis(1000));
        assertEquals(oldest.bytes(), tier.prune(bytes - 1));
        assertEquals(all.size() - 1, tier.list().size());
        assertEquals(0, tier.prune(bytes));
        tier.prune(0);
        assertEquals(List.of(), tier.list());
    }

    /** A disk that takes nothing more (here: no folder for files in the making) costs the entries, and one line for all of them. */
    @Test
    void filesThatCannotBeWrittenAreToldOnce() throws IOException {
        Tier.own(cache());
        Files.createFile(cache().resolve("tmp"));
        List<String> warnings = new ArrayList<>();
        Logger log = Logger.getLogger("io.sinter.cache");
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord r) {
                if (r.getLevel() == Level.WARNING) warnings.add(new SimpleFormatter().formatMessage(r));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        log.addHandler(handler);
        log.setUseParentHandlers(false);
        try (Session s = open();
                Session without = open(Device.JVM, Options.Backend.GENERATED, CacheOptions.NONE)) {
            same(run(without, graph()), run(s, graph()));
            assertTrue(s.counters().cache().misses() > 2);
        } finally {
            log.setUseParentHandlers(true);
            log.removeHandler(handler);
        }
        assertEquals(List.of(), entries());
        assertEquals(1, warnings.size(), warnings::toString);
        assertTrue(warnings.getFirst().contains("cannot write to the cache at " + cache()), warnings::toString);
        assertTrue(warnings.getFirst().contains("tmp: file already exists"), warnings::toString);
    }

    /** What another session reads was used by it: it is not among those that go next. */
    @Test
    void readingCountsAsUse() throws IOException {
        try (Session s = open()) {
            run(s, graph());
        }
        var longAgo = java.nio.file.attribute.FileTime.fromMillis(1000);
        for (Tier.Stored e : entries()) Files.setLastModifiedTime(e.file(), longAgo);
        Path unused = entries().getFirst().file().resolveSibling("0".repeat(64));
        Files.write(unused, new byte[10]);
        Files.setLastModifiedTime(unused, java.nio.file.attribute.FileTime.fromMillis(2000));
        try (Session s = open()) {
            run(s, graph());
            assertEquals(0, s.counters().cache().misses());
        }
        assertEquals(unused, entries().getFirst().file());
        long bytes = entries().stream().mapToLong(Tier.Stored::bytes).sum();
        assertEquals(10, Tier.own(cache()).prune(bytes - 1));
    }

    @Test
    void theCacheStaysWithinItsSize() throws IOException {
        CacheOptions small = CacheOptions.NONE.withFolder(cache()).withMaxBytes(30_000);
        try (Session s = open(Device.JVM, Options.Backend.GENERATED, small)) {
            for (int n = 1; n <= 12; n++) {
                GraphBuilder g = new GraphBuilder();
                Node x = g.input(Type.of(DType.F32, 7));
                for (int k = 0; k < n; k++) x = g.add(g.exp(x), g.sqrt(x));
                Graph graph = g.build(x);
                run(s, graph);
            }
        }
        long bytes = entries().stream().mapToLong(Tier.Stored::bytes).sum();
        assertTrue(bytes <= 30_000 + 12_000, bytes + " bytes");
        assertTrue(bytes > 0);
    }

    @Test
    void theFolderIsForThisUserAlone() throws IOException {
        try (Session s = open()) {
            run(s, graph());
        }
        assertEquals(
                "rwx------",
                java.nio.file.attribute.PosixFilePermissions.toString(Files.getPosixFilePermissions(cache())));
        Files.setPosixFilePermissions(cache(), java.nio.file.attribute.PosixFilePermissions.fromString("rwxrwxrwx"));
        try (Session s = open()) {
            run(s, graph());
            assertEquals(1, s.counters().programsCompiled());
            assertEquals(0, s.counters().cache().hits());
        }
    }
}
