// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Finds reference data: in the folder that SINTER_DATA names, else in shared/data beside the repository. */
public final class ReferenceData {
    private ReferenceData() {}

    /** A file of the reference data; the test is skipped where it is absent. */
    public static Path file(String name) {
        Path path = folder().resolve(name);
        assumeTrue(Files.exists(path), "no reference data: " + name + " is not in " + folder() + " (set SINTER_DATA)");
        return path;
    }

    private static Path folder() {
        String given = System.getProperty("sinter.data", System.getenv("SINTER_DATA"));
        if (given != null) return Path.of(given);
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("sinter"))) root = root.getParent();
        return root.resolveSibling("shared/data");
    }
}
