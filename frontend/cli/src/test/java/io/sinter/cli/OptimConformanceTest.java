// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OptimConformanceTest {
    @Test
    void trajectoriesAreThoseOfPyTorch() {
        String data = System.getProperty("sinter.data", System.getenv("SINTER_DATA"));
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("sinter"))) root = root.getParent();
        Path folder = data != null ? Path.of(data) : root.resolveSibling("shared/data");
        Path file = folder.resolve("pytorch-baselines/optim_baseline.json");
        assumeTrue(Files.exists(file), "no reference data: there is no " + file + " (set SINTER_DATA)");
        List<OptimConformance.Outcome> outcomes = OptimConformance.run(file, 1e-12);
        assertEquals(10, outcomes.size());
        for (OptimConformance.Outcome o : outcomes) assertTrue(o.passed(), o.toString());
    }

    @Test
    void otherNumbersAreFailuresAndOtherOptimizersUnsupported(@TempDir Path folder) throws IOException {
        String wrong = "[[[0, 0, 0, 0, 0, 0], [0, 0, 0], [0, 0, 0], [0]]]";
        Path file = Files.writeString(folder.resolve("t.json"), "{\"SGD\": " + wrong + ", \"Lion\": " + wrong + "}");
        StringWriter out = new StringWriter();
        assertEquals(
                1, Main.commandLine().setOut(new PrintWriter(out)).execute("conformance", "optim", file.toString()));
        assertTrue(out.toString().contains("FAILED       SGD: differs by"), out.toString());
        assertTrue(out.toString().contains("unsupported  Lion"), out.toString());
        assertTrue(out.toString().strip().endsWith("0 passed, 1 failed, 1 unsupported"), out.toString());
    }
}
