// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Runs one case in a process of its own, ours or a peer's, and reads the JSON line that it prints. */
final class Rivals {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Rivals() {}

    /** This program's {@code bench} again, with the same JVM and flags. */
    static List<String> ourselves(int threads, String device) {
        return ourselves(threads, device, "bench", "--here");
    }

    /** A command of this program, with the same JVM and flags. */
    static List<String> ourselves(int threads, String device, String... arguments) {
        List<String> c = new ArrayList<>();
        c.add(ProcessHandle.current().info().command().orElse("java"));
        for (String flag :
                java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!flag.startsWith("-Dsinter.threads=") && !flag.startsWith("-Dsinter.device=")) c.add(flag);
        }
        c.add("-Dsinter.threads=" + threads);
        c.add("-Dsinter.device=" + device);
        c.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.sinter.cli.Main"));
        c.addAll(List.of(arguments));
        return c;
    }

    /** The words of a command line, with '…' and "…" as the shell has them. */
    static List<String> words(String command) {
        List<String> words = new ArrayList<>();
        var m = java.util.regex.Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)").matcher(command);
        while (m.find()) words.add(m.group(1) != null ? m.group(1) : m.group(2) != null ? m.group(2) : m.group(3));
        return words;
    }

    /** As {@link #run(List, String, double, List, long)}, without a limit of time. */
    static JsonNode run(List<String> command, String name, double seconds, List<String> more) {
        return run(command, name, seconds, more, Long.MAX_VALUE);
    }

    /**
     * The case's line.
     *
     * @param most seconds after which the process is killed
     * @throws IllegalStateException if the command fails or prints no line for the case; the message ends with the last line of its standard error
     */
    static JsonNode run(List<String> command, String name, double seconds, List<String> more, long most) {
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of("--only", "^" + name + "$", "--seconds", Double.toString(seconds)));
        all.addAll(more);
        try {
            Path errors = Files.createTempFile("sinter-bench", ".err");
            try {
                return run(all, name, errors, most);
            } finally {
                Files.deleteIfExists(errors);
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot run '" + command.getFirst() + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static JsonNode run(List<String> command, String name, Path errors, long most)
            throws IOException, InterruptedException {
        Process p = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        p.getOutputStream().close();
        AtomicBoolean late = new AtomicBoolean();
        p.onExit().orTimeout(most, TimeUnit.SECONDS).exceptionally(_ -> {
            late.set(true);
            p.descendants().forEach(ProcessHandle::destroyForcibly);
            return p.destroyForcibly();
        });
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = p.waitFor();
        for (String line : out.lines().toList()) {
            if (!line.startsWith("{")) continue;
            JsonNode n = parse(line);
            if (n != null && name.equals(n.path("case").asText())) return n;
        }
        if (late.get())
            throw new IllegalStateException("'" + String.join(" ", command) + "' took more than " + most + " s");
        String last = new String(Files.readAllBytes(errors), StandardCharsets.UTF_8)
                .lines()
                .filter(l -> !l.isBlank())
                .reduce((_, l) -> l)
                .orElse("nothing on standard error");
        throw new IllegalStateException("'" + String.join(" ", command) + "' ended with status " + status
                + " and printed no line for " + name + ": " + last.strip());
    }

    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException _) {
            return null; // a line of the program's own that begins with a brace
        }
    }

    /** As JSON. */
    static JsonNode node(Map<String, Object> fields) {
        return JSON.valueToTree(fields);
    }

    /** Standard output of a command, line by line; an exception with the last line of its errors if it fails, or takes too long. */
    static List<String> lines(List<String> command, long seconds) throws IOException {
        Path output = Files.createTempFile("sinter-gpu-check", ".out");
        Path errors = Files.createTempFile("sinter-gpu-check", ".err");
        try {
            // To files: reading from a process has no limit of time.
            Process p = new ProcessBuilder(command)
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile())
                    .start();
            p.getOutputStream().close();
            if (!p.waitFor(seconds, TimeUnit.SECONDS)) {
                p.destroyForcibly();
                throw new IOException(command.getFirst() + " took more than " + seconds + " s");
            }
            if (p.exitValue() != 0) {
                List<String> said = Files.readAllLines(errors);
                throw new IOException(
                        command.getFirst() + " failed: " + (said.isEmpty() ? "it says nothing" : said.getLast()));
            }
            return Files.readAllLines(output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            Files.deleteIfExists(output);
            Files.deleteIfExists(errors);
        }
    }
}
