// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.nn.Linear;
import io.sinter.nn.Sequential;
import io.sinter.optim.AdamW;
import io.sinter.runtime.Counters;
import io.sinter.runtime.JvmFeatures;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import io.sinter.runtime.cache.CacheOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One program has one key, whoever compiles it where; another program has another. */
class CacheKeysTest {
    @TempDir
    private Path folder;

    /** What the child processes run: training steps of a small network. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) {
            Sinter.manualSeed(3);
            Sequential net = new Sequential(new Linear(6, 8), new Linear(8, 3));
            AdamW optimizer = new AdamW(net.parameters(), 1e-3);
            for (int step = 0; step < 2; step++) {
                Tensor loss = F.crossEntropy(net.call(Tensor.ones(4, 6)), Tensor.from(new long[] {0, 1, 2, 1}));
                optimizer.zeroGrad();
                loss.backward();
                optimizer.step();
                System.out.println(loss.item());
            }
            System.out.println("shared classes generated: " + Counters.sharedClassesGenerated());
        }
    }

    private String child(Path cache, Path where, String... flags) throws IOException, InterruptedException {
        return child("jvm", cache, where, flags);
    }

    private String child(String device, Path cache, Path where, String... flags)
            throws IOException, InterruptedException {
        return child(List.of(), device, cache, where, flags);
    }

    /** @param starter starts the command that follows it */
    private String child(List<String> starter, String device, Path cache, Path where, String... flags)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(starter);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (flag.startsWith("-XX:CompileCommand") || flag.startsWith("--") || flag.startsWith("-XX:Tier3")) {
                command.add(flag);
            }
        }
        command.addAll(List.of(flags));
        StringBuilder path = new StringBuilder();
        for (String p : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
            path.append(path.isEmpty() ? "" : java.io.File.pathSeparator)
                    .append(Path.of(p).toAbsolutePath());
        }
        command.addAll(List.of(
                "-Dsinter.cache=" + cache, "-Dsinter.device=" + device, "-cp", path.toString(), Child.class.getName()));
        Process p = new ProcessBuilder(command)
                .directory(where.toFile())
                .redirectErrorStream(true)
                .start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), out);
        return out;
    }

    private static Map<String, byte[]> entries(Path cache) throws IOException {
        Map<String, byte[]> entries = new TreeMap<>();
        for (String kind : List.of("plan", "class", "ptx")) {
            if (!Files.isDirectory(cache.resolve(kind))) continue;
            try (var files = Files.walk(cache.resolve(kind))) {
                for (Path p : files.filter(Files::isRegularFile).toList()) {
                    entries.put(kind + "/" + p.getFileName(), Files.readAllBytes(p));
                }
            }
        }
        return entries;
    }

    @Test
    void otherProcessesFoldersLocalesTimeZonesAndThreadsStoreTheSameBytes() throws IOException, InterruptedException {
        Path here = Files.createDirectories(folder.resolve("here"));
        Path there = Files.createDirectories(folder.resolve("there/below"));
        String a = child(folder.resolve("a"), here, "-Dsinter.threads=1");
        String b = child(
                folder.resolve("b"),
                there,
                "-Dsinter.threads=3",
                "-Duser.language=tr",
                "-Duser.country=TR",
                "-Duser.timezone=Asia/Tokyo",
                "-Dfile.encoding=ISO-8859-1");
        Map<String, byte[]> first = entries(folder.resolve("a"));
        Map<String, byte[]> second = entries(folder.resolve("b"));
        assertTrue(first.size() > 5, "only " + first.keySet());
        assertEquals(first.keySet(), second.keySet());
        for (String name : first.keySet()) assertArrayEquals(first.get(name), second.get(name), name);
        // A third process finds what the first one made, and computes the same.
        String c = child(folder.resolve("a"), there, "-Dsinter.threads=2");
        assertTrue(c.contains(" hits, 0 misses"), c);
        boolean vectors = JvmFeatures.vectorBits() > 0; // without them nothing is shared that is generated
        assertEquals(vectors, !a.contains("shared classes generated: 0"), a);
        assertTrue(c.contains("shared classes generated: 0"), c);
        assertEquals(numbers(a), numbers(b));
        assertEquals(numbers(a), numbers(c));
    }

    /** Entries are code: in a folder that others may enter nobody else may write, whatever the umask is. */
    @Test
    void nobodyElseMayWriteWhateverTheUmask() throws IOException, InterruptedException {
        Assumptions.assumeTrue(
                FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));
        Path cache = Files.createDirectory(folder.resolve("cache"));
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> loose = List.of("sh", "-c", "umask 000; exec \"$@\"", "sh");
        child(loose, "jvm", cache, folder);
        child(loose, "jvm", cache, folder); // finds everything, and says so in a file
        int files = 0;
        try (var all = Files.walk(cache)) {
            for (Path p : (Iterable<Path>) all::iterator) {
                String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(p));
                assertEquals(Files.isDirectory(p) ? "rwxr-xr-x" : "rw-r--r--", mode, p::toString);
                if (Files.isRegularFile(p)) files++;
            }
        }
        assertTrue(files > 10 && Files.exists(cache.resolve("misses")) && Files.exists(cache.resolve("uses")));
    }

    /** PTX is the same text everywhere, too, down to the names of its entries. */
    @Test
    void otherProcessesStoreTheSamePtx() throws IOException, InterruptedException {
        Path here = Files.createDirectories(folder.resolve("here"));
        Path there = Files.createDirectories(folder.resolve("there"));
        String a = child("ptx-sim", folder.resolve("a"), here, "-Dsinter.threads=1");
        String b = child(
                "ptx-sim", folder.resolve("b"), there, "-Dsinter.threads=2", "-Duser.language=tr", "-Duser.country=TR");
        Map<String, byte[]> first = entries(folder.resolve("a"));
        Map<String, byte[]> second = entries(folder.resolve("b"));
        assertTrue(first.keySet().stream().filter(k -> k.startsWith("ptx/")).count() > 3, "only " + first.keySet());
        assertEquals(first.keySet(), second.keySet());
        for (String name : first.keySet()) assertArrayEquals(first.get(name), second.get(name), name);
        assertEquals(numbers(a), numbers(b));
    }

    /** The call means what the property and the variable mean, from then on. */
    @Test
    void aProgramCanAskForACacheItself() throws IOException {
        Path cache = folder.resolve("cache");
        try (Session s = Session.open(Options.fromProperties().withCache(CacheOptions.NONE));
                var _ = s.use()) {
            Tensor.ones(2, 19).sqrt().toDoubles();
            assertEquals(0, s.counters().cache().misses());
            Sinter.cache(cache);
            Tensor.ones(3, 19).exp().toDoubles();
            assertTrue(s.counters().cache().misses() > 0);
        }
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)));
        try (Session s = Session.open(Options.fromProperties().withCache(CacheOptions.NONE.withFolder(cache)));
                var _ = s.use()) {
            Tensor.ones(3, 19).exp().toDoubles();
            assertEquals(0, s.counters().cache().misses());
            assertEquals(0, s.counters().programsCompiled());
        }
    }

    /** Programs that are in memory are not looked for on disk: a cache costs a step nothing once its program is there. */
    @Test
    void warmStepsLookNothingUpOnDisk() {
        CacheOptions cache = CacheOptions.NONE.withFolder(folder.resolve("cache"));
        try (Session s = Session.open(Options.fromProperties().withCache(cache));
                var _ = s.use()) {
            Linear net = new Linear(5, 3);
            AdamW optimizer = new AdamW(net.parameters(), 1e-3);
            long lookups = 0;
            for (int step = 0; step < 8; step++) {
                Tensor loss = net.call(Tensor.ones(7, 5)).square().mean();
                optimizer.zeroGrad();
                loss.backward();
                optimizer.step();
                loss.item();
                long now = s.counters().cache().hits() + s.counters().cache().misses();
                if (step > 2) assertEquals(lookups, now, "step " + step);
                lookups = now;
            }
            assertTrue(lookups > 0);
        }
    }

    private static List<String> numbers(String out) {
        return out.lines().filter(l -> l.matches("[0-9.E-]+")).toList();
    }

    /** A random expression: for each node an operator and two earlier nodes; the first four are leaves. */
    private record Expression(int[] op, int[] left, int[] right, int shape) {
        static Expression of(long seed) {
            Random r = new Random(seed);
            int n = 6 + r.nextInt(20);
            Expression e = new Expression(new int[n], new int[n], new int[n], 2 + r.nextInt(4));
            for (int i = 4; i < n; i++) {
                e.op[i] = r.nextInt(6);
                e.left[i] = r.nextInt(i);
                e.right[i] = r.nextInt(i);
            }
            return e;
        }

        int last() {
            return op.length - 1;
        }

        Tensor node(int i, Tensor[] made) {
            Tensor a = made[left[i]];
            Tensor b = made[right[i]];
            return switch (op[i]) {
                case 0 -> a.add(b);
                case 1 -> a.sub(b);
                case 2 -> a.mul(b);
                case 3 -> a.tanh();
                case 4 -> a.exp();
                default -> F.softmax(a, 1).add(b);
            };
        }

        Tensor[] leaves() {
            Tensor[] made = new Tensor[op.length];
            for (int i = 0; i < 4; i++) {
                float[] v = new float[shape * 3];
                made[i] = Tensor.from(v, shape, 3);
            }
            return made;
        }

        /** All nodes in order, those that nothing needs among them. */
        String keyForwards() {
            Tensor[] made = leaves();
            for (int i = 4; i < op.length; i++) made[i] = node(i, made);
            return Sinter.programKey(made[last()]);
        }

        /** Right operands first, and only what is needed. */
        String keyOnDemand() {
            Tensor[] made = leaves();
            demand(last(), made);
            return Sinter.programKey(made[last()]);
        }

        private void demand(int i, Tensor[] made) {
            if (made[i] != null) return;
            demand(right[i], made);
            demand(left[i], made);
            made[i] = node(i, made);
        }

        /** Nodes that the last one needs. */
        boolean[] needed() {
            boolean[] needed = new boolean[op.length];
            needed[last()] = true;
            for (int i = last(); i >= 4; i--) {
                if (!needed[i]) continue;
                needed[left[i]] = true;
                if (op[i] < 3 || op[i] == 5) needed[right[i]] = true;
            }
            return needed;
        }
    }

    @Property(tries = 60)
    void theOrderOfCallsIsNotInTheKey(@ForAll long seed) {
        Expression e = Expression.of(seed);
        assertEquals(e.keyForwards(), e.keyOnDemand());
        Sinter.flush();
    }

    @Property(tries = 60)
    void everyChangeIsInTheKey(@ForAll long seed) {
        Expression e = Expression.of(seed);
        String key = e.keyForwards();
        boolean[] needed = e.needed();
        for (int i = 4; i < e.op.length; i++) {
            if (!needed[i]) continue;
            int before = e.op[i];
            e.op[i] = before == 3 ? 4 : before == 4 ? 3 : (before + 1) % 3;
            assertNotEquals(key, e.keyForwards(), "operator " + i + " of seed " + seed);
            e.op[i] = before;
        }
        Expression wider = new Expression(e.op, e.left, e.right, e.shape + 1);
        assertNotEquals(key, wider.keyForwards());
        assertEquals(key, e.keyForwards());
        Sinter.flush();
    }
}
