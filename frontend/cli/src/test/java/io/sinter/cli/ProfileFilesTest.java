// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.cli.dump.DumpSchema;
import io.sinter.optim.AdamW;
import io.sinter.profiler.Profiler;
import io.sinter.profiler.ProfilerOptions;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import io.sinter.runtime.profile.Report;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import jdk.jfr.DataAmount;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files that a profile is written to, read back. */
class ProfileFilesTest {
    private static final int STEPS = 3;

    @TempDir
    static Path folder;

    private static List<JsonNode> events;
    private static Report report;

    private static int run(StringWriter err, Object... arguments) {
        List<String> words = new ArrayList<>();
        for (Object a : arguments) words.add(a.toString());
        return Main.commandLine()
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(err))
                .execute(words.toArray(String[]::new));
    }

    private static Report train(ProfilerOptions options) {
        Sinter.flush();
        Options session = Options.fromProperties().withDevice(Device.JVM).withBackend(Options.Backend.GENERATED);
        try (Session s = Session.open(session);
                var _ = s.use()) {
            DigitsCommand.DigitsNet net = new DigitsCommand.DigitsNet();
            AdamW optimizer = new AdamW(net.parameters(), 1e-3);
            try (Profiler p = Profiler.start(options)) {
                for (int i = 0; i < STEPS; i++) {
                    try (var _ = Profiler.range("forward and backward")) {
                        optimizer.zeroGrad();
                        net.call(Tensor.randn(8, 1, 8, 8)).sum().backward();
                    }
                    optimizer.step();
                    p.step();
                }
                return p.report();
            }
        }
    }

    @BeforeAll
    static void train() throws IOException {
        Path json = folder.resolve("p.json");
        report = train(ProfilerOptions.DEFAULT.withPeaks(false).withFile(json));
        JsonNode trace = new ObjectMapper().readTree(json.toFile());
        assertEquals("jvm", trace.path("otherData").path("device").asText());
        events = new ArrayList<>();
        trace.path("traceEvents").forEach(events::add);
    }

    private static List<JsonNode> of(String phase, String category) {
        return events.stream()
                .filter(e -> e.path("ph").asText().equals(phase)
                        && (category == null || e.path("cat").asText().equals(category)))
                .toList();
    }

    /** In nanoseconds, which the file's microseconds have as decimals. */
    private static long start(JsonNode e) {
        return Math.round(1000 * e.get("ts").asDouble());
    }

    private static long end(JsonNode e) {
        return start(e) + Math.round(1000 * e.get("dur").asDouble());
    }

    /** On each track what overlaps lies one within the other: else a viewer draws it wrongly. */
    @Test
    void eventsOfATrackAreNested() {
        Map<Integer, List<JsonNode>> tracks = of("X", null).stream()
                .collect(Collectors.groupingBy(e -> e.get("tid").asInt()));
        assertTrue(tracks.size() >= 2, tracks.keySet().toString());
        Map<String, Set<String>> parents = new TreeMap<>();
        tracks.values().forEach(track -> {
            Deque<JsonNode> open = new ArrayDeque<>();
            for (JsonNode e : track) {
                assertTrue(e.get("ts").isNumber() && e.get("dur").asDouble() >= 0, e.toString());
                while (!open.isEmpty() && end(open.peek()) <= start(e)) open.pop();
                if (!open.isEmpty()) {
                    assertTrue(end(e) <= end(open.peek()), e + " is not within " + open.peek());
                    assertTrue(start(e) >= start(open.peek()), e + " begins before " + open.peek());
                }
                parents.computeIfAbsent(e.path("cat").asText(), _ -> new HashSet<>())
                        .add(open.isEmpty() ? "" : open.peek().path("cat").asText());
                open.push(e);
            }
        });
        assertEquals(Set.of("program"), parents.get("kernel"));
        assertEquals(Set.of(""), parents.get("step"));
        assertEquals(Set.of(""), parents.get("line"));
        assertEquals(Set.of("step"), parents.get("range"));
        assertEquals(Set.of(""), parents.get("worker"), "one after the other");
        assertTrue(parents.get("compile").equals(Set.of("step")), parents.toString());
    }

    /** Microseconds: what the launches take is what the report says in nanoseconds. */
    @Test
    void timesAreMicroseconds() {
        double micros = of("X", "kernel").stream()
                .mapToDouble(e -> e.get("dur").asDouble())
                .sum();
        assertEquals(report.kernelNanos() / 1e3, micros, 1e-6 * report.kernelNanos());
        assertEquals(STEPS, of("X", "step").size());
        assertEquals(
                List.of("step 0", "step 1", "step 2"),
                of("X", "step").stream().map(e -> e.get("name").asText()).toList());
        double steps = of("X", "step").stream()
                .mapToDouble(e -> e.get("dur").asDouble())
                .sum();
        assertTrue(micros < steps, micros + " of " + steps);
        assertEquals(STEPS, of("X", "range").size());
    }

    /** Of each worker there is a track; its parts lie within their launch, and all parts of a launch are its tasks. */
    @Test
    void workersHaveTracks() {
        List<JsonNode> names = of("M", null).stream()
                .filter(e -> e.at("/args/name").asText().startsWith("worker "))
                .toList();
        assertTrue(names.size() >= 1 && names.size() <= Options.fromProperties().threads(), names.toString());
        assertEquals(
                "worker 0 (who runs the program)",
                names.getFirst().at("/args/name").asText());
        Set<Integer> tracks = names.stream().map(e -> e.get("tid").asInt()).collect(Collectors.toSet());
        assertEquals(names.size(), tracks.size());
        List<JsonNode> parts = of("X", "worker");
        int launches = 0;
        for (JsonNode k : of("X", "kernel")) {
            List<JsonNode> within = parts.stream()
                    .filter(p -> start(p) >= start(k) && end(p) <= end(k))
                    .toList();
            assertFalse(within.isEmpty(), "who ran " + k);
            for (JsonNode p : within) {
                assertEquals(k.get("name"), p.get("name"));
                assertTrue(tracks.contains(p.get("tid").asInt()), p.toString());
                assertTrue(p.at("/args/tasks").asLong() > 0, p.toString());
            }
            launches += within.size();
        }
        assertEquals(parts.size(), launches, "each part is of one launch");
    }

    @Test
    void kernelsSayWhatTheyDo() {
        for (JsonNode k : of("X", "kernel")) {
            JsonNode args = k.get("args");
            assertTrue(args.get("program").asInt() > 0, k.toString());
            assertTrue(args.get("bytes").asLong() > 0, k.toString());
            assertFalse(args.get("lines").isEmpty() && !k.get("name").asText().equals("copy"), k.toString());
        }
        assertTrue(of("X", "kernel").stream()
                .anyMatch(k -> k.path("args").path("lines").toString().contains("in DigitsNet: conv2")));
    }

    /** An arrow begins in a slice of a line, and ends at a launch that computes the line. */
    @Test
    void arrowsLeadFromLinesToLaunches() {
        Map<Integer, JsonNode> from = new HashMap<>();
        of("s", null).forEach(e -> from.put(e.get("id").asInt(), e));
        List<JsonNode> to = of("f", null);
        assertEquals(from.size(), to.size());
        assertTrue(to.size() > 20 * STEPS, to.size() + " arrows");
        List<JsonNode> launches = of("X", "kernel");
        List<JsonNode> lines = of("X", "line");
        for (JsonNode f : to) {
            JsonNode s = from.get(f.get("id").asInt());
            assertNotNull(s, f.toString());
            assertTrue(start(s) <= start(f));
            assertEquals("e", f.get("bp").asText());
            JsonNode line = lines.stream()
                    .filter(l -> l.get("tid").equals(s.get("tid")) && start(l) <= start(s) && start(s) <= end(l))
                    .reduce((_, b) -> b)
                    .orElseThrow();
            assertTrue(
                    launches.stream()
                            .anyMatch(k -> k.get("tid").equals(f.get("tid"))
                                    && start(k) == start(f)
                                    && k.path("args")
                                            .path("lines")
                                            .toString()
                                            .contains(line.get("name").asText())),
                    f + " of " + line);
        }
    }

    @Test
    void memoryIsACounter() {
        List<JsonNode> counters = of("C", null);
        assertTrue(counters.size() > STEPS);
        long most = 0;
        for (JsonNode c : counters) {
            long bytes = c.path("args").path("bytes in use").asLong(-1);
            assertTrue(bytes >= 0, c.toString());
            most = Math.max(most, bytes);
        }
        assertEquals(report.peakBytes(), most);
    }

    @Test
    void tracksHaveNames() {
        Set<Integer> named = of("M", null).stream()
                .filter(e -> e.get("name").asText().equals("thread_name"))
                .map(e -> e.get("tid").asInt())
                .collect(Collectors.toSet());
        for (JsonNode e : of("X", null)) assertTrue(named.contains(e.get("tid").asInt()), e.toString());
    }

    /** What Mission Control groups by, and shows with units. */
    @Test
    void theFlightRecordersFile() throws IOException {
        Path jfr = folder.resolve("p.jfr");
        train(ProfilerOptions.DEFAULT.withPeaks(false).withFile(jfr));
        Map<String, List<RecordedEvent>> byType = RecordingFile.readAllEvents(jfr).stream()
                .collect(Collectors.groupingBy(e -> e.getEventType().getName()));
        for (String type : List.of("Compile", "Generate", "Launch", "Run", "Range", "Allocation")) {
            List<RecordedEvent> of = byType.get("io.sinter." + type);
            assertNotNull(of, type + " of " + byType.keySet());
            assertEquals(List.of("Sinter"), of.getFirst().getEventType().getCategoryNames());
            assertNotNull(of.getFirst().getEventType().getLabel());
        }
        assertEquals(STEPS, byType.get("io.sinter.Range").size());
        assertEquals(1, byType.get("io.sinter.Compile").size());
        RecordedEvent launch = byType.get("io.sinter.Launch").stream()
                .filter(e -> e.getString("kernel").startsWith("conv_add_relu"))
                .findFirst()
                .orElseThrow();
        assertTrue(launch.getLong("bytes") > 0 && launch.getLong("flops") > 0, launch.toString());
        assertNotNull(launch.getEventType().getField("bytes").getAnnotation(DataAmount.class));
        assertTrue(launch.getString("line").startsWith("DigitsCommand.java:"), launch.toString());
        assertEquals("conv1", launch.getString("module"));
        assertTrue(launch.getDuration().toNanos() > 0);
        assertEquals(Thread.currentThread().getName(), launch.getThread().getJavaName());
    }

    @Test
    void everyRunTakesTheOption() throws IOException {
        Path txt = folder.resolve("p.txt");
        Path dump = folder.resolve("dump");
        StringWriter err = new StringWriter();
        int status = run(
                err,
                "run",
                "digits",
                "--steps",
                "2",
                "--weights",
                folder.resolve("w"),
                "--profile",
                txt,
                "--dump",
                dump);
        assertEquals(0, status, err.toString());
        String table = Files.readString(txt);
        for (String title :
                List.of("steps: 2 on jvm", "measured peaks: ", "  kernel\n", "  part of the network\n", "  line\n"))
            assertTrue(table.contains(title), title + " in\n" + table);
        assertTrue(table.contains("DigitsNet: conv1"), table);
        // The dumped program has the times, too.
        ObjectMapper json = new ObjectMapper();
        try (var all = Files.list(dump)) {
            for (Path p : all.toList()) {
                JsonNode program = json.readTree(p.resolve("program.json").toFile());
                assertTrue(program.path("profile").path("peakBytesPerSecond").asLong() > 0, p.toString());
                for (JsonNode k : program.get("kernels")) {
                    assertTrue(k.path("profile").path("calls").asLong() > 0, p + ": " + k);
                    assertTrue(k.path("profile").path("least").asLong() >= 0);
                }
                DumpSchema.check(program);
                assertTrue(Files.readString(p.resolve("index.html")).contains("peakBytesPerSecond"));
            }
        }
    }

    @Test
    void theDocumentsCommandsWork() throws IOException {
        Path docs = Path.of(System.getProperty("sinter.root")).resolve("docs").resolve("profiling.md");
        int ran = 0;
        for (String line : Files.readAllLines(docs)) {
            if (!line.startsWith("./sinter run ")) continue;
            List<Object> words =
                    new ArrayList<>(List.of(line.replaceAll(" +#.*", "").split(" ")));
            words.removeFirst();
            Path file = folder.resolve(words.getLast().toString());
            words.set(words.size() - 1, file);
            words.set(words.indexOf("--steps") + 1, "2"); // as many as it needs
            words.addAll(List.of("--weights", folder.resolve("dw")));
            StringWriter err = new StringWriter();
            assertEquals(0, run(err, words.toArray()), line + "\n" + err);
            assertTrue(Files.size(file) > 1000, line);
            ran++;
        }
        assertEquals(3, ran);
    }

    @Test
    void theDocumentsBenchmarkIsProfiledAndDumped() throws IOException {
        Path docs = Path.of(System.getProperty("sinter.root")).resolve("docs").resolve("profiling.md");
        List<String> lines = Files.readAllLines(docs).stream()
                .filter(l -> l.startsWith("./sinter bench ") && l.contains(" --profile "))
                .toList();
        assertEquals(1, lines.size());
        List<Object> words = new ArrayList<>();
        for (String word : lines.getFirst().split(" "))
            words.add(word.startsWith("runs/") ? folder.resolve(word) : word);
        words.removeFirst();
        words.addAll(List.of("--seconds", "0.001")); // as much as it needs
        StringWriter err = new StringWriter();
        assertEquals(0, run(err, words.toArray()), err.toString());
        assertTrue(Files.readString(folder.resolve("runs/softmax.txt")).contains("on jvm, threads: "));
        try (var all = Files.list(folder.resolve("runs/softmax"))) {
            assertEquals(1, all.count());
        }
    }

    @Test
    void anotherEndingIsRefusedBeforeTheWork() {
        StringWriter err = new StringWriter();
        assertEquals(1, run(err, "run", "digits", "--steps", "2", "--profile", folder.resolve("p.csv")));
        assertTrue(err.toString().contains(".jfr (for JDK Mission Control)"), err.toString());
    }
}
