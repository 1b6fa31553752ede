// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.house;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A tree with the real launcher in it, a JDK and a Maven that are scripts, and a PATH with nothing but what the launcher needs. */
final class LauncherTree {
    /** The tools that the launcher may count on: those of any POSIX system, bash, and flock where it is there. */
    private static final List<String> TOOLS = List.of(
            "awk",
            "bash",
            "cat",
            "cp",
            "dirname",
            "env",
            "find",
            "flock",
            "grep",
            "head",
            "mkdir",
            "mktemp",
            "mv",
            "readlink",
            "rm",
            "sed",
            "sleep",
            "tee",
            "touch");

    /** Says how it was called, one argument a line, each in brackets. */
    private static final String FAKE_JAVA = """
            #!/bin/bash
            echo "java: cwd=$PWD"
            echo "java: me=$0"
            for argument in "$@"; do echo "java: [$argument]"; done
            """;

    /**
     * Says how it was called in one line (on descriptor 3, past the launcher's pipes), leaves what the launcher expects, and does as
     * the environment says.
     */
    private static final String FAKE_MAVEN = """
            #!/bin/bash
            { printf 'mvn: '; printf '[%s] ' "$@"; echo; } >&3
            sleep "${FAKE_MAVEN_SECONDS:-0}"
            if [ -n "$FAKE_MAVEN_BROKEN" ] && [[ " $* " == *" test "* ]]; then
                echo "[ERROR] Failed to execute goal $FAKE_MAVEN_BROKEN"
            fi
            if [ -n "$FAKE_MAVEN_STATUS" ]; then
                echo '[ERROR] A.java: what a pity'
                exit "$FAKE_MAVEN_STATUS"
            fi
            if [[ " $* " == *" test "* ]]; then
                for report in *.xml; do
                    module=${report%%-*}
                    if [ -d "$module/src" ]; then
                        mkdir -p "$module/target/surefire-reports"
                        cp "$report" "$module/target/surefire-reports/TEST-$report"
                    fi
                done
            fi
            mkdir -p frontend/cli/target/classes
            touch frontend/cli/target/classes/Main.class
            printf '%s' "$PWD/pom.xml" > frontend/cli/target/classpath
            """;

    /** What a launch printed, standard output and error together, and its exit status. */
    record Result(int status, String text) {
        /** The lines that begin with {@code prefix}, without it. */
        List<String> lines(String prefix) {
            return text.lines()
                    .filter(line -> line.startsWith(prefix))
                    .map(line -> line.substring(prefix.length()))
                    .toList();
        }

        String lastLine() {
            return text.lines().toList().getLast();
        }
    }

    private final Path root;
    private final Path tools;
    private final Path home;
    private final Path jdk;

    /** Makes the tree under {@code folder}. */
    LauncherTree(Path folder) throws IOException {
        root = Files.createDirectories(folder.resolve("root")).toRealPath();
        tools = Files.createDirectories(folder.resolve("tools"));
        home = Files.createDirectories(folder.resolve("home"));
        Files.copy(House.root().resolve("sinter"), launcher(), StandardCopyOption.COPY_ATTRIBUTES);
        Files.copy(House.root().resolve("pom.xml"), root.resolve("pom.xml"));
        for (String module : List.of("ir", "runtime", "frontend/cli")) {
            Path sources = Files.createDirectories(root.resolve(module).resolve("src/main/java"));
            Files.writeString(sources.resolve("A.java"), "class A {}");
        }
        for (String tool : TOOLS) {
            Path there = Path.of("/usr/bin", tool);
            there = Files.exists(there) ? there : Path.of("/bin", tool);
            if (Files.exists(there)) {
                script(tools.resolve(tool), "#!/bin/bash\nexec " + there + " \"$@\"\n");
            }
        }
        script(tools.resolve("mvn"), FAKE_MAVEN);
        jdk = jdk(folder.resolve("jdk"), "25.0.3");
    }

    Path root() {
        return root;
    }

    Path launcher() {
        return root.resolve("sinter");
    }

    Path tools() {
        return tools;
    }

    Path home() {
        return home;
    }

    /** Makes a JDK of the given version in {@code folder}. */
    Path jdk(Path folder, String version) throws IOException {
        Files.createDirectories(folder.resolve("bin"));
        script(folder.resolve("bin/java"), FAKE_JAVA);
        script(folder.resolve("bin/javac"), FAKE_JAVA);
        script(folder.resolve("bin/jshell"), FAKE_JAVA);
        Files.writeString(folder.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        return folder;
    }

    /** Replaces a text in the copy of the launcher, to take away what the machine has. */
    void edit(String from, String to) throws IOException {
        String text = Files.readString(launcher());
        if (!text.contains(from)) {
            throw new IllegalStateException("the launcher no longer contains: " + from);
        }
        Files.writeString(launcher(), text.replace(from, to));
    }

    /** Makes the machine one of so many processors. */
    void processors(int n) throws IOException {
        script(tools.resolve("getconf"), "#!/bin/bash\n[ \"$1\" = _NPROCESSORS_ONLN ] && echo " + n + "\n");
    }

    /** A report in surefire's form that the fake Maven leaves when it is called to test; {@code message}: why tests are skipped. */
    void report(String module, String suite, int tests, int failures, int skipped, String message) throws IOException {
        StringBuilder xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.append("<testsuite name=\"" + suite
                + "\" time=\"0.1\" tests=\"1\" errors=\"0\" skipped=\"0\" failures=\"0\">\n");
        for (int i = 0; i < tests; i++) {
            xml.append("  <testcase name=\"test" + i + "\" classname=\"" + suite + "\" time=\"0\">\n");
            if (i < failures) {
                xml.append(
                        "    <failure message=\"&lt;failure\" type=\"E\"><![CDATA[E: it failed\n  <skipped\n]]></failure>\n");
            } else if (i >= tests - skipped) {
                xml.append(
                                "    <skipped type=\"org.opentest4j.TestAbortedException\"><![CDATA[org.opentest4j.TestAbortedException: ")
                        .append("Assumption failed: " + message
                                + "\n\tat java.base/Data.lookUp(Data.java:1)\n]]></skipped>\n");
            }
            xml.append(
                    "    <system-out><![CDATA[output\n  <testcase name=\"printed\">\n]]></system-out>\n  </testcase>\n");
        }
        Files.writeString(root.resolve(module + "-" + suite + ".xml"), xml.append("</testsuite>\n"));
    }

    Result launch(String... arguments) throws IOException, InterruptedException {
        return launch(Map.of(), arguments);
    }

    Result launch(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        return launch(root, environment, arguments);
    }

    Result launch(Path directory, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        return launch(launcher(), directory, environment, arguments);
    }

    Result launchUnchecked(Map<String, String> environment, String... arguments) {
        try {
            return launch(environment, arguments);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Starts {@code launcher} in {@code directory}, with the fake JDK as JAVA_HOME where {@code environment} names no other. */
    Result launch(Path launcher, Path directory, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", "exec 3>&2; exec \"$0\" \"$@\""));
        command.add(launcher.toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment()
                .putAll(Map.of("PATH", tools.toString(), "HOME", home.toString(), "JAVA_HOME", jdk.toString()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("the launcher hangs: " + text);
        }
        return new Result(process.exitValue(), text);
    }

    private static void script(Path file, String text) throws IOException {
        Files.writeString(file, text);
        if (!file.toFile().setExecutable(true)) {
            throw new IOException("cannot make " + file + " executable");
        }
    }
}
