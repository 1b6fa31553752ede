// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code sinter bench}: its command line, its lines, and what it says of peers that fail. */
class BenchTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... arguments) {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    private void assertWrong(String message, String... arguments) {
        assertEquals(2, execute(arguments), err.toString());
        assertTrue(err.toString().contains(message), err.toString());
    }

    @Test
    void wrongFlagsAreNamed() {
        assertWrong("no case matches --only nothing; --list lists them", "bench", "--only", "nothing");
        assertWrong("--threads must be at least 1, not 0", "bench", "--threads", "0");
        assertWrong("--seconds must be positive, not 0", "bench", "--seconds", "0");
        assertWrong("--device: unknown device 'tpu'", "bench", "--device", "tpu");
        assertWrong("--peer needs a command", "bench", "--peer", " ");
        assertWrong("--only", "bench", "--only", "(");
        assertWrong(".jfr (for JDK Mission Control)", "bench", "--profile", "p.csv");
        assertWrong("for cases that are timed, not for --sweep", "bench", "--sweep", "--profile", "p.txt");
        assertWrong("for cases that are timed, not for --sweep", "bench", "--overhead", "--dump", "d");
        assertWrong("measure in one mode", "bench", "--overhead", "--mode", "both");
    }

    @Test
    void theListIsOfNames() {
        assertEquals(0, execute("bench", "--list", "--only", "gemm_(1024|4096)"));
        assertEquals(
                List.of("gemm_1024", "gemm_4096", "gemm_1024_f64"),
                out.toString().lines().toList());
    }

    @ParameterizedTest
    @ValueSource(strings = {"traced", "compiled"})
    void aLineHasEveryField(String mode) throws Exception {
        assertEquals(
                0,
                execute("bench", "--here", "--mode", mode, "--only", "gemm_512|tiny", "--seconds", "0.001"),
                err.toString());
        List<String> lines = out.toString().lines().toList();
        assertEquals(2, lines.size());
        for (String line : lines) {
            JsonNode n = JSON.readTree(line);
            for (String field :
                    List.of("median_ms", "min_ms", "first_ms", "reps", "peak_rss_mb", "tensor_mb", "threads")) {
                assertTrue(n.path(field).isNumber(), line);
            }
            assertEquals(mode, n.path("mode").asText());
            assertEquals("jvm", n.path("device").asText());
            assertTrue(n.path("lib").asText().startsWith("sinter-"), line);
            assertEquals(n.path("case").asText().equals("gemm_512"), n.has("gflops") && n.has("gbps"), line);
        }
    }

    /** Of each case a profile of its timed repetitions, and a dump that has the times, too. */
    @Test
    void casesAreProfiledAndDumped(@TempDir Path folder) throws Exception {
        Path profile = folder.resolve("p.txt");
        Path dump = folder.resolve("d");
        assertEquals(
                0,
                execute(
                        "bench",
                        "--here",
                        "--only",
                        "gemm_512|softmax",
                        "--seconds",
                        "0.001",
                        "--profile",
                        profile.toString(),
                        "--dump",
                        dump.toString()),
                err.toString());
        List<String> lines = out.toString().lines().toList();
        assertEquals(2, lines.size());
        for (String line : lines) {
            JsonNode n = JSON.readTree(line);
            String name = n.path("case").asText();
            Path file = folder.resolve("p-" + name + ".txt");
            assertEquals(file.toString(), n.path("profile").asText());
            String table = Files.readString(file);
            assertTrue(table.contains("steps: " + n.path("reps").asInt() + " on jvm"), table);
            assertTrue(table.contains("measured peaks: "), table);
            assertTrue(table.contains(name.startsWith("gemm") ? "  matmul" : "  exp_sum"), table);
            assertEquals(dump.resolve(name).toString(), n.path("dump").asText());
            try (var programs = Files.list(dump.resolve(name))) {
                List<Path> all = programs.toList();
                assertEquals(1, all.size(), "the check's programs are none of the case's");
                JsonNode program =
                        JSON.readTree(all.getFirst().resolve("program.json").toFile());
                assertEquals(
                        n.path("reps").asInt(),
                        program.at("/kernels/0/profile/calls").asInt());
            }
        }
    }

    /** In the process of one case: the file's name is as it was given. */
    @Test
    void aCaseAloneIsProfiledElsewhere(@TempDir Path folder) throws Exception {
        Path profile = folder.resolve("p.json");
        String[] words = {
            "bench", "--only", "tiny", "--seconds", "0.001", "--threads", "2", "--profile", profile.toString()
        };
        assertEquals(0, execute(words), err.toString());
        boolean worker = false;
        for (JsonNode e : JSON.readTree(profile.toFile()).path("traceEvents"))
            worker |= e.path("cat").asText().equals("worker");
        assertTrue(worker, "parts of workers");
    }

    @Test
    void overheadIsMeasured() throws Exception {
        assertEquals(
                0, execute("bench", "--here", "--overhead", "--only", "softmax", "--seconds", "0.001"), err.toString());
        JsonNode n = JSON.readTree(out.toString());
        for (String field : List.of(
                "off_ms",
                "tables_ms",
                "timeline_ms",
                "tables_ratio",
                "timeline_ratio",
                "timeline_begin_ratio",
                "compile_ms",
                "dumped_ratio")) assertTrue(n.path(field).asDouble() > 0, n.toString());
        assertEquals(2, n.path("noise_quartiles").size());
    }

    /** A program that any machine with a JDK has, which prints no line and fails. */
    @Test
    void aPeerThatFailsIsAnErrorLineWithItsLastWords(@TempDir Path folder) throws Exception {
        String java = ProcessHandle.current().info().command().orElseThrow();
        Path json = folder.resolve("lines.json");
        int status = execute(
                "bench", "--only", "tiny", "--seconds", "0.001", "--json", json.toString(), "--peer", java + " -fly");
        assertEquals(1, status);
        List<String> lines = Files.readAllLines(json);
        assertEquals(2, lines.size());
        assertEquals(
                "tiny_add16_x1000", JSON.readTree(lines.get(0)).path("case").asText());
        String error = JSON.readTree(lines.get(1)).path("error").asText();
        assertTrue(error.contains("ended with status 1 and printed no line for tiny_add16_x1000: "), error);
        assertTrue(error.endsWith("A fatal exception has occurred. Program will exit."), error);
        assertTrue(err.toString().startsWith("sinter: failed: tiny_add16_x1000: '"), err.toString());
        assertTrue(out.toString().contains("failed"), out.toString());
    }
}
