// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static io.sinter.cli.Commands.copy;
import static io.sinter.cli.Commands.failure;
import static io.sinter.cli.Commands.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sinter dump show}, {@code why-not-fused} and {@code diff} on the programs of {@code sinter run digits}. */
class DumpCommandsTest {
    @TempDir
    static Path folder;

    private static Path dump;
    /** The training step. */
    private static Path step;

    private static Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text, StandardCharsets.UTF_8);
    }

    @BeforeAll
    static void trainDigits() throws IOException {
        dump = folder.resolve("dump");
        step = Commands.digits(dump, folder.resolve("digits.safetensors"));
    }

    // ---- show

    @Test
    void showGivesAnOverview() {
        String text = ok("dump", "show", step);
        for (String part : List.of("device jvm", "00-trace.ir", "conv_add_relu", "DigitsCommand.java:", "peak "))
            assertTrue(text.contains(part), part + " in\n" + text);
        String several = failure("dump", "show", dump);
        assertTrue(several.contains("holds 2 programs") && several.contains(step.toString()), several);
    }

    @Test
    void showPrintsStages() {
        assertTrue(ok("dump", "show", step, "--stage", "trace").contains("cross_entropy"));
        assertFalse(ok("dump", "show", step, "--stage", "decompose").contains(" cross_entropy("));
        assertTrue(ok("dump", "show", step, "--stage", "fusion").contains("not into"));
        assertTrue(ok("dump", "show", step, "--stage", "memory").startsWith("arguments"));
        assertTrue(ok("dump", "show", step, "--stage", "key").startsWith("key "));
        assertTrue(ok("dump", "show", step, "--stage", "passes").startsWith("pass,ms"));
        assertTrue(ok("dump", "show", step, "--stage", "00").startsWith("conv_add_relu: gemm"));
        assertTrue(ok("dump", "show", step, "--stage", "00-conv_add_relu.bytecode")
                .contains("compiled from: 00-conv_add_relu.loop"));
        // 12 has the code of a kernel before it.
        assertTrue(ok("dump", "show", step, "--stage", "12.bytecode").contains("SinterKernel_matmul"));
        String ptx = failure("dump", "show", step, "--stage", "00.ptx");
        assertTrue(ptx.contains("has no file .ptx; it has kernels/00-conv_add_relu.loop, kernels/00-"), ptx);
        for (String format : List.of("json", "html"))
            assertTrue(failure("dump", "show", step, "--stage", "trace", "--format", format)
                    .contains("--format " + format + " is the whole program"));
        assertTrue(failure("dump", "show", step, "--stage", "nonsense").contains("no stage 'nonsense'"));
        assertTrue(failure("dump", "show", step, "--stage", "dead-code").contains("changed nothing"));
        assertTrue(failure("dump", "show", step, "--stage", "fusion", "--format", "svg")
                .contains("is no graph"));
    }

    @Test
    void showKnowsFormats() throws IOException {
        JsonNode json = new ObjectMapper().readTree(ok("dump", "show", step, "--format", "json"));
        assertEquals("sinter-dump", json.get("format").asText());
        assertTrue(ok("dump", "show", step, "--format", "svg").startsWith("<svg"));
        assertTrue(
                ok("dump", "show", step, "--format", "svg", "--stage", "trace").contains("cross_entropy"));
        String page = ok("dump", "show", step, "--format", "html");
        assertTrue(page.startsWith("<!DOCTYPE html>") && page.endsWith("</html>\n"), "a page");
        String dot = ok("dump", "show", step, "--format", "dot");
        assertTrue(dot.startsWith("digraph") && dot.contains(" -> "), dot);
        Path out = folder.resolve("out/graph.dot");
        assertEquals("", ok("dump", "show", step, "--format", "dot", "-o", out));
        assertEquals(dot, Files.readString(out));
    }

    @Test
    void showCompilesAGraphInAFile() throws IOException {
        Path file = write("soft.ir", "%a: f32[4,8] = input\n%b: f32[4,8] = softmax(%a) {axis=1}\nreturn %b\n");
        assertEquals(
                "%0: f32[4,8] = input\n%1: f32[4,8] = softmax(%0) {axis=1}\nreturn %1\n", ok("dump", "show", file));
        assertTrue(ok("dump", "show", file, "--stage", "decompose").contains("amax"));
        assertTrue(ok("dump", "show", file, "--format", "json").contains("\"kernels\""));
        Path bad = write("bad.ir", "%a: f32[4] = input\n%b: f32[5] = exp(%a)\nreturn %b\n");
        for (String command : List.of("show", "run", "minimize"))
            assertTrue(
                    failure("dump", command, bad)
                            .startsWith("sinter: " + bad
                                    + " is no graph: line 2, column 5: %b: f32[5] = exp(%a): the type is"),
                    command);
        Path missing = folder.resolve("missing.ir");
        assertEquals(
                "sinter: cannot read the graph " + missing + ": " + missing + ": no such file or folder\n",
                failure("dump", "show", missing));
        Path bytes = Files.write(folder.resolve("bytes.ir"), new byte[] {'%', (byte) 0xff, (byte) 0xfe});
        assertEquals(
                "sinter: cannot read the graph " + bytes + ": it is no text in UTF-8\n",
                failure("dump", "show", bytes));
    }

    /** Whatever becomes of a {@code program.json}, it is said to be damaged: no command answers with a stack trace. */
    @Test
    void damagedProgramsAreNamed() throws IOException {
        Path copy = folder.resolve("damaged");
        copy(step, copy);
        Path file = copy.resolve("program.json");
        String text = Files.readString(file);
        ObjectMapper json = new ObjectMapper();
        List<String> damaged = new ArrayList<>();
        damaged.add("");
        damaged.add(text.substring(0, text.length() / 2));
        for (String field : List.of("stages", "nodes", "kernels", "refusals"))
            damaged.add(((ObjectNode) json.readTree(text)).without(field).toString());
        for (String element : List.of("/nodes/7", "/kernels/1", "/stages/0", "/refusals/0")) {
            for (String lost : List.of("id", "op", "inputs", "file", "number", "code", "pass", "into")) {
                JsonNode all = json.readTree(text);
                if (((ObjectNode) all.at(element)).remove(lost) != null) damaged.add(all.toString());
            }
        }
        assertTrue(damaged.size() > 12, damaged.size() + " kinds of damage");
        for (String d : damaged) {
            Files.writeString(file, d);
            for (List<Object> command : List.<List<Object>>of(
                    List.of("show", copy),
                    List.of("show", copy, "--format", "dot"),
                    List.of("why-not-fused", "relu", "conv", "--in", copy),
                    List.of("diff", copy, step),
                    List.of("replay", copy, "--kernel", 1))) {
                List<Object> words = new ArrayList<>(List.of("dump"));
                words.addAll(command);
                String said = failure(words.toArray());
                assertTrue(said.contains(" is damaged: "), said);
                assertEquals(1, said.lines().count(), said);
                assertTrue(said.contains(file.toString()), said);
            }
        }
        Files.writeString(file, text.replace("\"version\":", "\"version\":9"));
        assertTrue(failure("dump", "show", copy).contains("dumped by another version of Sinter; dump it again"));
        Files.writeString(file, text);
        Files.delete(copy.resolve("00-trace.ir"));
        assertTrue(failure("dump", "minimize", copy).contains("cannot read " + copy.resolve("00-trace.ir")));
        assertTrue(failure("dump", "replay", copy, "--kernel", 1).contains("cannot read"));
    }

    @Test
    void foldersThatAreNoDumpsAreNamed() throws IOException {
        Path missing = folder.resolve("no-such-folder");
        Path empty = Files.createDirectories(folder.resolve("empty"));
        for (List<Object> command : List.<List<Object>>of(
                List.of("show"), List.of("replay", "--kernel", 0), List.of("why-not-fused", "a", "b", "--in"))) {
            List<Object> words = new ArrayList<>(List.of("dump"));
            words.addAll(command);
            words.add(missing);
            if (!command.contains("show"))
                assertTrue(failure(words.toArray()).contains(missing + " is no folder"), words.toString());
            words.set(words.size() - 1, empty);
            assertTrue(failure(words.toArray()).contains("no dumped program in " + empty), words.toString());
        }
        assertTrue(failure("dump", "diff", missing, step).contains(missing + " is no folder"));
        assertTrue(failure("dump", "minimize", missing).contains("cannot read the graph " + missing));
        assertTrue(failure("dump", "run", missing).contains("cannot read the graph " + missing));
    }

    /** A setting that is wrong is not taken for a device that is. */
    @Test
    void wrongSettingsAreNotTakenForDevices() throws IOException {
        Path graph = write("any.ir", "%a: f32[4] = input\n%b: f32[4] = exp(%a)\nreturn %b\n");
        System.setProperty("sinter.autotune", "soon");
        try {
            assertEquals("sinter: -Dsinter.autotune=soon is no number of seconds\n", failure("dump", "run", graph));
        } finally {
            System.clearProperty("sinter.autotune");
        }
        assertTrue(
                failure("dump", "run", graph, "--device", "abacus").contains("; or reference: loop IR, interpreted"));
    }

    /** At once, and not as a fault of the compiler. */
    @Test
    void foldersThatCannotBeWrittenAreNamed() throws IOException {
        Path file = Files.createFile(folder.resolve("in-the-way"));
        for (Path place : List.of(file, file.resolve("below"))) {
            String said = failure("run", "digits", "--steps", 1, "--dump", place);
            assertTrue(said.startsWith("sinter: --dump: cannot write the dump to " + place + ": "), said);
            assertEquals(1, said.lines().count(), said);
            Path graph = write("any.ir", "%a: f32[4] = input\n%b: f32[4] = exp(%a)\nreturn %b\n");
            said = failure("dump", "run", graph, "--dump", place);
            assertTrue(said.startsWith("sinter: cannot write the dump to " + place + ": "), said);
        }
        String said = failure("run", "digits", "--steps", 1, "--profile", file.resolve("p.txt"));
        assertTrue(said.startsWith("sinter: --profile: cannot write the profile to " + file.resolve("p.txt")), said);
    }

    // ---- why not fused

    @Test
    void whyNotFusedNamesTheReason() {
        String max = ok("dump", "why-not-fused", "relu", "max_pool", "--in", step);
        assertTrue(max.contains("'max_pool' reads its operands from memory"), max);
        String line = ok("dump", "why-not-fused", "DigitsCommand.java:64", "DigitsCommand.java:65", "--in", step);
        assertTrue(line.contains("'conv' reads its operands from memory"), line);
        String one = ok("dump", "why-not-fused", "conv", "relu", "--in", step);
        assertTrue(one.startsWith("They are one kernel: 00-conv_add_relu"), one);
        String far = ok("dump", "why-not-fused", "DigitsCommand.java:64", "ClassifierTraining.java:58", "--in", step);
        assertTrue(far.startsWith("On the way"), far);
        String argument = ok("dump", "why-not-fused", "%0", "max_pool", "--in", step);
        assertTrue(argument.contains("%0 input") && argument.contains("is in no kernel: an argument"), argument);
        // Each refusal once.
        String same = ok("dump", "why-not-fused", "relu", "relu", "--in", step);
        assertEquals(same.indexOf("not in 01-conv_add_relu"), same.lastIndexOf("not in 01-conv_add_relu"), same);
        String operators = failure("dump", "why-not-fused", "softmax", "relu", "--in", step);
        assertTrue(operators.contains("or one of the operators add, ") && operators.contains("max_pool"), operators);
        String unknown = failure("dump", "why-not-fused", "Model.java:1", "relu", "--in", step);
        assertTrue(unknown.contains("'Model.java:1'") && unknown.contains("DigitsCommand.java:64 (forward)"), unknown);
    }

    // ---- diff

    @Test
    void diffFindsNothingBetweenTwoRuns() {
        Path again = folder.resolve("again");
        ok(
                "run",
                "digits",
                "--steps",
                1,
                "--dump",
                again,
                "--weights",
                folder.resolve("again.safetensors"),
                "--threads",
                1);
        assertEquals("no difference in 2 programs\n", ok("dump", "diff", dump, again));
    }

    @Test
    void diffShowsKeyGraphKernelsAndNumbers() throws IOException {
        Path a = write("a.ir", "%0: f32[4,8] = input\n%1: f32[4,8] = exp(%0)\n%2: f32[4,8] = neg(%1)\nreturn %2\n");
        Path b = write("b.ir", "%0: f32[6,8] = input\n%1: f32[6,8] = exp(%0)\n%2: f32[6,8] = sqrt(%1)\nreturn %2\n");
        ok("dump", "run", a, "--dump", folder.resolve("da"));
        ok("dump", "run", b, "--dump", folder.resolve("db"));
        String diff = ok("dump", "diff", folder.resolve("da"), folder.resolve("db"));
        for (String part : List.of(
                "key: ",
                "what the key is made of:",
                "- %2: f32[4,8] = neg(%1)",
                "+ %2: f32[6,8] = sqrt(%1)",
                "graph after trace",
                "kernels:",
                "- 00-exp_neg",
                "+ 00-exp_sqrt",
                "memory: peak 256 -> 384 bytes")) assertTrue(diff.contains(part), part + " in\n" + diff);
    }

    @Test
    void diffNamesThePrecisionOfProducts() {
        for (String precision : List.of("highest", "tf32")) {
            Sinter.flush();
            try (Session session = Session.open(Options.fromProperties());
                    var _ = session.use()) {
                session.dumpTo(folder.resolve(precision));
                Sinter.setMatmulPrecision(precision);
                assertTrue(Double.isFinite(
                        Tensor.ones(3, 4).matmul(Tensor.ones(4, 2)).sum().item()));
            }
        }
        String diff = ok("dump", "diff", folder.resolve("highest"), folder.resolve("tf32"));
        assertTrue(diff.contains("+ matmul-precision "), diff);
        assertFalse(diff.contains("graph after"), diff);
    }
}
