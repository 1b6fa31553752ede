// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.Tensor;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.CacheOptions;
import io.sinter.runtime.cache.CacheStats;
import io.sinter.runtime.cache.Tier;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheCommandTest {
    @TempDir
    private Path folder;

    private String out;

    private int execute(String... arguments) {
        StringWriter text = new StringWriter();
        int status = Main.commandLine()
                .setOut(new PrintWriter(text))
                .setErr(new PrintWriter(text))
                .execute(arguments);
        out = text.toString();
        return status;
    }

    private Path cache() {
        return folder.resolve("cache");
    }

    /** Runs a program of a size; gives what the cache was asked for. */
    private static CacheStats run(CacheOptions cache, int size) {
        try (Session s = Session.open(Options.fromProperties().withThreads(1).withCache(cache));
                var _ = s.use()) {
            Tensor x = Tensor.ones(size, 3);
            assertEquals(size * 3 * Math.exp(2), x.mul(2.0).exp().sum().item(), 1e-3);
            return s.counters().cache();
        }
    }

    private CacheOptions own() {
        return CacheOptions.NONE.withFolder(cache());
    }

    @Test
    void listsExplainsVerifiesPrunesAndClears() throws IOException {
        String where = "--cache=" + cache();
        assertEquals(1, execute("cache", "ls", where));
        assertTrue(out.contains("no cache at"), out);
        run(own(), 4);
        assertEquals(0, execute("cache", "why", "LAST", where));
        assertTrue(out.contains("this one was the first") && out.contains("CacheCommandTest.java"), out);
        run(own(), 5);
        assertEquals(0, execute("cache", "ls", where));
        assertTrue(out.contains("2 programs") && out.contains("CacheCommandTest.java"), out);
        assertEquals(0, execute("cache", "ls", "--all", where));
        assertTrue(out.lines().anyMatch(l -> l.startsWith("class")), out);
        assertEquals(0, execute("cache", "why", "last", where));
        assertTrue(out.contains("- %3: f32[4,3] = expand") && out.contains("+ %3: f32[5,3] = expand"), out);
        assertEquals(1, execute("cache", "why", "123456", where));
        assertEquals(1, execute("cache", "why", "zzz", where));
        assertTrue(out.contains("hexadecimal"), out);
        assertEquals(0, execute("cache", "verify", where));
        assertTrue(out.contains(" 0 are damaged"), out);
        Tier.Stored first = Tier.own(cache()).list().getFirst();
        byte[] bytes = Files.readAllBytes(first.file());
        bytes[bytes.length - 9] ^= 4;
        Files.write(first.file(), bytes);
        assertEquals(1, execute("cache", "verify", where));
        assertTrue(out.contains(first.file().toString()) && out.contains("checksum"), out);
        assertEquals(0, execute("cache", "ls", "--all", where));
        assertTrue(out.contains("DAMAGED"), out);
        assertEquals(2, execute("cache", "prune", "--max-size", "many", where));
        assertEquals(0, execute("cache", "prune", "--max-size", "1k", where));
        assertTrue(
                Tier.own(cache()).list().stream().mapToLong(Tier.Stored::bytes).sum() <= 1024);
        run(own(), 4);
        assertEquals(0, execute("cache", "clear", where));
        assertEquals(List.of(), Tier.own(cache()).list());
        assertEquals(0, execute("cache", "why", "LAST", where));
        assertTrue(out.contains("no miss"), out);
    }

    /** {@code ls} says how often an entry was found; {@code why} knows kernels, too. */
    @Test
    void findsAreCountedAndKernelsExplained() throws IOException {
        String where = "--cache=" + cache();
        for (int n = 0; n < 3; n++) run(own(), 4);
        assertEquals(0, execute("cache", "ls", "--all", where));
        for (String kind : List.of("plan", "class")) {
            String line =
                    out.lines().filter(l -> l.startsWith(kind)).findFirst().orElseThrow();
            assertTrue(line.matches(kind + " +[0-9a-f]{12} +[0-9.]+ k?B +\\d+ s +\\d+ s +2  .*"), line);
        }
        String kernel = out.lines()
                .filter(l -> l.startsWith("class"))
                .findFirst()
                .orElseThrow()
                .split(" +")[1];
        assertEquals(0, execute("cache", "why", kernel, where));
        assertTrue(out.contains("code of the kernel") && out.contains("java"), out);
    }

    /** Entries of another version of Sinter are neither damage, nor in a bundle. */
    @Test
    void anotherVersionsEntriesAreLeftAlone() throws IOException {
        String where = "--cache=" + cache();
        run(own(), 4);
        List<Tier.Stored> ours = Tier.own(cache()).list();
        byte[] bytes = Files.readAllBytes(ours.getFirst().file());
        bytes[8]++; // the schema's first byte
        Path other = ours.getFirst().file().resolveSibling("0".repeat(64));
        Files.write(other, io.sinter.runtime.cache.Entry.sealed(bytes));
        assertEquals(0, execute("cache", "verify", where), () -> out);
        assertTrue(out.contains("1 of another version of Sinter, 0 are damaged"), out);
        assertEquals(0, execute("cache", "ls", "--all", where));
        assertTrue(out.contains("of another version of Sinter (schema") && !out.contains("DAMAGED"), out);
        Path bundle = folder.resolve("bundle");
        assertEquals(0, execute("cache", "export", bundle.toString(), where));
        assertTrue(out.startsWith(ours.size() + " entries") && out.contains("1 left out"), out);
        String to = "--cache=" + folder.resolve("other");
        assertEquals(0, execute("cache", "import", "--unsigned", bundle.toString(), to), () -> out);
        assertTrue(out.startsWith(ours.size() + " entries"), out);
    }

    /** A class that calls what no kernel calls is damage, though its checksum is right. */
    @Test
    void verifyLooksIntoClasses() throws IOException {
        run(own(), 4);
        Tier.Stored stored = Tier.own(cache()).list().stream()
                .filter(s -> s.kind() == CacheKey.Kind.CLASS)
                .findFirst()
                .orElseThrow();
        byte[] bytes = Files.readAllBytes(stored.file());
        byte[] name = "JvmKernel".getBytes(StandardCharsets.US_ASCII);
        int at = io.sinter.runtime.cache.Entry.payloadStart(bytes);
        while (!java.util.Arrays.equals(bytes, at, at + name.length, name, 0, name.length)) at++;
        bytes[at] = 'K';
        Files.write(stored.file(), io.sinter.runtime.cache.Entry.sealed(bytes));
        assertEquals(1, execute("cache", "verify", "--cache=" + cache()));
        assertTrue(
                out.contains("no generated kernel")
                        && out.contains(stored.file().toString()),
                out);
    }

    /** Whatever cannot be is told in one line that says what to do, and not by a stack trace. */
    @Test
    void mistakesAreToldInALine() throws IOException {
        String where = "--cache=" + cache();
        run(own(), 4);
        Path file = Files.writeString(folder.resolve("file"), "x");
        String nowhere = folder.resolve("no/bundle").toString();
        fails(1, "no folder " + folder.resolve("no"), "cache", "export", nowhere, where);
        fails(1, "is a folder", "cache", "export", folder.toString(), where);
        fails(1, "is a folder", "cache", "export", folder.getRoot().toString(), where);
        fails(1, nowhere + ": no such file", "cache", "import", nowhere, where);
        fails(1, file + " is no bundle", "cache", "import", "--unsigned", file.toString(), where);
        fails(1, "no private key", "cache", "sign", file.toString(), where);
        fails(1, "no such file", "cache", "sign", nowhere, where);
        fails(1, "is a file, not a folder", "cache", "ls", "--cache=" + file);
        System.setProperty("sinter.cache.max", "lots");
        try {
            String weights = "--weights=" + folder.resolve("w");
            fails(1, "SINTER_CACHE_MAX): 'lots'", "run", "digits", "--steps=1", weights);
            fails(1, "SINTER_CACHE_MAX): 'lots'", "cache", "import", file.toString(), where);
            fails(1, "SINTER_CACHE_MAX): 'lots'", "cache", "import", "--trusted", nowhere, file.toString(), where);
        } finally {
            System.clearProperty("sinter.cache.max");
        }
    }

    private void fails(int status, String text, String... arguments) {
        assertEquals(status, execute(arguments), () -> out);
        assertTrue(out.contains(text) && out.lines().count() == 1, out);
    }

    /** What is imported counts towards the limit like what is compiled. */
    @Test
    void importKeepsToTheLimit() throws IOException {
        for (int n = 3; n < 6; n++) run(own(), n);
        Path bundle = folder.resolve("bundle");
        assertEquals(0, execute("cache", "export", bundle.toString(), "--cache=" + cache()));
        Path other = folder.resolve("other");
        System.setProperty("sinter.cache.max", "4k");
        try {
            assertEquals(0, execute("cache", "import", "--unsigned", bundle.toString(), "--cache=" + other));
        } finally {
            System.clearProperty("sinter.cache.max");
        }
        assertTrue(out.contains("so that the rest fits"), out);
        assertTrue(Tier.own(other).list().stream().mapToLong(Tier.Stored::bytes).sum() <= 4096);
    }

    /** What was measured is listed beside the programs, and told form by form. */
    @Test
    void showsWhatWasMeasured() throws IOException {
        String where = "--cache=" + cache();
        try (Session s = Session.open(Options.fromProperties().withThreads(1).withCache(own()));
                var _ = s.use()) {
            // The search ends by itself, in about a second; on a machine that is busy, less time may not be enough for
            // one comparison.
            s.autotune(Duration.ofMinutes(5));
            Tensor x = Tensor.ones(12, 600);
            assertEquals(600, x.matmul(x.transpose(0, 1)).max().item());
        }
        assertEquals(0, execute("cache", "ls", where));
        String entry = out.lines()
                .filter(l -> l.startsWith("tuning") && l.contains(" 1 measured"))
                .findFirst()
                .orElseThrow();
        assertTrue(entry.contains("CacheCommandTest.java"), entry);
        assertTrue(out.lines().toList().getLast().contains(" measured, "), out);
        assertEquals(0, execute("cache", "why", entry.split(" +")[1], where));
        assertTrue(out.contains("as the tables say") && out.contains(" us  ") && out.contains("matmul"), out);
        assertEquals(0, execute("cache", "verify", where));
    }

    /** Programs are compiled for a GPU that is not there, by a demo or from its dump; a GPU of that sort then compiles and generates nothing. */
    @Test
    void warmsForAGpuThatIsNotThere() throws IOException {
        Path dump = folder.resolve("dump");
        String json = "--json=" + folder.resolve("run.json");
        String weights = "--weights=" + folder.resolve("w");
        String where = "--cache=" + cache();
        assertEquals(2, execute("cache", "warm", where, "digits"));
        assertEquals(2, execute("cache", "warm", where, "--device", "sm_12", "digits"));
        assertTrue(out.contains("sm_90a"), out);
        assertEquals(2, execute("cache", "warm", where, "--device", "sm_90a", "digitts"));
        assertTrue(out.contains("chargpt"), out);
        assertEquals(1, execute("cache", "warm", where, "--device", "sm_90a", "digits", "--", "--device=jvm"));

        assertEquals(0, execute("cache", "warm", where, "--device=sm_90a,jvm", "digits", "--", "--steps=1"), () -> out);
        assertTrue(out.contains("for sm_90a: ") && !out.contains(" 0 kernels generated"), out);
        Set<String> warmed = digests(cache());
        System.setProperty("sinter.ptx-sim", "sm_90a");
        try {
            assertEquals(0, execute("run", "digits", "--steps=1", "--device=ptx-sim", where, json, weights), () -> out);
        } finally {
            System.clearProperty("sinter.ptx-sim");
        }
        Map<?, ?> results =
                new ObjectMapper().readValue(folder.resolve("run.json").toFile(), Map.class);
        assertEquals(0, results.get("programs"));
        assertEquals(0, results.get("kernels"));
        assertEquals(0, results.get("cache_misses"));

        assertEquals(0, execute("run", "digits", "--device=jvm", "--steps=1", "--dump=" + dump, weights), () -> out);
        Path other = folder.resolve("other");
        String from = dump.toString();
        assertEquals(2, execute("cache", "warm", "--cache=" + other, "--device=sm_90a", from, from + "2"));
        assertTrue(out.contains("one dump at a time") && out.contains(from + "2"), out);
        assertEquals(0, execute("cache", "warm", "--cache=" + other, "--device=sm_90a", from), () -> out);
        assertEquals(warmed, digests(other));
        assertEquals(0, execute("cache", "warm", "--cache=" + other, "--device=sm_90a", from), () -> out);
        assertTrue(out.contains(" 0 programs compiled") && out.contains(" 0 kernels generated"), out);
    }

    /** Keys of what is stored of plans and PTX. */
    private static Set<String> digests(Path cache) throws IOException {
        return Tier.own(cache).list().stream()
                .filter(s -> s.kind() != CacheKey.Kind.CLASS)
                .map(Tier.Stored::digest)
                .collect(Collectors.toSet());
    }

    private record Keys(Path secret, Path open) {}

    private Keys keys(String name) throws IOException, GeneralSecurityException {
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Path secret = folder.resolve(name + ".pem");
        Path open = folder.resolve(name + ".pub");
        pem(secret, "PRIVATE KEY", pair.getPrivate().getEncoded());
        pem(open, "PUBLIC KEY", pair.getPublic().getEncoded());
        return new Keys(secret, open);
    }

    private static void pem(Path file, String what, byte[] der) throws IOException {
        Files.writeString(
                file,
                "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + what
                        + "-----\n");
    }

    @Test
    void bundlesAreTakenFromThoseWhoAreTrusted() throws IOException, GeneralSecurityException {
        run(own(), 4);
        Keys ours = keys("ours");
        Keys others = keys("others");
        Path bundle = folder.resolve("bundle");
        String from = "--cache=" + cache();
        String to = "--cache=" + folder.resolve("other");
        assertEquals(0, execute("cache", "export", bundle.toString(), from));
        assertTrue(out.contains("not signed"), out);
        assertEquals(1, execute("cache", "import", bundle.toString(), to));
        assertTrue(out.contains("not signed"), out);
        assertEquals(0, execute("cache", "export", bundle.toString(), "--sign=" + ours.secret, from));
        assertEquals(1, execute("cache", "import", bundle.toString(), to));
        assertEquals(1, execute("cache", "import", bundle.toString(), "--trusted=" + others.open, to));
        assertTrue(out.contains("nobody that is trusted"), out);
        assertEquals(List.of(), Tier.own(folder.resolve("other")).list());
        byte[] bytes = Files.readAllBytes(bundle);
        for (int at : new int[] {3, 40, bytes.length / 2, bytes.length - 10}) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= 2;
            Path file = Files.write(folder.resolve("damaged"), damaged);
            assertEquals(1, execute("cache", "import", file.toString(), "--trusted=" + ours.open, to), "byte " + at);
        }
        assertEquals(0, execute("cache", "import", bundle.toString(), "--trusted=" + ours.open, to));
        CacheStats stats = run(CacheOptions.NONE.withFolder(folder.resolve("other")), 4);
        assertEquals(0, stats.misses());
        assertTrue(stats.hits() > 0);
        assertEquals(0, execute("cache", "export", bundle.toString(), from));
        assertEquals(0, execute("cache", "import", "--unsigned", bundle.toString(), to));
    }

    @Test
    void aFolderOfOthersIsReadWithATrustedSignatureOnly() throws IOException, GeneralSecurityException {
        run(own(), 4);
        Keys ours = keys("ours");
        assertEquals(0, execute("cache", "sign", ours.secret.toString(), "--cache=" + cache()));
        CacheOptions shared = CacheOptions.NONE.withShared(cache());
        assertEquals(0, run(shared, 4).misses());
        // Others may write there now.
        Files.setPosixFilePermissions(cache(), PosixFilePermissions.fromString("rwxrwxrwx"));
        assertEquals(0, run(shared, 4).hits());
        assertEquals(0, run(shared.withTrusted(keys("others").open), 4).hits());
        CacheOptions trusted = shared.withTrusted(ours.open);
        assertEquals(0, run(trusted, 4).misses());
        assertEquals(
                0,
                run(new CacheOptions(null, cache(), 0, null, true, List.of()), 4)
                        .misses());
        // What is not as it was signed is a miss, though its checksum is right; the folder is left as it is.
        Tier.Stored plan;
        try (var files = Files.walk(cache().resolve("plan"))) {
            Path file = files.filter(Files::isRegularFile).findFirst().orElseThrow();
            byte[] other = io.sinter.runtime.cache.Entry.sealed(Files.readAllBytes(file));
            other[60] ^= 1;
            Files.write(file, io.sinter.runtime.cache.Entry.sealed(other));
            plan = new Tier.Stored(file, CacheKey.Kind.PLAN, file.getFileName().toString(), other.length, null);
        }
        CacheStats stats = run(trusted, 4);
        assertTrue(stats.misses() > 0 && stats.corrupt() == 1, stats.toString());
        assertTrue(Files.exists(plan.file()));
    }

    @Test
    void damagedEntriesAndKilledProcessesDoNoHarm() {
        assertEquals(0, execute("conformance", "cache-mutants", "--count", "80"), () -> out);
        assertTrue(out.contains("80 damaged entries") && out.contains(" 0 failures"), out);
        assertEquals(0, execute("conformance", "cache-crash", "--kills", "2", "--racers", "3"), () -> out);
        assertTrue(out.contains("3 processes raced") && out.contains("all right"), out);
    }
}
