// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.runtime.Session;
import io.sinter.runtime.cache.Tier;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sinter conformance cache-crash}: processes that fill one cache are killed while they write; then many start at once on a cold cache, and each
 * key must be compiled once.
 */
@Command(
        name = "cache-crash",
        description =
                "Kill processes while they fill a cache, then race many on a cold one; all results must be right.")
public final class CacheCrashCommand implements Callable<Integer> {
    /** Programs that a process compiles until it is killed. */
    private static final int MANY = 400;
    /** Programs that are checked after each kill, and that racing processes compile. */
    private static final int FEW = 12;

    @Option(
            names = "--kills",
            paramLabel = "N",
            description = "Processes to kill (default: ${DEFAULT-VALUE}).",
            defaultValue = "200")
    private int kills;

    @Option(
            names = "--racers",
            paramLabel = "N",
            description = "Processes to race (default: ${DEFAULT-VALUE}).",
            defaultValue = "16")
    private int racers;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Chooses when to kill (default: ${DEFAULT-VALUE}).",
            defaultValue = "1")
    private long seed;

    @Spec
    private CommandSpec spec;

    private final List<String> failures = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        Path folder = Files.createTempDirectory("sinter-crash");
        try {
            kill(folder.resolve("killed"), out);
            race(folder.resolve("raced"), out);
        } finally {
            Tier.remove(folder);
        }
        for (String f : failures) out.println("FAILED  " + f);
        out.println(failures.isEmpty() ? "all right" : failures.size() + " failures");
        out.flush();
        return failures.isEmpty() ? 0 : 1;
    }

    private static Process child(Path cache, int programs) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!flag.startsWith("-agentlib") && !flag.startsWith("-javaagent")) command.add(flag);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), CacheFiller.class.getName()));
        command.addAll(List.of(cache.toString(), Integer.toString(programs)));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private void kill(Path cache, PrintWriter out) throws IOException, InterruptedException {
        if (kills == 0) return;
        double[][] expected = CachePrograms.expected(FEW);
        Random random = new Random(seed);
        int written = 0;
        for (int i = 0; i < kills; i++) {
            Process p = child(cache, MANY);
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8))) {
                // It says when it begins to compile; what comes then is writing for the most part.
                String line = lines.readLine();
                while (line != null && !line.equals(CacheFiller.BEGINS)) line = lines.readLine();
                if (line == null) failures.add("process " + i + " ended by itself");
                if (i % 4 == 0) Thread.sleep(random.nextInt(400));
                else awaitWriting(cache.resolve("tmp"), p);
                p.destroyForcibly().waitFor();
            }
            if (Files.isDirectory(cache.resolve("tmp"))) {
                try (var files = Files.list(cache.resolve("tmp"))) {
                    written += files.count() > 0 ? 1 : 0;
                }
                for (Path left : files(cache.resolve("tmp"))) Files.delete(left);
            }
            try (Session s = CachePrograms.open(cache);
                    var _ = s.use()) {
                for (int n = 0; n < FEW; n++) {
                    String problem = CachePrograms.check(n, expected[n]);
                    if (problem != null) failures.add("after kill " + i + ": " + problem);
                }
                long corrupt = s.counters().cache().corrupt();
                if (corrupt > 0) failures.add("after kill " + i + ": " + corrupt + " damaged entries");
            }
            // Every second one begins with nothing.
            if (i % 2 == 1) Tier.own(cache).clear();
        }
        out.printf(Locale.ROOT, "%d processes killed, %d of them in the middle of a file%n", kills, written);
        out.flush();
    }

    /** Until a file is being written: most of them are there for a few milliseconds, while they go to the disk. */
    private static void awaitWriting(Path folder, Process writer) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (writer.isAlive() && System.nanoTime() < end) {
            String[] names = folder.toFile().list();
            if (names != null && names.length > 0) return;
            Thread.onSpinWait();
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }

    private void race(Path cache, PrintWriter out) throws IOException, InterruptedException {
        if (racers == 0) return;
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < racers; i++) processes.add(child(cache, FEW));
        long stored = 0;
        for (Process p : processes) {
            String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (p.waitFor() != 0) failures.add("a racing process failed: " + text);
            for (String line : text.split("\\R")) {
                if (line.startsWith(CacheFiller.STORED)) {
                    stored += Long.parseLong(
                            line.substring(CacheFiller.STORED.length()).strip());
                }
                if (line.startsWith(CacheFiller.WRONG)) failures.add(line);
            }
        }
        long entries = Tier.own(cache).list().size();
        out.printf(Locale.ROOT, "%d processes raced: %d keys, %d compilations%n", racers, entries, stored);
        out.flush();
        if (stored != entries) failures.add(entries + " keys were compiled " + stored + " times");
    }
}
