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
