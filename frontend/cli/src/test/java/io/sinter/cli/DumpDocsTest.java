// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sinter.cli.dump.DumpSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/debugging.md} and {@code docs/dump-schema.json} say is true. */
class DumpDocsTest {
    @TempDir
    static Path folder;

    private static Path docs;
    private static List<Path> programs;

    @BeforeAll
    static void trainDigits() throws IOException {
        docs = Path.of(System.getProperty("sinter.root")).resolve("docs");
        Path dump = folder.resolve("dump");
        String weights = folder.resolve("w").toString();
        List<String> command = new ArrayList<>();
        // With everything that the document adds to the run.
        for (String line : Files.readAllLines(docs.resolve("debugging.md"))) {
            if (!line.startsWith("./sinter run digits ")) continue;
            for (String word : line.substring("./sinter ".length()).split(" "))
                if (!command.contains(word)) command.add(word.equals("runs/dump") ? dump.toString() : word);
        }
        assertTrue(command.containsAll(List.of("--dump-inputs", "--nan", "trap", "--check", "reference")), "commands");
        command.addAll(List.of("--weights", weights));
        Commands.Answer a = Commands.run(command.toArray());
        assertEquals(0, a.status(), a.err());
        try (Stream<Path> all = Files.list(dump)) {
            programs = all.sorted().toList();
        }
    }

    /** The document's commands, with its folders replaced by those of this run. */
    private static List<List<String>> commands() throws IOException {
        List<List<String>> commands = new ArrayList<>();
        for (String line : Files.readAllLines(docs.resolve("debugging.md"))) {
            if (!line.startsWith("./sinter dump ")) continue;
            List<String> words = new ArrayList<>();
            for (String word : line.replaceAll(" +#.*", "").split(" ")) {
                if (word.startsWith("runs/dump/")) {
                    int number = Integer.parseInt(word.substring(10, 13));
                    String name = programs.get(number - 1).getFileName().toString();
                    assertTrue(word.startsWith("runs/dump/" + name), word + " is " + name + " now");
                    word = programs.get(number - 1) + word.substring("runs/dump/NNN-hhhhhhhh".length());
                }
                words.add(word.equals("small.ir") ? folder.resolve(word).toString() : word);
            }
            commands.add(words.subList(1, words.size()));
        }
        return commands;
    }

    @Test
    void everyCommandOfTheDocumentDoesWhatItSays() throws IOException {
        int ran = 0;
        for (List<String> c : commands()) {
            Commands.Answer a = Commands.run(c.toArray());
            String all = a.out() + a.err();
            if (c.contains("minimize")) {
                assertEquals(1, a.status(), all);
                assertTrue(a.err().contains("there is nothing to minimize"), all);
            } else {
                assertEquals(0, a.status(), c + "\n" + all);
            }
            if (c.contains("relu")) assertTrue(a.out().contains("'max_pool' reads its operands from memory"), all);
            if (c.contains("00.bytecode")) assertTrue(a.out().contains("// compiled from: 00-conv_add_relu.loop"), all);
            if (c.contains("00"))
                assertTrue(a.out().contains("# from DigitsCommand.java:64 (forward) in DigitsNet: conv1"), all);
            if (c.contains("diff")) {
                assertTrue(a.out().contains("- %0: f32[32,1,8,8] = input"), all);
                assertTrue(a.out().contains("+ %0: f32[357,1,8,8] = input"), all);
            }
            if (c.contains("replay")) assertTrue(a.out().endsWith("agrees with the reference evaluator\n"), all);
            ran++;
        }
        assertTrue(ran >= 9, ran + " commands");
    }

    /** The graph that is written by hand runs, and a slip in it is told as the document has it. */
    @Test
    void theGraphOfTheDocumentRuns() throws IOException {
        String text = Files.readString(docs.resolve("debugging.md"));
        int start = text.indexOf("\n```\n%x: ") + 5;
        Path file = folder.resolve("hand.ir");
        String graph = text.substring(start, text.indexOf("```", start));
        Files.writeString(file, graph);
        assertTrue(Commands.ok("dump", "run", file).endsWith("agrees with the reference evaluator\n"), graph);
        Files.writeString(file, graph.replace("exp(", "expp("));
        String slip = Commands.failure("dump", "run", file).replace(file.toString(), "hand.ir");
        assertTrue(text.contains("```\n" + slip), slip);
    }

    @Test
    void theFilesOfTheTableAreThere() {
        for (String name : List.of(
                "index.html",
                "00-trace.ir",
                "fusion.txt",
                "memory.txt",
                "passes.csv",
                "key.txt",
                "program.json",
                "graph.svg")) assertTrue(Files.exists(programs.getFirst().resolve(name)), name);
    }

    @Test
    void programsFitTheSchema() throws IOException {
        for (Path p : programs)
            DumpSchema.check(
                    new ObjectMapper().readTree(p.resolve("program.json").toFile()));
    }
}
