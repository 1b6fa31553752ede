// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... arguments) {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    /** Every command of the tree answers --help with what it is for. */
    @TestFactory
    List<DynamicTest> everyCommandHasHelp() {
        List<DynamicTest> tests = new ArrayList<>();
        collect(Main.commandLine(), tests);
        return tests;
    }

    private static void collect(CommandLine command, List<DynamicTest> tests) {
        String name = command.getCommandSpec().qualifiedName();
        tests.add(DynamicTest.dynamicTest(name, () -> {
            String[] description = command.getCommandSpec().usageMessage().description();
            assertTrue(description.length > 0 && !description[0].isBlank(), "no description");
            MainTest main = new MainTest();
            List<String> path = new ArrayList<>(Arrays.asList(name.split(" ")));
            path.removeFirst();
            path.add("--help");
            assertEquals(0, main.execute(path.toArray(String[]::new)), main.err.toString());
            assertTrue(main.out.toString().startsWith("Usage: " + name), main.out.toString());
        }));
        command.getSubcommands().values().forEach(below -> collect(below, tests));
    }

    @Test
    void aWrongCommandLineGivesStatus2AndTheUsage() {
        assertEquals(2, execute("fly"));
        assertTrue(err.toString().contains("Unmatched argument at index 0: 'fly'"), err.toString());
        assertEquals(2, execute());
        assertEquals(2, execute("run"));
        assertTrue(err.toString().contains("Missing the demo's name"), err.toString());
    }

    @Test
    void theVersionIsTheBuilds() {
        assertEquals(0, execute("--version"));
        assertTrue(out.toString().matches("(?s)Sinter \\d+\\.\\d+\\.\\d+.*JDK .*"), out.toString());
    }

    @Test
    void aForeseenFailureIsOneLine() {
        assertEquals(1, execute("install"));
        assertEquals(
                "sinter: 'install' works on the source tree: call it as ./sinter install",
                err.toString().strip());
    }

    @Test
    void theDoctorNamesWhatItFinds() {
        assertEquals(0, execute("doctor"));
        for (String what : List.of("Sinter", "JDK", "Processors", "Vector API", "Memory")) {
            assertTrue(out.toString().lines().anyMatch(line -> line.startsWith(what + " ")), out.toString());
        }
    }
}
