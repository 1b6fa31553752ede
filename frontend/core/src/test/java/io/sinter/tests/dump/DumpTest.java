// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.dump;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.text.GraphParser;
import io.sinter.nn.LSTM;
import io.sinter.optim.AdamW;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.PtxCompiler;
import io.sinter.runtime.Session;
import io.sinter.tests.Small;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The folder that a compiled program is dumped into. */
class DumpTest {
    @TempDir
    private Path folder;

    /** Runs {@code work} in a session of its own that dumps. */
    private static void dump(Path into, Device device, Options.Backend backend, Runnable work) {
        Sinter.flush();
        Options options = Options.fromProperties().withDevice(device).withBackend(backend);
        try (Session session = Session.open(options);
                var _ = session.use()) {
            session.dumpTo(into);
            Sinter.manualSeed(7);
            work.run();
            Sinter.flush();
        }
    }

    private static void dump(Path into, Runnable work) {
        dump(into, Device.JVM, Options.Backend.GENERATED, work);
    }

    private static void train() {
        Small net = new Small();
        AdamW optimizer = new AdamW(net.parameters(), 1e-2);
        Tensor loss = F.crossEntropy(net.call(Tensor.randn(4, 6)), Tensor.of(0L, 2L, 1L, 0L));
        loss.backward();
        optimizer.step();
        assertTrue(loss.item() > 0);
    }

    private static void recur() {
        LSTM lstm = new LSTM(4, 5);
        Tensor out = lstm.call(Tensor.randn(7, 2, 4));
        out.square().sum().backward();
        assertTrue(Double.isFinite(lstm.parameters().getFirst().grad().sum().item()));
    }

    private static List<Path> programs(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }

    private static Map<String, byte[]> files(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path p : all.filter(Files::isRegularFile).toList())
                files.put(folder.relativize(p).toString(), Files.readAllBytes(p));
        }
        return files;
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }

    /** The one program that trains: the largest. */
    private static Path training(Path folder) throws IOException {
        Path best = null;
        for (Path p : programs(folder))
            if (best == null || Files.size(p.resolve("program.json")) > Files.size(best.resolve("program.json")))
                best = p;
        return best;
    }

    @Test
    void oneProgramDumpsTheSameBytesEveryTime() throws IOException {
        Path a = folder.resolve("a");
        Path b = folder.resolve("b");
        for (Path into : List.of(a, b)) {
            dump(into, () -> {
                train();
                recur();
            });
        }
        // Into a folder that holds another run's dump, too.
        dump(b, () -> {
            train();
            recur();
        });
        Map<String, byte[]> one = files(a);
        Map<String, byte[]> two = files(b);
        assertEquals(one.keySet(), two.keySet());
        assertTrue(one.size() > 30, one.keySet().toString());
        one.forEach((name, bytes) -> {
            // The only file with times.
            if (!name.endsWith("passes.csv")) assertArrayEquals(bytes, two.get(name), name);
        });
    }

    /** Nothing of it is left, and what the run itself has stored by then stays. */
    @Test
    void anEarlierDumpGivesWay() throws IOException {
        Runnable first = () -> {
            Session.current().dumpInputs(1L << 20);
            Tensor.of(1.0, 2.0).exp().toDoubles();
        };
        dump(folder, first);
        Map<String, byte[]> one = files(folder);
        Path program = programs(folder).getFirst();
        assertTrue(
                Files.exists(program.resolve("inputs/arg-000.npy")),
                one.keySet().toString());
        Files.writeString(program.resolve("kernels/99-old.loop"), "old");
        Files.writeString(program.resolve("inputs/arg-099.npy"), "old");
        Path mine = Files.createDirectories(folder.resolve("001-mine"));
        dump(folder, first);
        Files.delete(mine); // is no program's
        assertEquals(one.keySet(), files(folder).keySet());
        dump(folder, () -> Tensor.of(1.0, 2.0).cos().toDoubles());
        assertEquals(1, programs(folder).size());
        assertFalse(Files.exists(program), "another program has this number now");
    }

    /** Without closing the session. */
    @Test
    void dumpsCanBeWaitedFor() throws IOException {
        Sinter.flush();
        try (Session session = Session.open(Options.fromProperties());
                var _ = session.use()) {
            session.dumpTo(folder);
            train();
            session.awaitDumps();
            for (Path p : programs(folder)) assertTrue(Files.size(p.resolve("index.html")) > 0, p::toString);
        }
    }

    @Test
    void everyFileOfTheListIsThere() throws IOException {
        dump(folder, DumpTest::train);
        Path program = training(folder);
        for (String name : List.of(
                "00-trace.ir", "fusion.txt", "memory.txt", "passes.csv", "key.txt", "program.json", "graph.svg"))
            assertTrue(Files.size(program.resolve(name)) > 0, name);
        assertTrue(program.getFileName().toString().matches("\\d{3}-[0-9a-f]{8}"), program.toString());
        assertTrue(read(program.resolve("fusion.txt")).contains("not into"), "refusals");
        assertTrue(read(program.resolve("memory.txt")).startsWith("arguments "), "memory");
        String passes = read(program.resolve("passes.csv"));
        assertTrue(passes.startsWith("pass,ms,nodes before,nodes after,file\nunread-results,"), passes);
        // Numbered without gaps, and only what changed something.
        List<String> stages =
                files(program).keySet().stream().filter(n -> n.endsWith(".ir")).toList();
        for (int i = 0; i < stages.size(); i++) {
            assertTrue(stages.get(i).startsWith(String.format("%02d-", i)), stages.toString());
            if (i > 0)
                assertFalse(read(program.resolve(stages.get(i))).equals(read(program.resolve(stages.get(i - 1)))));
            if (i > 0) assertTrue(passes.contains(stages.get(i)), stages.get(i));
        }
    }

    @Test
    void nodesAndKernelsKnowTheUsersLineAndTheModule() throws IOException {
        dump(folder, DumpTest::train);
        Path program = training(folder);
        String trace = read(program.resolve("00-trace.ir"));
        assertTrue(
                Pattern.compile("matmul\\(.*# @\\d+ Small\\.java:\\d+ \\(forward\\) in Small: blocks\\.1\\.up\n")
                        .matcher(trace)
                        .find(),
                trace);
        assertTrue(trace.contains(" (forward) in Small: blocks.0\n"), "a block's own addition");
        assertTrue(trace.contains(" (forward) in Small: head\n"), "a layer of the outermost network");
        assertTrue(
                Pattern.compile("# @\\d+ DumpTest\\.java:\\d+ \\(train\\)\n")
                        .matcher(trace)
                        .find(),
                "outside of networks");
        String fusion = read(program.resolve("fusion.txt"));
        assertTrue(fusion.contains("in Small: blocks.1.down"), fusion);
        boolean found = false;
        for (Map.Entry<String, byte[]> f : files(program.resolve("kernels")).entrySet()) {
            String text = new String(f.getValue(), StandardCharsets.UTF_8);
            found |= f.getKey().endsWith(".loop")
                    && text.contains("# from Small.java:")
                    && text.contains("in Small: head");
        }
        assertTrue(found, "a kernel of the head's line");
    }

    @Test
    void stagesReadBackAsTheGraphsThatTheyShow() throws IOException {
        dump(folder, () -> {
            train();
            recur();
        });
        int seen = 0;
        for (Path program : programs(folder)) {
            for (Map.Entry<String, byte[]> f : files(program).entrySet()) {
                if (!f.getKey().endsWith(".ir")) continue;
                String text = new String(f.getValue(), StandardCharsets.UTF_8);
                Graph g = GraphParser.parse(text);
                assertEquals(
                        text.replaceAll("(# @\\d+) .*", "$1"), io.sinter.ir.text.GraphPrinter.print(g), f.getKey());
                if (f.getKey().equals("00-trace.ir")) {
                    String key = Canonical.of(g).hex();
                    assertTrue(read(program.resolve("key.txt")).startsWith("key " + key + "\n"), key);
                    assertTrue(program.getFileName().toString().endsWith(key.substring(0, 8)));
                }
                seen++;
            }
        }
        assertTrue(seen > 6, seen + " stages");
    }

    /** The key that a dump shows is the one that programs are looked up by. */
    @ParameterizedTest
    @ValueSource(strings = {"highest", "tf32"})
    void theKeyIsTheCaches(String precision) throws IOException {
        String[] key = new String[1];
        dump(folder, () -> {
            Sinter.setMatmulPrecision(precision);
            Tensor x = Tensor.randn(3, 4);
            Tensor y = x.mul(Tensor.randn(3, 4)).sub(x.exp().sum(1, true)).add(x);
            Tensor z = y.matmul(x.transpose(0, 1));
            key[0] = Sinter.programKey(z);
            z.toDoubles();
        });
        List<String> keys = new java.util.ArrayList<>();
        for (Path p : programs(folder))
            keys.add(read(p.resolve("key.txt")).lines().findFirst().orElseThrow());
        assertTrue(keys.contains("key " + key[0]), key[0] + " among " + keys);
    }

    /** Of loops, products (their operands' code and their epilogues), convolutions and attention. */
    @Test
    void lineTablesPointIntoTheDumpedLoopIr() throws IOException {
        dump(folder, () -> {
            train();
            Tensor q = Tensor.randn(2, 8, 4).requiresGrad_();
            F.scaledDotProductAttention(q, q.mul(2), q.exp(), null, 0, false)
                    .sum()
                    .backward();
            q.grad().toDoubles();
            F.conv2d(Tensor.randn(1, 2, 6, 6), Tensor.randn(3, 2, 3, 3), null)
                    .relu()
                    .toDoubles();
        });
        Pattern line = Pattern.compile("LINENUMBER (\\d+) ");
        int lines = 0;
        String kinds = "";
        for (Path program : programs(folder)) {
            Path kernels = program.resolve("kernels");
            for (Map.Entry<String, byte[]> f : files(kernels).entrySet()) {
                if (!f.getKey().endsWith(".bytecode")) continue;
                String code = new String(f.getValue(), StandardCharsets.UTF_8);
                String source = f.getKey().replace(".bytecode", ".loop");
                assertTrue(code.contains("// compiled from: " + source + "\n"), source);
                List<String> loop = read(kernels.resolve(source)).lines().toList();
                int before = lines;
                for (Matcher m = line.matcher(code); m.find(); lines++) {
                    String statement =
                            loop.get(Integer.parseInt(m.group(1)) - 1).strip();
                    assertTrue(
                            statement.matches(
                                    "(for|let|var|if|to) .*|l\\d+ .*|out\\d+.*|scratch\\d+.*|(a|b|q|k|v|bias|saved|staged|staged plain) = .*"),
                            source + ": " + statement);
                }
                assertTrue(lines > before, source + " has no line table");
                kinds += loop.getFirst().split(" ")[1] + " ";
            }
        }
        for (String kind : List.of("loop", "gemm", "attention")) assertTrue(kinds.contains(kind), kinds);
        assertTrue(lines > 20, lines + " lines");
    }

    @Test
    void ptxNamesTheDumpedLoopIr() throws IOException {
        dump(folder, Device.PTX_SIM, Options.Backend.GENERATED, () -> {
            Tensor x = Tensor.randn(4, 5);
            F.softmax(x.mul(2), 1).toDoubles();
        });
        Path kernels = training(folder).resolve("kernels");
        boolean assembler = PtxCompiler.isThere()
                || Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                        .anyMatch(p -> Files.isExecutable(Path.of(p, "ptxas")));
        int lines = 0;
        for (Map.Entry<String, byte[]> f : files(kernels).entrySet()) {
            if (!f.getKey().endsWith(".ptx")) continue;
            Path report = kernels.resolve(f.getKey().replace(".ptx", ".ptxas.txt"));
            assertEquals(assembler, Files.exists(report), "an assembler's report, where there is an assembler");
            if (assembler) assertTrue(read(report).contains("registers"), read(report));
            String code = new String(f.getValue(), StandardCharsets.UTF_8);
            String source = f.getKey().replace(".ptx", ".loop");
            assertTrue(code.contains(".file 1 \"" + source + "\"\n"), code);
            long count = read(kernels.resolve(source)).lines().count();
            for (Matcher m = Pattern.compile("\\.loc 1 (\\d+) ").matcher(code); m.find(); lines++)
                assertTrue(Long.parseLong(m.group(1)) <= count);
            assertFalse(Files.exists(kernels.resolve(f.getKey().replace(".ptx", ".bytecode"))));
        }
        assertTrue(lines > 3, lines + " lines");
    }

    @ParameterizedTest
    @ValueSource(strings = {"INTERPRETED", "REFERENCE"})
    void otherBackendsDumpWhatTheyHave(String backend) throws IOException {
        dump(folder, Device.JVM, Options.Backend.valueOf(backend), () -> Tensor.randn(3, 4)
                .exp()
                .sum()
                .item());
        Path program = training(folder);
        assertTrue(read(program.resolve("key.txt")).contains("backend " + backend.toLowerCase(java.util.Locale.ROOT)));
        boolean kernels = files(program).keySet().stream().anyMatch(n -> n.endsWith(".loop"));
        assertEquals(backend.equals("INTERPRETED"), kernels);
    }

    @Test
    void bodiesOfLoopsAreThere() throws IOException {
        dump(folder, DumpTest::recur);
        String json = read(training(folder).resolve("program.json"));
        assertTrue(
                Pattern.compile("\\{\"id\":\"%\\d+/%\\d+\",\"op\":\"matmul\"")
                        .matcher(json)
                        .find(),
                "a body's node");
        assertTrue(
                Pattern.compile("\"loop\":\"%\\d+\",\"times\":7").matcher(json).find(), "seven steps");
    }

    @Test
    void withoutTheFlagNothingIsTracked() {
        assertFalse(Session.tracksSources());
        dump(folder, () -> assertTrue(Session.tracksSources()));
        assertFalse(Session.tracksSources());
    }
}
