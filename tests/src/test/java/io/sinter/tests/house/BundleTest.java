// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./sinter bundle}: unpacked somewhere else, with no Java to be found, it trains and checks a GPU. */
class BundleTest {
    @TempDir
    private Path temporary;

    private String run(Path folder, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        if (environment != null) {
            builder.environment().clear();
            builder.environment().putAll(environment);
        }
        Process p = builder.start();
        p.getOutputStream().close();
        String output = new String(p.getInputStream().readAllBytes());
        assertEquals(0, p.waitFor(), output);
        return output;
    }

    @Test
    void trainsWithoutJava() throws IOException, InterruptedException {
        assumeTrue(
                System.getProperty("os.name").equals("Linux")
                        && System.getProperty("os.arch").equals("amd64"),
                "bundles are for Linux on x86-64");
        Path archive = temporary.resolve("sinter.tar.gz");
        run(temporary, null, House.root().resolve("sinter").toString(), "bundle", "--output", archive.toString());
        assertTrue(Files.size(archive) < 40_000_000, Files.size(archive) + " bytes, and the README says under 40 MB");

        Path place = Files.createDirectory(temporary.resolve("some where"));
        run(place, null, "tar", "-xzf", archive.toString());
        // A PATH with what the launcher needs of the system, and nothing else.
        Path tools = Files.createDirectory(temporary.resolve("tools"));
        for (String tool : List.of("sh", "dirname", "readlink", "getconf")) {
            Path found = Stream.of("/usr/bin", "/bin")
                    .map(d -> Path.of(d, tool))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            Files.createSymbolicLink(tools.resolve(tool), found);
        }
        Path link = Files.createSymbolicLink(temporary.resolve("link"), place.resolve("sinter/bin/sinter"));
        Map<String, String> bare = Map.of("PATH", tools.toString(), "HOME", temporary.toString());
        Path results = temporary.resolve("results.json");
        run(temporary, bare, link.toString(), "run", "digits", "--steps", "3", "--json", results.toString());
        JsonNode json = new ObjectMapper().readTree(results.toFile());
        assertTrue(json.path("kernels").asInt() > 0, json.toString());
        String doctor = run(temporary, bare, link.toString(), "doctor");
        assertTrue(doctor.contains(place.resolve("sinter/runtime").toRealPath().toString()), doctor);
        assertTrue(doctor.contains("Vector API   present"), doctor);
        String check = run(temporary, bare, link.toString(), "gpu-check", "--device", "ptx-sim", "--quick");
        assertTrue(check.contains("All is right."), check);
    }
}
