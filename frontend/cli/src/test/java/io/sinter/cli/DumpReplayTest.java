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
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.ir.Graph;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.text.GraphParser;
import io.sinter.nn.LSTM;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import io.sinter.runtime.dump.ProgramInputs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code sinter dump replay}, {@code run} and {@code minimize}: on the programs of {@code sinter run digits}. */
class DumpReplayTest {
    @TempDir
    static Path folder;

    /** The training step. */
    private static Path step;

    private static Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text, StandardCharsets.UTF_8);
    }

    @BeforeAll
    static void trainDigits() throws IOException {
        step = Commands.digits(folder.resolve("dump"), folder.resolve("digits.safetensors"));
    }

    // ---- replay

    @ParameterizedTest
    @ValueSource(strings = {"jvm", "reference", "ptx-sim"})
    void kernelsOfTheStepReplay(String device) throws IOException {
        JsonNode json = new ObjectMapper().readTree(step.resolve("program.json").toFile());
        int kernels = json.get("kernels").size();
        assertTrue(kernels > 15, kernels + " kernels");
        // All of them, but for the slow devices.
        for (int k = 0; k < kernels; k += device.equals("jvm") ? 1 : 3) {
            String out = ok("dump", "replay", step, "--kernel", k, "--device", device);
            assertTrue(out.endsWith("agrees with the reference evaluator\n"), out);
        }
    }

    /** Kernels in the bodies of loops, a scatter that a copy begins, scalar arguments. */
    @Test
    void loopsAndScattersReplay() throws IOException {
        Path other = folder.resolve("lstm");
        Sinter.flush();
        try (Session session = Session.open(Options.fromProperties());
                var _ = session.use()) {
            session.dumpTo(other);
            LSTM lstm = new LSTM(3, 4);
            Tensor x = Tensor.randn(5, 2, 3).requiresGrad_();
            lstm.call(x).square().sum().backward();
            Tensor y = Tensor.zeros(6)
                    .indexAdd(0, Tensor.of(1L, 3L, 1L), Tensor.of(1.0, 2.0, 3.0).mul(0.3));
            Sinter.flush();
            assertEquals(1.2, y.get(1).item(), 1e-6);
        }
        int replayed = 0;
        boolean loop = false;
        try (Stream<Path> all = Files.list(other)) {
            for (Path program : all.sorted().toList()) {
                JsonNode json = new ObjectMapper()
                        .readTree(program.resolve("program.json").toFile());
                for (JsonNode k : json.get("kernels")) {
                    String out = ok(
                            "dump",
                            "replay",
                            program,
                            "--kernel",
                            k.get("number").asInt());
                    assertTrue(out.contains("agrees"), out);
                    loop |= k.has("loop");
                    replayed++;
                }
            }
        }
        assertTrue(loop && replayed > 4, replayed + " kernels, loop " + loop);
    }

    /** Operands are what the kernel had: here, in each run of a loop's body. */
    @Test
    void kernelsReplayOnWhatTheyHad() throws IOException {
        Path other = folder.resolve("had");
        Sinter.flush();
        try (Session session = Session.open(Options.fromProperties());
                var _ = session.use()) {
            session.dumpTo(other);
            session.dumpInputs(1 << 20);
            LSTM lstm = new LSTM(3, 4);
            Sinter.flush();
            Tensor x = Tensor.full(new long[] {5, 2, 3}, 0.75);
            assertEquals(40, lstm.call(x).numel());
            Sinter.flush();
        }
        Path program;
        try (Stream<Path> all = Files.list(other)) {
            program = all.sorted().toList().getLast();
        }
        JsonNode json =
                new ObjectMapper().readTree(program.resolve("program.json").toFile());
        int loops = 0;
        for (JsonNode k : json.get("kernels")) {
            int number = k.get("number").asInt();
            String out = ok("dump", "replay", program, "--kernel", number);
            assertTrue(out.contains("from the arguments in " + program + "/inputs:"), out);
            assertTrue(out.endsWith("agrees with the reference evaluator\n"), out);
            if (!k.has("loop")) continue;
            loops++;
            String last = ok("dump", "replay", program, "--kernel", number, "--step", 4);
            assertFalse(out.equals(last), "another step's operands");
            assertTrue(failure("dump", "replay", program, "--kernel", number, "--step", 5)
                    .contains("ran 5 times; --step is 0 to 4, not 5"));
        }
        assertTrue(loops > 0, "kernels of the loop's body");
        String random = ok("dump", "replay", program, "--kernel", 0, "--seed", 3);
        assertTrue(random.contains("operands from seed 3:"), random);
        assertTrue(failure("dump", "minimize", program).contains("with the arguments in " + program + "/inputs"));

        // What was left out is random, and is said to be.
        Files.delete(program.resolve("inputs/arg-000.npy"));
        String part = ok("dump", "replay", program, "--kernel", 0);
        assertTrue(part.contains("were left out there: random)"), part);
        Files.writeString(program.resolve("inputs/arg-000.npy"), "no array");
        assertTrue(failure("dump", "replay", program, "--kernel", 0)
                .contains("arg-000.npy is no array of NumPy's format"));
    }

    @Test
    void replayRefusesWhatItCannotDo() throws IOException {
        String unknown = failure("dump", "replay", step, "--kernel", "softmax");
        assertTrue(unknown.contains("no kernel 'softmax'") && unknown.contains("00-conv_add_relu"), unknown);
        Path copy = folder.resolve("stale");
        copy(step, copy);
        Path kernel = copy.resolve("kernels/00-conv_add_relu.loop");
        Files.writeString(kernel, Files.readString(kernel).replaceFirst("max", "min"));
        assertTrue(failure("dump", "replay", copy, "--kernel", 0).contains("dump it again"));
        assertTrue(failure("dump", "replay", step, "--kernel", 0, "--device", "tpu")
                .contains("unknown device 'tpu'"));
    }

    // ---- run, minimize

    @ParameterizedTest
    @ValueSource(strings = {"jvm", "interpreted", "reference", "ptx-sim"})
    void runRunsAGraphWrittenByHand(String device) throws IOException {
        Path file = write(
                "hand.ir",
                "%x: f32[3,5] = input\n%s: f32[] = scalar\n%e: f32[3,5] = exp(%x)\n"
                        + "%t: f32[3] = sum(%e) {axes=[1]}\nreturn %t, %s\n");
        String out = ok("dump", "run", file, "--device", device);
        assertTrue(out.contains("result 0 = f32[3] [") && out.endsWith("agrees with the reference evaluator\n"), out);
        assertFalse(
                out.equals(ok("dump", "run", file, "--device", device, "--seed", 5)), "the seed chooses the arguments");
    }

    /**
     * Sums of the same large numbers along rows and along columns differ by rounding, and the difference is all that is left of them: a program
     * that goes "wrong" on every real device.
     */
    @Test
    void minimizeFindsTheFewOperatorsThatDiffer() throws IOException {
        Path file = write("wrong.ir", """
                %0: f32[64,96] = input
                %1: f32[64,96] = input
                %2: f32[] = scalar
                %3: f32[1,1] = reshape(%2) {shape=[1,1]}
                %4: f32[64,96] = expand(%3) {shape=[64,96]}
                %5: f32[64,96] = tanh(%1)
                %18: f32[64,96] = exp(%0)
                %6: f32[64,96] = exp(%18)
                %7: f32[64] = sum(%6) {axes=[1]}
                %8: f32[] = sum(%7) {axes=[0]}
                %9: f32[96] = sum(%6) {axes=[0]}
                %10: f32[] = sum(%9) {axes=[0]}
                %11: f32[] = sub(%8, %10)
                %12: f32[64,96] = add(%5, %4)
                %13: f32[64] = sum(%12) {axes=[1]}
                %14: f32[1] = reshape(%11) {shape=[1]}
                %15: f32[64] = expand(%14) {shape=[64]}
                %16: f32[64] = add(%13, %15)
                %17: f32[64] = abs(%16)
                return %17, %5
                """);
        String failure = failure("dump", "run", file);
        assertTrue(
                failure.contains("differs from the reference evaluator") && failure.contains("dump minimize"), failure);
        String small = ok("dump", "minimize", file);
        assertTrue(small.startsWith("# differs on jvm with seed 0: "), small);
        long operators = small.lines().filter(l -> l.contains("(%")).count();
        assertTrue(operators <= 7 && small.contains("sub("), small);
        // What was found fails by itself.
        assertTrue(failure("dump", "run", write("small.ir", small)).contains("differs"), "the small graph");
        assertTrue(
                failure("dump", "minimize", write("right.ir", "%0: f32[2] = input\n%1: f32[2] = exp(%0)\nreturn %1\n"))
                        .contains("nothing to minimize"));
    }

    /** A generator that is wrong, from the step that it spoils to a few operators, by commands alone. */
    @Test
    void aMiscompilationIsFoundAndMadeSmall() throws IOException {
        System.setProperty("sinter.test.fault", "sqrt:exp"); // of the optimizer: the only roots of the step
        try {
            Path dumped = folder.resolve("wrong");
            Path weights = folder.resolve("wrong.safetensors");
            String said = failure(
                    "run", "digits", "--steps", 1, "--check", "reference", "--dump", dumped, "--weights", weights);
            assertTrue(said.startsWith("sinter: kernel "), said);
            assertTrue(said.contains(" is wrong: ") && said.contains("\n  at ClassifierTraining.java:"), said);
            String minimize = "./sinter dump minimize ";
            Path program = Path.of(
                    said.substring(said.indexOf(minimize) + minimize.length()).strip());
            assertEquals(dumped, program.getParent());
            String small = ok("dump", "minimize", program);
            assertTrue(small.startsWith("# differs on jvm with the arguments in " + program + "/inputs"), small);
            assertTrue(small.contains(" = sqrt("), small);
            long operators = small.lines()
                    .map(l -> l.replaceAll(" *#.*", ""))
                    .filter(l -> l.startsWith("%") && !l.endsWith("= input") && !l.endsWith("= scalar"))
                    .count();
            assertEquals(1, operators, small);
            // What was found fails by itself, and not without the fault.
            Path file = write("smallest.ir", small);
            assertTrue(failure("dump", "run", file).contains("differs from the reference evaluator"), small);
            System.clearProperty("sinter.test.fault");
            assertTrue(ok("dump", "run", file).contains("agrees"), small);
        } finally {
            System.clearProperty("sinter.test.fault");
        }
    }

    /** What was stored of the arguments is used, though the rest is random: sums of large numbers differ by rounding, those of small ones do not. */
    @Test
    void minimizeTakesTheArgumentsThatWereStored() throws IOException {
        Path file = write("part.ir", """
                %0: f32[64,96] = input
                %1: f32[64,97] = input
                %2: f32[64] = sum(%0) {axes=[1]}
                %3: f32[64,8,12] = reshape(%0) {shape=[64,8,12]}
                %4: f32[64,8] = sum(%3) {axes=[2]}
                %5: f32[64] = sum(%4) {axes=[1]}
                %6: f32[64] = sub(%2, %5)
                %7: f32[64,97] = tanh(%1)
                return %6, %7
                """);
        Path dump = folder.resolve("part");
        ok("dump", "run", file, "--dump", dump);
        Path program;
        try (Stream<Path> all = Files.list(dump)) {
            program = all.toList().getFirst();
        }
        Graph graph = GraphParser.parse(Files.readString(file));
        List<RefArray> arguments = graph.inputs().stream()
                .map(n -> Sample.uniform(n.type(), 1000, 2000, 1))
                .toList();
        ProgramInputs.write(program, graph, arguments, 64 * 96 * 4);
        String small = ok("dump", "minimize", program);
        String start =
                "# differs on jvm with the arguments in " + program + "/inputs (1 of 2 were left out there: random): ";
        assertTrue(small.startsWith(start) && small.contains("sub(") && !small.contains("tanh("), small);
        assertTrue(failure("dump", "minimize", program, "--seed", 0).contains("on jvm with seed 0: there is nothing"));
    }
}
