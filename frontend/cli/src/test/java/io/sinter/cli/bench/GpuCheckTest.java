// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Operators;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
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
                .setCaseInsensitiveEnumValuesAllowed(true)
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
        assertEquals(2, json.path("launches").size());
        for (JsonNode row : json.path("launches")) assertTrue(row.path("us").asDouble() > 0, row.toString());
        assertEquals(4, json.path("products").size());
        for (JsonNode row : json.path("products")) assertTrue(row.path("own").asDouble() > 0, row.toString());
    }

    /** What is written of these parts, on the simulator. */
    private JsonNode quick(String parts) throws IOException {
        Path file = folder.resolve("check.json");
        assertEquals(
                0,
                run("--device", "ptx-sim", "--quick", "--parts", parts, "--json", file.toString()),
                out + "\n" + err);
        return new ObjectMapper().readTree(file.toFile());
    }

    @Test
    void doesThePartsThatAreNamed() throws IOException {
        JsonNode json = quick("memory,training");
        assertTrue(json.has("memory"));
        assertFalse(json.has("products"));
        assertFalse(json.has("samples"));
        assertTrue(out.toString().contains("too slow"), out.toString());
    }

    /** All forms of a product, which have one result. */
    @Test
    void timesTiles() throws IOException {
        JsonNode json = quick("tiles");
        assertFalse(json.has("products"));
        assertTrue(json.path("tiles").size() > 8, json.toString());
        for (JsonNode row : json.path("tiles")) assertTrue(row.path("TFLOP/s").asDouble() > 0, row.toString());
        assertTrue(out.toString().contains("128x256x32 warps 2x4"), out.toString());
    }

    /** Wrong results at the timed sizes are found wherever they are looked for. */
    @Test
    void proofsFindWhatIsWrong() {
        try (Session session = Session.open(Options.fromProperties());
                var _ = session.use()) {
            Sinter.manualSeed(1);
            Tensor a = Tensor.randn(20, 30);
            Tensor b = Tensor.randn(30, 40);
            Tensor product = a.matmul(b);
            GpuProof.matmul(a, b, product, 1e-5);
            Tensor wrong = product.mul(Tensor.arange(40).lt(39).toFloat());
            assertThrows(IllegalStateException.class, () -> GpuProof.matmul(a, b, wrong, 1e-5));
            Tensor nan = product.mul(Float.NaN);
            assertThrows(IllegalStateException.class, () -> GpuProof.matmul(a, b, nan, 1e-5));
            Tensor q = Tensor.randn(2, 3, 9, 8);
            Tensor k = Tensor.randn(2, 3, 9, 8);
            Tensor v = Tensor.randn(2, 3, 9, 8);
            GpuProof.attention(q, k, v, F.scaledDotProductAttention(q, k, v, null, 0, true), 1e-5);
            Tensor open = F.scaledDotProductAttention(q, k, v, null, 0, false);
            assertThrows(IllegalStateException.class, () -> GpuProof.attention(q, k, v, open, 1e-5));
            Sinter.flush();
        }
    }

    private static GpuCheckProcess script(String text) {
        return new GpuCheckProcess(List.of("sh", "-c", text));
    }

    /** A process that hangs or dies is one failure, and the next task gets another process. */
    @Test
    void processesHangAndDie() {
        Map<String, String> task = Map.of("task", "none");
        try (GpuCheckProcess p =
                script("read line; echo noise; echo '{\"pid\": '$$'}'; read line; echo gone >&2; exit 3")) {
            int first = p.ask(task, 60).path("pid").asInt();
            IllegalStateException died = assertThrows(IllegalStateException.class, () -> p.ask(task, 60));
            assertEquals("its process ended with status 3: gone", died.getMessage());
            assertNotEquals(first, p.ask(task, 60).path("pid").asInt());
        }
        try (GpuCheckProcess p = script("exec sleep 30")) {
            IllegalStateException hung = assertThrows(IllegalStateException.class, () -> p.ask(task, 0));
            assertEquals("it took more than 0 s", hung.getMessage());
        }
        try (GpuCheckProcess p = script("read line; echo '{\"fault\": true, \"pid\": '$$'}'; read line")) {
            int first = p.ask(task, 60).path("pid").asInt();
            assertNotEquals(first, p.ask(task, 60).path("pid").asInt(), "nothing is asked of it after a fault");
        }
    }

    /** Each operator's failure is told; after a fault it is done again, kernel by kernel. */
    @Test
    void operatorsFail() {
        String fault = "{\"problems\": [\"sample: illegal address\"], \"checked\": 1, \"fault\": true}";
        String wrong = "{\"problems\": [\"sample: 1, expected 2\", \"x\"], \"checked\": 2}";
        String answers = "while read line; do case $line in *'\"add\"'*) echo '" + fault + "';; *'\"sub\"'*) echo '"
                + wrong + "';; *) echo '{\"problems\": [], \"checked\": 3}';; esac; done";
        GpuCheckReport report = new GpuCheckReport(new PrintWriter(out, true));
        List<Op> some =
                Stream.of("add", "sub", "mul").map(GpuCheckTest::operator).toList();
        OperatorTally tally = new OperatorTally(report, some, 3);
        tally.run(2, _ -> script(answers), () -> true);
        assertEquals(1, tally.right());
        assertEquals(6, tally.checked());
        assertEquals(
                Set.of(
                        "operator add: 1 wrong, first: sample: illegal address; kernel by kernel: 1 wrong, first: sample: illegal address",
                        "operator sub: 2 wrong, first: sample: 1, expected 2"),
                Set.copyOf(report.failures()));
    }

    private static Op operator(String name) {
        return Operators.all().stream()
                .filter(o -> o.name().equals(name))
                .findFirst()
                .orElseThrow();
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
        assertEquals(List.of("one", "two"), Rivals.lines(List.of("sh", "-c", "echo one; echo two; echo no >&2"), 60));
        IOException failed = assertThrows(
                IOException.class, () -> Rivals.lines(List.of("sh", "-c", "echo one; echo no torch >&2; exit 1"), 60));
        assertEquals("sh failed: no torch", failed.getMessage());
        IOException hung =
                assertThrows(IOException.class, () -> Rivals.lines(List.of("sh", "-c", "echo one; exec sleep 30"), 0));
        assertEquals("sh took more than 0 s", hung.getMessage());
    }
}
