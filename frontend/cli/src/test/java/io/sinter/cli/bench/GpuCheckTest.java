// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.ir.op.Operators;
import io.sinter.runtime.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code sinter gpu-check}, on the simulator. */
class GpuCheckTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        return new CommandLine(new GpuCheckCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    @Test
    void checksTheSimulatedGpu() throws IOException {
        Path file = folder.resolve("check.json");
        assertEquals(0, run("--device", "ptx-sim", "--quick", "--json", file.toString()), out + "\n" + err);
        int operators = Operators.all().size();
        assertTrue(out.toString().contains(operators + " of " + operators), out.toString());
        JsonNode json = new ObjectMapper().readTree(file.toFile());
        assertEquals("ptx-sim", json.path("device").asText());
        assertEquals(0, json.path("failures").size());
        assertTrue(json.path("samples").asInt() >= operators);
        assertEquals(5, json.path("memory").size());
        for (JsonNode row : json.path("memory")) assertTrue(row.path("GB/s").asDouble() > 0, row.toString());
        assertEquals(4, json.path("products").size());
        for (JsonNode row : json.path("products")) assertTrue(row.path("own").asDouble() > 0, row.toString());
    }

    /** Sessions that do not open end each part, but not the check. */
    @Test
    void partsThatBreakOffAreFailures() throws IOException {
        Path file = folder.resolve("check.json");
        System.setProperty("sinter.matmul", "mkl");
        try {
            assertEquals(1, run("--device", "ptx-sim", "--quick", "--json", file.toString()), out + "\n" + err);
        } finally {
            System.clearProperty("sinter.matmul");
        }
        assertTrue(err.toString().contains("own, cublas, auto"), err.toString());
        JsonNode json = new ObjectMapper().readTree(file.toFile());
        assertEquals(3, json.path("failures").size(), json.toString());
        for (JsonNode failure : json.path("failures"))
            assertTrue(failure.asText().contains("broke off: "), failure.asText());
        // Products name their own choice; attention does not.
        assertEquals(3, json.path("products").size());
        assertTrue(out.toString().contains("3 failed."), out.toString());
    }

    @Test
    void saysThatThereIsNoGpu() {
        assumeTrue(Device.best().kind() != Device.Kind.CUDA, "a GPU is here");
        assertEquals(3, run("--quick"));
        assertTrue(err.toString().contains("libcuda.so.1"), err.toString());
        assertEquals(3, run("--device", "jvm"));
        assertEquals(3, run("--device", "cuda:7"));
        assertEquals(2, run("--slowly"));
    }

    /** What a rival prints; why there is nothing, if it fails or hangs. */
    @Test
    void rivalsFailAndHang() throws IOException {
        assertEquals(
                List.of("one", "two"),
                GpuCheckCommand.lines(List.of("sh", "-c", "echo one; echo two; echo no >&2"), 60));
        IOException failed = assertThrows(
                IOException.class,
                () -> GpuCheckCommand.lines(List.of("sh", "-c", "echo one; echo no torch >&2; exit 1"), 60));
        assertEquals("sh failed: no torch", failed.getMessage());
        IOException hung = assertThrows(
                IOException.class, () -> GpuCheckCommand.lines(List.of("sh", "-c", "echo one; exec sleep 30"), 0));
        assertEquals("sh took more than 0 s", hung.getMessage());
    }
}
