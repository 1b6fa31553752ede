// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** A small sample of the faults: the command itself takes twenty of each kind and template. */
class PtxMutantsTest {
    @ParameterizedTest
    @ValueSource(strings = {"elementwise-strided", "argmax", "scatter"})
    void faultsAreCaught(String template) {
        StringWriter out = new StringWriter();
        new CommandLine(new PtxMutantsCommand())
                .setOut(new PrintWriter(out))
                .execute("--max", "4", "--seed", "5", "--only", template);
        String text = out.toString();
        Matcher last = Pattern.compile("(\\d+) mutants, (\\d+) caught, (\\d+) survived \\(\\d+\\.\\d%\\)")
                .matcher(text.lines().toList().getLast());
        assertTrue(last.matches(), text);
        int all = Integer.parseInt(last.group(1));
        int caught = Integer.parseInt(last.group(2));
        assertEquals(all, caught + Integer.parseInt(last.group(3)), text);
        // Of so few one or two may be survivors that the command's list has.
        assertTrue(all >= 9 && caught >= all - 2, text);
        assertFalse(text.contains("not tried"), text);
    }

    /** The file has the table, and beside the faults that make no difference it says why. */
    @Test
    void theReportNamesProofs(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("mutants.md");
        StringWriter out = new StringWriter();
        new CommandLine(new PtxMutantsCommand())
                .setOut(new PrintWriter(out))
                .execute("--only", "philox", "--threads", "1", "--markdown", file.toString());
        String text = Files.readString(file);
        assertTrue(text.contains(out.toString().lines().toList().getLast()), text);
        assertTrue(
                Pattern.compile("(?m)^\\| philox \\|.* \\d+/\\d+ \\|")
                        .matcher(text)
                        .find(),
                text);
        assertTrue(
                text.contains("- The other factor is the number 0.\n  - philox random_bits offset line 0 mul."), text);
    }
}
