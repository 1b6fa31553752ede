// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.Sinter;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.cli.bench.BenchCase.Repetition;
import io.sinter.profiler.Profiler;
import io.sinter.runtime.Session;
import io.sinter.runtime.profile.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Times one case in this process: the first call by itself (inputs, networks, tracing, passes, code generation, C2, the run), a few more to warm
 * up, then as many as fit into the time.
 */
final class Measurement {
    private static final int LEAST = 7;
    private static final int MOST = 2000;

    /**
     * Warming up takes at least this long, in seconds, or twice as long as is measured: HotSpot compiles the host's part of a repetition (tracing, looking
     * the program up) when it has run some hundred times, on the processors that kernels run on.
     */
    private static final double LEAST_WARM_UP = 1;

    /** It ends when so many repetitions were no longer much faster than the best. */
    private static final int STEADY = 8;

    private Measurement() {}

    /**
     * The fields of {@code torch_peer.py}'s line. Outputs are checked at the end, when times and memory have been taken.
     *
     * @param watching a profile is one of the timed repetitions, each a step; a dump is of all programs but those of the check
     * @throws WrongOutput if the case computes something else than its plain evaluation
     */
    static Map<String, Object> of(BenchCase c, Mode mode, double seconds, Watching watching) {
        Repetition run;
        Map<String, Object> r;
        Profile profile = Session.current().profile();
        watching.beginDump();
        try {
            Sinter.manualSeed(0);
            long start = System.nanoTime();
            run = c.prepare().apply(mode);
            run(run);
            double first = millis(System.nanoTime() - start);
            warmUp(run, seconds);
            if (profile != null) profile.reset();
            r = timed(c, run, first, seconds, watching);
        } finally {
            watching.endDump();
        }
        // Now, as the checks' launches are not what was timed.
        if (profile != null) System.err.print(Session.current().report(profile, false));
        run.check();
        if (profile != null) profile.reset();
        return r;
    }

    private static Map<String, Object> timed(
            BenchCase c, Repetition run, double first, double seconds, Watching watching) {
        List<Double> times = new ArrayList<>();
        long residentMegabytes;
        long tensorMegabytes;
        long ahead = Session.current().counters().stepsAhead();
        try (Profiler profiler = watching.beginProfile()) {
            long end = System.nanoTime() + (long) (seconds * 1e9);
            while (times.size() < LEAST || (System.nanoTime() < end && times.size() < MOST)) {
                long t = System.nanoTime();
                run(run);
                times.add(millis(System.nanoTime() - t));
                if (profiler != null) profiler.step();
            }
            // Before a profile's peaks are measured.
            residentMegabytes = peakMegabytes();
            tensorMegabytes = Session.current().allocator().stats().heldBytes() >> 20;
        }
        Collections.sort(times);
        int half = times.size() / 2;
        double median = times.size() % 2 == 1 ? times.get(half) : (times.get(half - 1) + times.get(half)) / 2;
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("case", c.name());
        r.put("median_ms", round(median, 5));
        r.put("min_ms", round(times.getFirst(), 5));
        r.put("first_ms", round(first, 2));
        r.put("reps", times.size());
        r.put("peak_rss_mb", residentMegabytes);
        r.put("tensor_mb", tensorMegabytes);
        ahead = Session.current().counters().stepsAhead() - ahead;
        if (ahead > 0) r.put("steps_ahead", ahead);
        if (c.flops() > 0) r.put("gflops", round(c.flops() / median / 1e6, 2));
        if (c.bytes() > 0) r.put("gbps", round(c.bytes() / median / 1e6, 2));
        if (watching.profile() != null) r.put("profile", watching.profile().toString());
        if (watching.dump() != null) r.put("dump", watching.dump().toString());
        return r;
    }

    /** HotSpot compiles in the background: repetitions get faster for a while. */
    private static void warmUp(Repetition run, double seconds) {
        long start = System.nanoTime();
        long least = start + (long) (Math.min(LEAST_WARM_UP, 2 * seconds) * 1e9);
        long end = start + (long) (Math.max(2, seconds) * 1e9);
        double best = Double.POSITIVE_INFINITY;
        int since = 0;
        long now = start;
        for (int i = 0; i < 3 || now < least || since < STEADY && now < end; i++) {
            run(run);
            double ms = millis(System.nanoTime() - now);
            since = ms < 0.97 * best ? 0 : since + 1;
            best = Math.min(best, ms);
            now = System.nanoTime();
        }
    }

    /** A repetition has ended when the device has computed all of its outputs. */
    private static void run(Repetition repetition) {
        repetition.run();
        Session.current().synchronize();
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }

    static double round(double x, int digits) {
        double p = Math.pow(10, digits);
        return Math.round(x * p) / p;
    }

    /** The process's greatest resident memory so far; 0 where the system does not tell. */
    private static long peakMegabytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
            }
            return 0;
        } catch (IOException _) {
            return 0;
        }
    }
}
