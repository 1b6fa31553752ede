// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.Sinter;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.cli.bench.BenchCase.Repetition;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import io.sinter.runtime.profile.Profile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What it costs to look: repetitions of one case in one process, with a profile and without in turn; and compilations of it, dumped and not dumped in turn,
 * each in a session of its own. Neighbours in time are compared, so that what else the machine does falls on both; ratios are medians over the rounds.
 */
final class Overhead {
    /** A block of repetitions takes about this long, much longer than beginning and ending a profile; less where there is not that much time. */
    private static final double BLOCK_MILLIS = 20;

    /** Rounds at least, so that medians say something. */
    private static final int LEAST = 15;

    /** Compilations that are thrown away: HotSpot compiles the compiler. */
    private static final int COLD = 4;

    private enum Look {
        OFF,
        TABLES,
        TIMELINE
    }

    private final BenchCase benchCase;
    private final Mode mode;
    private final double seconds;

    private Overhead(BenchCase benchCase, Mode mode, double seconds) {
        this.benchCase = benchCase;
        this.mode = mode;
        this.seconds = seconds;
    }

    /**
     * {@code off_ms}, {@code tables_ms}, {@code timeline_ms}: a repetition without a profile, with one that adds up ({@code .txt}), with one that keeps every
     * event ({@code .json}); {@code …_ratio}: by the time without, and its quartiles; {@code noise}: quartiles of the ratio of two blocks without. {@code
     * compile_ms}, {@code dumped_ms}: compiling everything that the first repetition runs; {@code first_ratio}: the whole first repetition.
     */
    static Map<String, Object> of(BenchCase c, Mode mode, double seconds) {
        Overhead o = new Overhead(c, mode, seconds);
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("case", c.name());
        o.profiles(r);
        o.dumps(r);
        return r;
    }

    // ---- profiles

    private void profiles(Map<String, Object> r) {
        Session session = Session.current();
        Sinter.manualSeed(0);
        Repetition run = benchCase.prepare().apply(mode);
        double once = warm(run);
        int blocks = 3 * Look.values().length * LEAST;
        double millis = Math.min(BLOCK_MILLIS, 1e3 * seconds / blocks);
        int block = (int) Math.max(1, Math.round(millis / once));
        Map<Look, Profile> profiles = Map.of(Look.TABLES, new Profile(false), Look.TIMELINE, new Profile(true));
        Map<Look, List<Double>> times = new LinkedHashMap<>();
        Map<Look, List<Double>> ratios = new LinkedHashMap<>();
        for (Look l : Look.values()) {
            times.put(l, new ArrayList<>());
            ratios.put(l, new ArrayList<>());
        }
        long end = System.nanoTime() + (long) (seconds * 1e9);
        int rounds = 0;
        for (; rounds < LEAST || System.nanoTime() < end; rounds++) {
            for (Look l : Look.values()) {
                // Off, on, off: whatever drifts, drifts through the middle. Of OFF itself this is the noise.
                double before = block(run, block, null, times.get(Look.OFF));
                double looked = block(run, block, profiles.get(l), times.get(l));
                double after = block(run, block, null, times.get(Look.OFF));
                ratios.get(l).add(2 * looked / (before + after));
            }
        }
        session.synchronize();
        r.put("rounds", rounds);
        r.put("block", block);
        for (Look l : Look.values()) {
            String name = l.name().toLowerCase(Locale.ROOT);
            r.put(name + "_ms", round(quartile(times.get(l), 2), 5));
            if (l == Look.OFF) r.put("noise", quartiles(ratios.get(l)));
            else {
                r.put(name + "_ratio", round(quartile(ratios.get(l), 2), 4));
                r.put(name + "_quartiles", quartiles(ratios.get(l)));
            }
        }
    }

    /** Milliseconds of a repetition, once they have become steady. */
    private double warm(Repetition run) {
        List<Double> times = new ArrayList<>();
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (times.size() < 2 * LEAST || System.nanoTime() < end) block(run, 1, null, times);
        return quartile(times.subList(times.size() / 2, times.size()), 2);
    }

    /** The mean of {@code n} repetitions; the median of each block goes to {@code times}. */
    private static double block(Repetition run, int n, Profile profile, List<Double> times) {
        Session session = Session.current();
        if (profile != null) {
            profile.reset();
            session.profileInto(profile);
        }
        try {
            List<Double> each = new ArrayList<>();
            double sum = 0;
            for (int i = 0; i < n; i++) {
                long start = System.nanoTime();
                run.run();
                session.synchronize();
                double ms = (System.nanoTime() - start) / 1e6;
                each.add(ms);
                sum += ms;
            }
            times.add(quartile(each, 2));
            return sum / n;
        } finally {
            if (profile != null) session.profileInto(null);
        }
    }

    // ---- dumps

    private record Compiled(double compile, double first) {}

    private void dumps(Map<String, Object> r) {
        List<Double> plain = new ArrayList<>();
        List<Double> dumped = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        List<Double> firsts = new ArrayList<>();
        long end = 0;
        for (int i = -COLD; i < LEAST / 2 || System.nanoTime() < end; i++) {
            Compiled off = compiled(false);
            Compiled on = compiled(true);
            if (i < 0) continue;
            if (end == 0) end = System.nanoTime() + (long) (seconds * 1e9);
            plain.add(off.compile);
            dumped.add(on.compile);
            ratios.add(on.compile / off.compile);
            firsts.add(on.first / off.first);
        }
        r.put("compilations", ratios.size());
        r.put("compile_ms", round(quartile(plain, 2), 3));
        r.put("dumped_ms", round(quartile(dumped, 2), 3));
        r.put("dumped_ratio", round(quartile(ratios, 2), 3));
        r.put("dumped_quartiles", quartiles(ratios));
        r.put("first_ratio", round(quartile(firsts, 2), 3));
    }

    /** The case from the beginning, in a session that has compiled nothing. */
    private Compiled compiled(boolean dump) {
        Options options = Session.current().options();
        Path folder = dump ? folder() : null;
        Sinter.flush();
        try (Session session = Session.open(options);
                var _ = session.use()) {
            session.dumpTo(folder);
            Sinter.manualSeed(0);
            long start = System.nanoTime();
            benchCase.prepare().apply(mode).run();
            session.synchronize();
            double first = (System.nanoTime() - start) / 1e6;
            Sinter.flush();
            return new Compiled(session.counters().compileNanos() / 1e6, first);
        } finally {
            if (folder != null) delete(folder);
        }
    }

    private static Path folder() {
        try {
            return Files.createTempDirectory("sinter-overhead-");
        } catch (IOException e) {
            throw new UncheckedIOException("no folder for dumps: " + e.getMessage(), e);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path p : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(p);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + folder + ": " + e.getMessage(), e);
        }
    }

    // ---- numbers

    private static double quartile(List<Double> values, int quarter) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get(Math.min(sorted.size() - 1, sorted.size() * quarter / 4));
    }

    private static List<Double> quartiles(List<Double> values) {
        return List.of(round(quartile(values, 1), 4), round(quartile(values, 3), 4));
    }

    private static double round(double x, int digits) {
        double p = Math.pow(10, digits);
        return Math.round(x * p) / p;
    }
}
