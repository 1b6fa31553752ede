// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.runtime.JvmFeatures;
import io.sinter.tests.house.UserProject.Result;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The project that the README shows: what a user copies from there is built and run as it stands. */
class ReadmeProjectTest {
    private static final String CLASS_PATH = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath";
    private static final Pattern ACCURACY = Pattern.compile("accuracy ([0-9.]+)$", Pattern.MULTILINE);

    @TempDir
    private static Path temporary;

    private static UserProject project;
    private static Result withFlags;

    @BeforeAll
    static void buildAndRun() throws IOException, InterruptedException {
        assumeTrue(System.getProperty("sinter.maven.home") != null, "needs Maven: run ./sinter test");
        String readme = Files.readString(House.root().resolve("README.md"));
        project = new UserProject(temporary.resolve("a project"), temporary.resolve("repository"));
        project.write("pom.xml", block(readme, "xml", "<project"));
        project.write("src/main/java/Spirals.java", block(readme, "java", "class Spirals"));
        withFlags = project.maven("compile", "exec:exec", CLASS_PATH, "-Dmdep.outputFile=class-path.txt");
        assertEquals(0, withFlags.status(), withFlags.text());
    }

    @Test
    void itLearns() {
        assertTrue(accuracy(withFlags) >= 0.95, withFlags.text());
        assertFalse(withFlags.text().contains("Sinter: no Vector API"), withFlags.text());
    }

    /** Without flags it learns the same with scalar code, and one line says what is missing. */
    @Test
    void itWorksWithoutFlags() throws Exception {
        String libraries = Files.readString(project.folder().resolve("class-path.txt"));
        String classPath = project.folder().resolve("target/classes") + File.pathSeparator + libraries;
        Result result = project.run(List.of(UserProject.java(), "-cp", classPath, "Spirals"));
        assertEquals(0, result.status(), result.text());
        assertTrue(accuracy(result) >= 0.95, result.text());
        List<String> said = result.text()
                .lines()
                .filter(line -> line.startsWith("Sinter: "))
                .toList();
        assertEquals(1, said.size(), result.text());
        assertTrue(said.getFirst().endsWith(": " + JvmFeatures.flags()), said.getFirst());
    }

    /** The last accuracy that the program printed, 0 to 1. */
    private static double accuracy(Result run) {
        List<String> found = ACCURACY.matcher(run.text())
                .results()
                .map(match -> match.group(1))
                .toList();
        assertFalse(found.isEmpty(), run.text());
        return Double.parseDouble(found.getLast());
    }

    /** The first fenced block of that language that contains {@code mark}. */
    private static String block(String markdown, String language, String mark) {
        Matcher blocks = Pattern.compile("^```" + language + "\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(markdown);
        while (blocks.find()) {
            if (blocks.group(1).contains(mark)) {
                return blocks.group(1);
            }
        }
        throw new IllegalStateException("the README has no block of " + language + " with " + mark);
    }
}
