// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.data.Batch;
import io.sinter.data.LabelledImages;
import io.sinter.io.SafeTensorsFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demos from their command lines. */
class DemosTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... arguments) {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    private JsonNode digits(String... more) throws IOException {
        List<String> arguments = new ArrayList<>(
                List.of("run", "digits", "--weights", folder.resolve("w").toString()));
        arguments.addAll(List.of("--json", folder.resolve("result.json").toString()));
        arguments.addAll(List.of(more));
        assertEquals(0, execute(arguments.toArray(String[]::new)), err::toString);
        return new ObjectMapper().readTree(folder.resolve("result.json").toFile());
    }

    @Test
    void digitsAreLearned() throws IOException {
        JsonNode result = digits("--epochs", "5");
        assertTrue(result.get("test_accuracy").asDouble() >= 0.97, result.toString());
        assertTrue(
                result.get("total_seconds").asDouble()
                        > result.get("train_seconds").asDouble(),
                result.toString());
        assertEquals("jvm", result.get("device").asText());
        assertTrue(result.get("kernels").asInt() > 0 && result.get("compile_ms").asInt() > 0, result.toString());
        assertEquals(5 * 45, result.get("steps").asInt());
        assertEquals(2, result.get("programs").asInt(), "one program to train, one to test");
        try (SafeTensorsFile weights = SafeTensorsFile.open(folder.resolve("w"))) {
            assertTrue(weights.names().contains("conv1.weight"), weights.names()::toString);
        }
    }

    @Test
    void theSameSeedGivesTheSameWeightsForAnyNumberOfThreads() throws IOException {
        String one =
                digits("--steps", "6", "--threads", "1").get("weights_sha256").asText();
        assertEquals(
                one,
                digits("--steps", "6", "--threads", "3").get("weights_sha256").asText());
        assertNotEquals(
                one, digits("--steps", "6", "--seed", "1").get("weights_sha256").asText());
    }

    @Test
    void theBuiltInDigitsAreThoseOfScikitLearn() {
        LabelledImages digits = DigitsCommand.load();
        assertEquals(1797, digits.size());
        Batch first = digits.batch(new long[] {0, 1, 2});
        assertArrayEquals(new long[] {0, 1, 2}, first.y().toLongs());
        assertArrayEquals(new long[] {3, 1, 8, 8}, first.x().shape());
    }

    @Test
    void charGptLearnsAndWrites() throws IOException {
        Path text =
                Files.writeString(folder.resolve("text"), "the quick brown fox jumps over the lazy dog. ".repeat(20));
        Path json = folder.resolve("gpt.json");
        assertEquals(
                0,
                execute(
                        "run",
                        "chargpt",
                        "--text",
                        text.toString(),
                        "--steps",
                        "60",
                        "--layers",
                        "1",
                        "--heads",
                        "2",
                        "--width",
                        "16",
                        "--context",
                        "8",
                        "--batch",
                        "4",
                        "--sample",
                        "5",
                        "--json",
                        json.toString(),
                        "--weights",
                        folder.resolve("gpt").toString()),
                err::toString);
        JsonNode result = new ObjectMapper().readTree(json.toFile());
        assertTrue(result.get("train_loss").asDouble() < Math.log(28), result.toString());
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        fails(
                "there is no folder",
                "run",
                "mnist",
                "--data",
                folder.resolve("nowhere").toString());
        fails("train-images-idx3-ubyte", "run", "mnist", "--data", folder.toString());
        fails(
                "cannot read the text",
                "run",
                "chargpt",
                "--text",
                folder.resolve("nothing").toString());
        Path shortText = Files.writeString(folder.resolve("short"), "too short");
        fails("no stretch of 128", "run", "chargpt", "--text", shortText.toString());
        fails("no such network", "run", "chargpt", "--text", shortText.toString(), "--context", "4", "--heads", "3");
        fails("unknown device", "run", "digits", "--device", "abacus");
        fails("cannot read", "conformance", "optim", folder.resolve("nothing").toString());
        Path noJson = Files.writeString(folder.resolve("x.json"), "{");
        fails("not valid JSON", "conformance", "optim", noJson.toString());
        assertEquals(2, execute("run", "mnist"));
        String weights = noJson.resolve("w").toString();
        fails(noJson + ": file already exists", "run", "digits", "--steps", "1", "--weights", weights);
    }

    private void fails(String message, String... arguments) {
        err.getBuffer().setLength(0);
        assertEquals(1, execute(arguments));
        assertTrue(err.toString().startsWith("sinter: ") && err.toString().contains(message), err.toString());
        assertEquals(1, err.toString().lines().count(), "one line, no stack trace: " + err);
    }
}
