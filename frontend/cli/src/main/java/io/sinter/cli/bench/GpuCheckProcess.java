// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A process that answers a line of JSON with a line of JSON; another takes its place when it has ended or hangs. For one thread at a time. */
final class GpuCheckProcess implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> command;
    private final Path errors;
    private Process process;
    /** What it prints; empty for the end. */
    private BlockingQueue<Optional<String>> lines;

    private PrintWriter tasks;

    GpuCheckProcess(List<String> command) {
        this.command = List.copyOf(command);
        try {
            errors = Files.createTempFile("sinter-gpu-check", ".err");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void start() throws IOException {
        process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        tasks = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
        BlockingQueue<Optional<String>> queue = new LinkedBlockingQueue<>();
        lines = queue;
        BufferedReader in = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        Thread.ofVirtual().start(() -> {
            try (in) {
                for (String line = in.readLine(); line != null; line = in.readLine()) queue.add(Optional.of(line));
            } catch (IOException _) {
                // It is being killed.
            } finally {
                queue.add(Optional.empty());
            }
        });
    }

    /**
     * The answer to a task.
     *
     * @throws IllegalStateException if there is none: the process has ended, or takes more than {@code seconds}
     */
    JsonNode ask(Map<String, ?> task, long seconds) {
        try {
            if (process == null || !process.isAlive()) start();
            tasks.println(JSON.writeValueAsString(task));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            while (true) {
                Optional<String> line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (line == null) {
                    kill();
                    throw new IllegalStateException("it took more than " + seconds + " s");
                }
                if (line.isEmpty()) throw new IllegalStateException(howItEnded());
                JsonNode answer = parse(line.get());
                if (answer == null) continue;
                // After a fault it ends by itself, and is not to be given another task.
                if (answer.path("fault").asBoolean() || answer.has("error")) kill();
                return answer;
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot run '" + command.getFirst() + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private String howItEnded() throws IOException, InterruptedException {
        int status = process.waitFor();
        process = null;
        String last = Files.readString(errors)
                .lines()
                .filter(l -> !l.isBlank())
                .reduce((_, l) -> l)
                .orElse("nothing on standard error");
        return "its process ended with status " + status + ": " + last.strip();
    }

    private static JsonNode parse(String line) {
        if (!line.startsWith("{")) return null;
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException _) {
            return null; // a line of something else
        }
    }

    private void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
        process = null;
    }

    @Override
    public void close() {
        if (process != null) process.destroyForcibly();
        try {
            Files.deleteIfExists(errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
