// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The command line in this process, for tests. */
final class Commands {
    private Commands() {}

    record Answer(int status, String out, String err) {}

    static Answer run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.of(arguments).map(Object::toString).toArray(String[]::new);
        int status = Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(words);
        return new Answer(status, out.toString(), err.toString());
    }

    static String ok(Object... arguments) {
        Answer a = run(arguments);
        assertEquals(0, a.status, a.err);
        return a.out;
    }

    static String failure(Object... arguments) {
        Answer a = run(arguments);
        assertEquals(1, a.status, a.out + a.err);
        assertTrue(a.err.startsWith("sinter: "), a.err);
        return a.err;
    }

    /** Trains one step of digits, and dumps it into a folder. Returns the program that trains, which is the first of two. */
    static Path digits(Path dump, Path weights) throws IOException {
        ok("run", "digits", "--steps", 1, "--dump", dump, "--weights", weights);
        try (Stream<Path> all = Files.list(dump)) {
            List<Path> programs = all.sorted().toList();
            assertEquals(2, programs.size(), "a step and a test");
            return programs.getFirst();
        }
    }

    /** Copies a folder with all that is in it. */
    static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path p : all.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(p).toString());
                Files.createDirectories(target.getParent());
                Files.copy(p, target);
            }
        }
    }
}
