// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import static io.sinter.cli.bench.Measurement.round;

import io.sinter.Sinter;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.cli.bench.BenchCase.Repetition;
import io.sinter.runtime.Options;
import io.sinter.runtime.Reason;
import io.sinter.runtime.Session;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.profile.Profile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What it costs to look: repetitions of one case in one process, with a profile and without in turn; and compilations of it, dumped and not dumped in turn,
 * each in a session of its own. Neighbours in time are compared, so that what else the machine does falls on both; ratios are medians over the rounds.
 */
final class Overhead {
    /** A block of repetitions takes about this long: short, so that there are many of them, and neighbours in the same circumstances. */
    private static final double BLOCK_MILLIS = 2;

    /** Rounds at least, so that medians say something. */
    private static final int LEAST = 15;

    /** Compilations that are thrown away: HotSpot compiles the compiler. */
    private static final int COLD = 4;

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
     * event ({@code .json}); {@code …_ratio} and {@code …_quartiles}: a block by the blocks without before and after it; {@code …_begin_ratio}: likewise the
     * repetition in which a profile begins, which is in no block; {@code noise}: of a block without. {@code compile_ms}, {@code dumped_ms}: compiling
     * everything that the first repetition runs, until it can run; {@code first_ratio}: the whole first repetition; {@code written_ratio}: with a dump until
     * that is in its folder.
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
        Sinter.manualSeed(0);
        Repetition run = benchCase.prepare().apply(mode);
        double once = warm(run);
        int block = (int) Math.max(1, Math.round(BLOCK_MILLIS / once));
        Profile[] looks = {new Profile(false), new Profile(true)};
        List<Double> off = new ArrayList<>();
        List<List<Block>> on = List.of(new ArrayList<>(), new ArrayList<>());
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (off.size() < 2 * LEAST || System.nanoTime() < end) {
            for (int i = 0; i < looks.length; i++) {
                off.add(block(run, block, null).mean);
                on.get(i).add(block(run, block, looks[i]));
            }
        }
        off.add(block(run, block, null).mean);
        // Whatever drifts, drifts through the middle. Of a block without between two without this is the noise.
        List<Double> noise = new ArrayList<>();
        for (int i = 1; i + 1 < off.size(); i++) noise.add(2 * off.get(i) / (off.get(i - 1) + off.get(i + 1)));
        r.put("blocks", on.getFirst().size());
        r.put("block", block);
        r.put("off_ms", round(quartile(off, 2), 5));
        r.put("noise", round(quartile(noise, 2), 4));
        r.put("noise_quartiles", quartiles(noise));
        for (int i = 0; i < looks.length; i++) {
            String name = looks[i].hasTimeline() ? "timeline" : "tables";
            List<Double> ratios = new ArrayList<>();
            List<Double> firsts = new ArrayList<>();
            for (int k = 0; k < on.get(i).size(); k++) {
                int before = looks.length * k + i;
                double without = (off.get(before) + off.get(before + 1)) / 2;
                ratios.add(on.get(i).get(k).mean / without);
                firsts.add(on.get(i).get(k).first / without);
            }
            r.put(
                    name + "_ms",
                    round(quartile(on.get(i).stream().map(Block::mean).toList(), 2), 5));
            r.put(name + "_ratio", round(quartile(ratios, 2), 4));
            r.put(name + "_quartiles", quartiles(ratios));
            r.put(name + "_begin_ratio", round(quartile(firsts, 2), 4));
        }
    }

    /** Milliseconds of a repetition, once they have become steady. */
    private double warm(Repetition run) {
        List<Double> times = new ArrayList<>();
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (times.size() < 2 * LEAST || System.nanoTime() < end) times.add(millis(run, 1));
        return quartile(times.subList(times.size() / 2, times.size()), 2);
    }

    /** A repetition in which a profile begins or is no longer there, and the mean of those after it, in milliseconds. */
    private record Block(double first, double mean) {}

    /** One repetition, then {@code n} of them. */
    private static Block block(Repetition run, int n, Profile profile) {
        Session session = Session.current();
        if (profile != null) {
            profile.reset();
            session.profileInto(profile);
        }
        try {
            double first = millis(run, 1);
            return new Block(first, millis(run, n));
        } finally {
            if (profile != null) session.profileInto(null);
        }
    }

    /** The mean of {@code n} repetitions. */
    private static double millis(Repetition run, int n) {
        Session session = Session.current();
        long start = System.nanoTime();
        for (int i = 0; i < n; i++) {
            run.run();
            session.synchronize();
        }
        return (System.nanoTime() - start) / 1e6 / n;
    }

    // ---- dumps

    /** In milliseconds; {@code written} is when the dump was there, counted from the same start as {@code first}. */
    private record Compiled(double compile, double first, double written) {}

    private void dumps(Map<String, Object> r) {
        List<Double> plain = new ArrayList<>();
        List<Double> dumped = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        List<Double> firsts = new ArrayList<>();
        List<Double> written = new ArrayList<>();
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
            written.add(on.written / off.written);
        }
        r.put("compilations", ratios.size());
        r.put("compile_ms", round(quartile(plain, 2), 3));
        r.put("dumped_ms", round(quartile(dumped, 2), 3));
        r.put("dumped_ratio", round(quartile(ratios, 2), 3));
        r.put("dumped_quartiles", quartiles(ratios));
        r.put("first_ratio", round(quartile(firsts, 2), 3));
        r.put("written_ratio", round(quartile(written, 2), 3));
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
            session.awaitDumps();
            double written = (System.nanoTime() - start) / 1e6;
            Sinter.flush();
            return new Compiled(session.counters().compileNanos() / 1e6, first, written);
        } finally {
            if (folder != null) delete(folder);
        }
    }

    private static Path folder() {
        try {
            return Files.createTempDirectory("sinter-overhead-");
        } catch (IOException e) {
            throw new UncheckedIOException("no folder for dumps: " + Reason.of(e), e);
        }
    }

    private static void delete(Path folder) {
        try {
            Dumps.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + folder + ": " + Reason.of(e), e);
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
}
