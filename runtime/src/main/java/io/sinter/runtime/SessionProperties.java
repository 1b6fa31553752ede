// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.loop.Kernel;
import io.sinter.runtime.dump.ProgramInputs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * What the system properties ask every session to do from the start, besides its {@link Options}; methods of {@link Session} begin and end it later.
 *
 * @param dump {@code sinter.dump}: where programs are dumped; null for nowhere
 * @param dumpedInputs {@code sinter.dump.inputs}: most bytes of a dumped program's arguments; 0 for none
 * @param recompiles {@code sinter.log}: who is told why programs are compiled; null for nobody
 * @param autotune {@code sinter.autotune}: how long a program's kernels are measured; null for not at all
 * @param profile {@code sinter.profile}: whether a profile is printed in the end
 * @param fault {@code sinter.test.fault}: what is wrong with generated code; null if nothing is
 */
record SessionProperties(
        Path dump,
        long dumpedInputs,
        Consumer<String> recompiles,
        Duration autotune,
        boolean profile,
        UnaryOperator<Kernel> fault) {
    /** @throws SettingException if one of them says what it cannot say */
    static SessionProperties read() {
        try {
            return readAll();
        } catch (IllegalArgumentException e) {
            throw new SettingException(e);
        }
    }

    private static SessionProperties readAll() {
        String dump = System.getProperty("sinter.dump");
        return new SessionProperties(
                dump == null ? null : Path.of(dump),
                readDumpedInputs(),
                readRecompiles(),
                readAutotune(),
                Boolean.getBoolean("sinter.profile"),
                SeededFault.fromProperties());
    }

    private static long readDumpedInputs() {
        String text = System.getProperty("sinter.dump.inputs", "false");
        if (text.equals("false")) return 0;
        if (text.equals("true")) return ProgramInputs.DEFAULT_BYTES;
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "-Dsinter.dump.inputs=" + text + " is neither a number of bytes nor true or false", e);
        }
    }

    private static Consumer<String> readRecompiles() {
        String what = System.getProperty("sinter.log", "off");
        return switch (what) {
            case "off" -> null;
            case "recompiles" -> System.err::println;
            default ->
                throw new IllegalArgumentException(
                        "unknown value '" + what + "' of sinter.log; known: recompiles, off");
        };
    }

    private static Duration readAutotune() {
        String text = System.getProperty("sinter.autotune");
        if (text == null) return null;
        try {
            double seconds = Double.parseDouble(text);
            if (seconds > 0 && seconds < Integer.MAX_VALUE) return Duration.ofNanos((long) (seconds * 1e9));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("-Dsinter.autotune=" + text + " is no number of seconds", e);
        }
        throw new IllegalArgumentException("-Dsinter.autotune=" + text + " is no positive number of seconds");
    }
}
