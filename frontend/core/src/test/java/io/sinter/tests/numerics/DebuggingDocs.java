// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What {@code docs/debugging.md} shows of messages. */
final class DebuggingDocs {
    private DebuggingDocs() {}

    /** The document shows this message, but for lines, methods, kernels and counts. */
    static void show(String message) {
        try {
            String text = Files.readString(Path.of(System.getProperty("sinter.root"), "docs/debugging.md"));
            String wanted = general(message);
            assertTrue(general(text).contains(wanted), "docs/debugging.md does not show\n" + message);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String general(String text) {
        return text.replaceAll("\\w+\\.java:\\d+ \\([\\w$]+\\)( in \\w+)?", "LINE")
                .replaceAll("kernel \\S+", "kernel K")
                .replaceAll("(compile|program) \\d+", "$1 N")
                .replaceAll("\\d+ operators", "N operators");
    }
}
