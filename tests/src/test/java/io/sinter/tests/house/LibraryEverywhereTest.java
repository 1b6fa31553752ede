// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.tests.house.UserProject.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library resolves on systems for which JCuda and others publish no natives: it depends on none. */
class LibraryEverywhereTest {
    private static final String[] LIST = {
        "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:list", "-DoutputFile=artifacts.txt"
    };

    /** As {@code dependency:list} writes them: group, artifact, type, classifier where there is one, version, scope. */
    private static final Pattern ARTIFACT = Pattern.compile("^ +(\\S+:\\S+:jar:\\S+)", Pattern.MULTILINE);

    @TempDir
    private static Path temporary;

    private static UserProject project;

    @BeforeAll
    static void makeProject() throws IOException {
        assumeTrue(System.getProperty("sinter.maven.home") != null, "needs Maven: run ./sinter test");
        project = new UserProject(temporary.resolve("project"), temporary.resolve("repository"));
        String version = UserProject.version();
        // What a library with natives does: another artifact on each system. It shows that Maven believes in the
        // disguise.
        StringBuilder natives = new StringBuilder();
        for (String[] system : SYSTEMS) {
            Path none = Files.createDirectories(temporary.resolve("none"));
            String artifact = system[2];
            project.install(artifact, "1", pom("io.sinter", artifact, "1", "", ""), none);
            natives.append(
                    "<profile><id>%1$s</id><activation><os><family>%2$s</family><arch>%3$s</arch></os></activation><dependencies>%4$s</dependencies></profile>"
                            .formatted(artifact, system[3], system[1], dependency(artifact, "1")));
        }
        project.write("pom.xml", pom("user", "project", "1", dependency("sinter", version), natives.toString()));
    }

    /** Name, architecture, the marker's artifact, Maven's family of systems. */
    private static final List<String[]> SYSTEMS = List.of(
            new String[] {"Linux", "aarch64", "on-linux-arm", "unix"},
            new String[] {"Windows 11", "amd64", "on-windows", "windows"},
            new String[] {"Mac OS X", "aarch64", "on-mac", "mac"});

    @Test
    void resolvesTheSameOnEverySystemWithoutNatives() throws Exception {
        Set<Set<String>> resolved = new HashSet<>();
        for (String[] system : SYSTEMS) {
            Result there = project.mavenOn(system[0], system[1], LIST);
            assertEquals(0, there.status(), there.text());
            Set<String> found = artifacts();
            assertTrue(found.removeIf(artifact -> artifact.contains(":" + system[2] + ":")), there.text());
            // A Mac is of the family unix too.
            found.removeIf(artifact -> artifact.contains(":on-linux-arm:"));
            assertTrue(found.stream().anyMatch(artifact -> artifact.startsWith("io.sinter:sinter:jar:")), there.text());
            for (String artifact : found) {
                assertEquals(5, artifact.split(":").length, artifact + " has a classifier: natives for one system");
                assertFalse(artifact.contains("native"), artifact);
            }
            resolved.add(found);
        }
        assertEquals(1, resolved.size(), "systems differ: " + resolved);
    }

    /** What Maven resolved last. */
    private static Set<String> artifacts() throws IOException {
        Path listing = project.folder().resolve("artifacts.txt");
        Set<String> found = ARTIFACT.matcher(Files.readString(listing))
                .results()
                .map((MatchResult match) -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        Files.delete(listing);
        return found;
    }

    private static String pom(String group, String artifact, String version, String dependencies, String profiles) {
        return """
        <project xmlns="http://maven.apache.org/POM/4.0.0">
          <modelVersion>4.0.0</modelVersion>
          <groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>
          <dependencies>%s</dependencies>
          <profiles>%s</profiles>
        </project>
        """.formatted(group, artifact, version, dependencies, profiles);
    }

    private static String dependency(String artifact, String version) {
        return "<dependency><groupId>io.sinter</groupId><artifactId>%s</artifactId><version>%s</version></dependency>"
                .formatted(artifact, version);
    }
}
