// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.profile.Profile;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Who looks at a session's work: its dumps, its profile, what is checked of its programs, and who is told of compilations. It counts, for the whole process,
 * what the frontend asks at every node: whether anybody wants to know sources, or records a profile.
 *
 * <p>Changes come one at a time: {@link Session} makes them, synchronized. Any thread may ask.
 */
final class Watching {
    /** How many open sessions of this process record a profile. */
    private static final AtomicInteger PROFILING = new AtomicInteger();

    /** How many of these keep a time line. */
    private static final AtomicInteger TIMELINES = new AtomicInteger();

    /** How many profiles have begun in this process, those that have ended too. */
    private static final AtomicLong PROFILES = new AtomicLong();

    /** How many open sessions of this process dump or check their programs, or say why they compile, and want to know sources. */
    private static final AtomicInteger TRACKING = new AtomicInteger();

    private volatile Dumps dumps;
    private volatile long dumpedInputs;
    private volatile Checks checks = Checks.NONE;
    private volatile RecompileLog recompiles;
    /** Null while nothing is recorded. */
    private volatile Profile profile;

    static boolean isProfiling() {
        return PROFILING.get() > 0;
    }

    static boolean keepsTimeline() {
        return TIMELINES.get() > 0;
    }

    static long profiles() {
        return PROFILES.get();
    }

    static boolean tracksSources() {
        return TRACKING.get() > 0;
    }

    Dumps dumps() {
        return dumps;
    }

    /** Returns where programs were dumped before, or null. */
    Dumps dumpTo(Dumps next) {
        Dumps last = dumps;
        change(() -> dumps = next);
        return last;
    }

    long dumpedInputs() {
        return dumpedInputs;
    }

    void dumpInputs(long bytes) {
        dumpedInputs = bytes;
    }

    Checks checks() {
        return checks;
    }

    void check(Checks what) {
        change(() -> checks = what);
    }

    RecompileLog recompiles() {
        return recompiles;
    }

    void logRecompiles(RecompileLog log) {
        change(() -> recompiles = log);
    }

    Profile profile() {
        return profile;
    }

    /** Records into another profile, or none if it is null; the caller has waited for the device. */
    void record(Profile to, Allocator memory) {
        Profile before = profile;
        if (to != null) PROFILES.incrementAndGet();
        PROFILING.addAndGet(to == null ? -1 : 1);
        if ((to == null ? before : to).hasTimeline()) TIMELINES.addAndGet(to == null ? -1 : 1);
        profile = to;
        memory.watch(to == null ? null : to::memory);
        if (before != null) before.attach(false, 0);
        if (to != null) to.attach(true, memory.stats().liveBytes());
    }

    /** Whether somebody looks at how programs run. */
    boolean ofRuns() {
        return checks.any() || dumps != null && dumpedInputs > 0;
    }

    private boolean tracks() {
        return dumps != null || checks.any() || recompiles != null;
    }

    /** A change of who wants to know sources. */
    private void change(Runnable how) {
        boolean before = tracks();
        how.run();
        TRACKING.addAndGet((tracks() ? 1 : 0) - (before ? 1 : 0));
    }
}
