// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.runtime.JvmFeatures;
import io.sinter.tests.house.LauncherTree.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher {@code ./sinter}, run in a small tree whose JDK and Maven are scripts that write down how they were called. */
class LauncherTest {
    @TempDir
    private Path temporary;

    private LauncherTree tree;

    @BeforeEach
    void makeTree() throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "the launcher needs bash");
        tree = new LauncherTree(temporary.resolve("a path with spaces"));
    }

    /** Many processors: HotSpot's own thresholds, of which those of generated classes are five times the share. */
    @Test
    void processorsDecideWhatIsCompiled() throws IOException, InterruptedException {
        List<String> advised = List.of(JvmFeatures.flags().split(" "));
        tree.processors(2);
        List<String> few = flags(tree.launch("doctor"));
        assertTrue(few.containsAll(advised), few.toString());
        assertTrue(few.contains("-XX:CICompilerCount=4"), few.toString());
        tree.processors(8);
        List<String> many = flags(tree.launch("doctor"));
        assertFalse(many.contains("-XX:CICompilerCount=4"), many.toString());
        List<String> without = new ArrayList<>(few);
        without.removeAll(many);
        assertEquals(
                List.of(
                        "-XX:CICompilerCount=4",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/gen/SinterKernel*.*,0.006",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Stencil*.*,0.1",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Winograd*.*,0.1",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Pool*.*,0.1",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Gemm*.*,0.1",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Attention*.*,0.1",
                        "-XX:Tier4InvocationThreshold=25000",
                        "-XX:Tier4MinInvocationThreshold=3000",
                        "-XX:Tier4CompileThreshold=75000",
                        "-XX:Tier4BackEdgeThreshold=4000000"),
                without);
        List<String> instead = new ArrayList<>(many);
        instead.removeAll(few);
        assertEquals(
                List.of(
                        "-XX:+ExplicitGCInvokesConcurrent",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/gen/SinterKernel*.*,0.03",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Stencil*.*,0.5",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Winograd*.*,0.5",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Pool*.*,0.5",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Gemm*.*,0.5",
                        "-XX:CompileCommand=CompileThresholdScaling,io/sinter/codegen/jvm/Attention*.*,0.5",
                        "-XX:Tier4BackEdgeThreshold=800000"),
                instead);
    }

    /** What the JVM was given before the class path. */
    private static List<String> flags(Result r) {
        return r.lines("java: [").stream()
                .map(a -> a.substring(0, a.length() - 1))
                .filter(a -> a.startsWith("-"))
                .toList();
    }

    @Test
    void passesArgumentsAndWorkingDirectoryOn() throws Exception {
        Path elsewhere = Files.createDirectory(temporary.resolve("else where"));
        Result result = tree.launch(elsewhere, Map.of(), "run", "digits", "--json", "my file.json", "");
        assertEquals(0, result.status(), result.toString());
        List<String> java = result.lines("java: ");
        assertEquals("cwd=" + elsewhere.toRealPath(), java.getFirst());
        assertEquals(
                List.of("[io.sinter.cli.Main]", "[run]", "[digits]", "[--json]", "[my file.json]", "[]"),
                java.subList(java.size() - 6, java.size()));
        assertTrue(java.contains("[--add-modules=jdk.incubator.vector]"), result.toString());
        int quiet = java.indexOf("[-XX:CompileCommand=quiet]");
        assertTrue(quiet > 0 && java.get(quiet + 1).startsWith("[-XX:CompileCommand="), result.toString());
    }

    @Test
    void worksThroughASymbolicLink() throws Exception {
        Path link = Files.createSymbolicLink(temporary.resolve("link"), tree.launcher());
        Result result = tree.launch(link, temporary, Map.of(), "doctor");
        assertEquals(0, result.status(), result.toString());
        assertTrue(Files.exists(tree.root().resolve("target/launcher/stamp")));
    }

    @Test
    void buildsOnlyWhatIsOutOfDate() throws Exception {
        assertEquals(1, tree.launch("doctor").lines("mvn: ").size());
        assertEquals(0, tree.launch("doctor").lines("mvn: ").size(), "nothing changed");

        Path source = tree.root().resolve("ir/src/main/java/A.java");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(2)));
        assertEquals(1, tree.launch("doctor").lines("mvn: ").size(), "a source changed");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().minusSeconds(60)));
        assertEquals(0, tree.launch("doctor").lines("mvn: ").size(), "nothing changed");

        Files.delete(tree.root().resolve("frontend/cli/target/classes/Main.class"));
        Files.delete(tree.root().resolve("frontend/cli/target/classes"));
        assertEquals(1, tree.launch("doctor").lines("mvn: ").size(), "an output is gone");
    }

    @Test
    void twoLaunchesAtOnceBuildOnce() throws Exception {
        Map<String, String> slowly = Map.of("FAKE_MAVEN_SECONDS", "1");
        CompletableFuture<Result> first = CompletableFuture.supplyAsync(() -> tree.launchUnchecked(slowly, "doctor"));
        CompletableFuture<Result> second = CompletableFuture.supplyAsync(() -> tree.launchUnchecked(slowly, "doctor"));
        assertEquals(0, first.get().status(), first.get().toString());
        assertEquals(0, second.get().status(), second.get().toString());
        assertEquals(
                1,
                first.get().lines("mvn: ").size() + second.get().lines("mvn: ").size());
    }

    @Test
    void aFailedBuildIsShownAndTriedAgain() throws Exception {
        Result failed = tree.launch(Map.of("FAKE_MAVEN_STATUS", "1"), "doctor");
        assertEquals(1, failed.status(), failed.toString());
        assertTrue(failed.text().contains("[ERROR] A.java: what a pity"), failed.toString());
        assertTrue(failed.lines("java: ").isEmpty(), failed.toString());
        assertEquals(0, tree.launch("doctor").status());
    }

    @Test
    void aHomeThatCannotBeWrittenGivesMavenAnotherRepository() throws Exception {
        Result result = tree.launch(Map.of("HOME", "/dev/null"), "doctor");
        assertEquals(0, result.status(), result.toString());
        String maven = result.lines("mvn: ").getFirst();
        assertTrue(
                maven.contains("[-Dmaven.repo.local=" + tree.root() + "/target/maven-repository]"), result.toString());
        assertFalse(tree.launch(Map.of(), "doctor").text().contains("maven.repo.local"));
    }

    @Test
    void withoutAJdkItSaysHowToGetOne() throws Exception {
        tree.edit("readonly OLDEST_JDK=25", "readonly OLDEST_JDK=999");
        Result result = tree.launch("doctor");
        assertEquals(1, result.status());
        assertEquals(
                "sinter: Sinter needs JDK 999 or later, and none was found: install one (for example from "
                        + "https://adoptium.net) and set JAVA_HOME to its folder.",
                result.text().strip());
    }

    @Test
    void withoutMavenItSaysHowToGetIt() throws Exception {
        Files.delete(tree.tools().resolve("mvn"));
        tree.edit("/usr/share/maven", "/nonexistent");
        tree.edit("/opt/maven /opt/apache-maven* /opt/homebrew /usr/local", "/nonexistent");
        Result result = tree.launch("doctor");
        assertEquals(1, result.status());
        assertTrue(result.text().startsWith("sinter: Sinter needs Maven"), result.toString());
        assertEquals(1, result.text().strip().lines().count(), result.toString());
    }

    @Test
    void anOldJavaHomeIsPassedOver() throws Exception {
        Path old = tree.jdk(temporary.resolve("jdk-17"), "17.0.15");
        Path newer = tree.jdk(tree.home().resolve(".jdks/temurin-25"), "25.0.999");
        tree.jdk(tree.home().resolve(".jdks/temurin-11"), "11.0.2");
        Result result = tree.launch(Map.of("JAVA_HOME", old.toString()), "doctor");
        assertEquals(0, result.status(), result.toString());
        assertTrue(result.lines("java: ").contains("me=" + newer.resolve("bin/java")), result.toString());
        assertFalse(result.text().contains("warning"), result.toString());
    }

    @Test
    void aJdkWithTheCollectorsFaultIsWarnedAbout() throws Exception {
        Path faulty = tree.jdk(temporary.resolve("jdk-25"), "25.0.2");
        Result result = tree.launch(Map.of("JAVA_HOME", faulty.toString()), "doctor");
        assertAll(
                () -> assertEquals(0, result.status(), result.toString()),
                () -> assertTrue(result.text().contains("warning: JDK 25.0.2 has a fault"), result.toString()),
                () -> assertTrue(
                        result.lines("java: ").contains("me=" + faulty.resolve("bin/java")), result.toString()));
    }

    @Test
    void testEndsWithTheSumsOfAllReports() throws Exception {
        tree.report("ir", "One", 5, 0, 0, "");
        tree.report("runtime", "Two", 4, 1, 1, "SINTER_DATA is not set: no reference data");
        Result result = tree.launch("test");
        assertEquals("7 passed, 1 failed, 1 skipped", result.lastLine(), result.toString());
        assertEquals(1, result.status());
        assertTrue(result.text().contains("skipped: Two.test3: SINTER_DATA is not set"), result.toString());
    }

    @Test
    void testCountsWhatMavenCouldNotRun() throws Exception {
        tree.report("ir", "One", 5, 0, 0, "");
        // Of several errors Maven names none in this line.
        for (String what : List.of("Compilation failure", "Compilation failure: Compilation failure: ")) {
            String goal = "org.apache:compiler:compile on project runtime: " + what;
            Result result = tree.launch(Map.of("FAKE_MAVEN_BROKEN", goal), "test");
            assertEquals("5 passed, 1 failed, 0 skipped", result.lastLine(), result.toString());
            assertEquals(1, result.status());
        }
    }

    @Test
    void testsThatFailedOrEndedInErrorsAreCountedOnce() throws Exception {
        tree.report("ir", "One", 5, 1, 0, "");
        for (String what : List.of("There are test failures.", "")) {
            String goal = "org.apache:surefire:test (default-test) on project ir: " + what;
            Result result = tree.launch(Map.of("FAKE_MAVEN_BROKEN", goal), "test");
            assertEquals("4 passed, 1 failed, 0 skipped", result.lastLine(), result.toString());
            assertEquals(1, result.status());
        }
    }

    @Test
    void testWithRequiredDataFailsWhereTheyLack() throws Exception {
        tree.report("ir", "One", 5, 0, 1, "no reference data");
        Path data = Files.createDirectory(temporary.resolve("data"));
        Map<String, String> given = Map.of("SINTER_DATA", data.toString());
        Result without = tree.launch(given, "test");
        assertEquals("4 passed, 0 failed, 1 skipped", without.lastLine(), without.toString());
        assertEquals(0, without.status());
        Result with = tree.launch(given, "test", "--require-data");
        assertEquals("4 passed, 1 failed, 0 skipped", with.lastLine(), with.toString());
        assertEquals(1, with.status());
        Result absent = tree.launch(Map.of("SINTER_DATA", "/nonexistent"), "test", "--require-data");
        assertEquals(1, absent.status());
        assertTrue(
                absent.text().startsWith("sinter: --require-data: no reference data at /nonexistent"),
                absent.toString());
    }

    @Test
    void testPassesFiltersToMaven() throws Exception {
        tree.report("ir", "One", 1, 0, 0, "");
        Result result = tree.launch("test", "OneTest#first", "-pl", "ir", "-Dkey=value");
        String maven = result.lines("mvn: ").getLast();
        assertTrue(maven.contains("[-Dtest=OneTest#first] "), maven);
        assertTrue(maven.contains("[-pl] [ir] [-Dkey=value] "), maven);
    }

    @Test
    void aTestRunWithoutTestsFails() throws Exception {
        Result result = tree.launch("test");
        assertEquals("0 passed, 0 failed, 0 skipped", result.lastLine(), result.toString());
        assertEquals(1, result.status());
    }

    @Test
    void installInstallsTheLibraryAndWhatItNeeds() throws Exception {
        Result result = tree.launch("install");
        assertEquals(0, result.status(), result.toString());
        String maven = result.lines("mvn: ").getFirst();
        assertTrue(maven.contains("[install] ") && maven.contains("[-pl] [frontend/core] [-am] "), maven);
        assertTrue(result.text().contains("<artifactId>sinter</artifactId>"), result.toString());
        assertEquals(1, tree.launch(Map.of("FAKE_MAVEN_STATUS", "1"), "install").status());
    }

    @Test
    void theShellHasTheClassPathAndTheFlags() throws Exception {
        List<String> shell = tree.launch("shell", "script.jsh").lines("java: ");
        assertTrue(shell.get(1).endsWith("/bin/jshell"), shell.toString());
        assertTrue(shell.contains("[-R-XX:CompileCommand=quiet]"), shell.toString());
        assertTrue(
                shell.get(shell.indexOf("[--class-path]") + 1).contains("frontend/cli/target/classes:"),
                shell.toString());
        assertEquals("[script.jsh]", shell.getLast());
    }
}
