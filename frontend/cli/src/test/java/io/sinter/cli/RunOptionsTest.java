// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.runtime.Checks;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class RunOptionsTest {
    @Command(name = "demo")
    private static final class Demo {
        @Mixin
        private RunOptions options;
    }

    private static RunOptions parse(String... arguments) {
        Demo demo = new Demo();
        new CommandLine(demo).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments);
        return demo.options;
    }

    @Test
    void whatIsNotGivenIsEmpty() {
        RunOptions options = parse();
        assertEquals(0, options.seed());
        assertEquals(7, options.epochs(7));
        assertEquals(OptionalInt.empty(), options.steps());
        assertEquals(OptionalInt.empty(), options.threads());
        assertNull(options.device());
        assertNull(options.json());
        ParameterException missing = assertThrows(ParameterException.class, options::data);
        assertTrue(missing.getMessage().contains("--data"), missing.getMessage());
        assertThrows(ParameterException.class, options::text);
    }

    @Test
    void whatIsGivenIsRead() {
        RunOptions options = parse(
                "--seed",
                "3",
                "--epochs=2",
                "--steps",
                "10",
                "--threads",
                "1",
                "--device",
                "jvm",
                "--json",
                "a.json",
                "--data",
                "d",
                "--text",
                "t.txt");
        assertEquals(3, options.seed());
        assertEquals(2, options.epochs(7));
        assertEquals(OptionalInt.of(10), options.steps());
        assertEquals(OptionalInt.of(1), options.threads());
        assertEquals("jvm", options.device());
        assertEquals(Path.of("a.json"), options.json());
        assertEquals(Path.of("d"), options.data());
        assertEquals(Path.of("t.txt"), options.text());
    }

    @Test
    void learningRatesAreAboveZero() {
        assertEquals(0.25, parse().rate(0.25));
        assertEquals(1e-3, parse("--lr", "1e-3").rate(0.25));
        for (String wrong : new String[] {"0", "-1", "NaN", "Infinity", "fast"})
            assertThrows(ParameterException.class, () -> parse("--lr", wrong));
    }

    @Test
    void inputsAreDumpedWithPrograms() {
        assertEquals(0, parse("--dump", "d").dumpInputs());
        assertEquals(64 << 20, parse("--dump", "d", "--dump-inputs").dumpInputs());
        assertEquals(1000, parse("--dump=d", "--dump-inputs=1000").dumpInputs());
        RunOptions alone = parse("--dump-inputs");
        ParameterException e = assertThrows(ParameterException.class, alone::dumpInputs);
        assertTrue(e.getMessage().contains("needs --dump=DIR"), e.getMessage());
    }

    @Test
    void checksAddToThoseOfTheProperties() {
        assertEquals(Checks.NONE, parse().checks(Checks.NONE));
        assertEquals(new Checks(true, false), parse("--nan", "trap").checks(Checks.NONE));
        assertEquals(new Checks(true, true), parse("--check", "reference").checks(new Checks(true, false)));
        CommandLine demo = new CommandLine(new Demo()).setCaseInsensitiveEnumValuesAllowed(true);
        assertThrows(ParameterException.class, () -> demo.parseArgs("--nan", "raise"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--epochs", "--steps", "--threads"})
    void countsBelowOneAreRefused(String option) {
        ParameterException refused = assertThrows(ParameterException.class, () -> parse(option, "0"));
        assertTrue(refused.getMessage().contains(option + " must be at least 1, not 0"), refused.getMessage());
    }
}
