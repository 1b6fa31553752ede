// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What is recorded while a session {@linkplain io.sinter.runtime.Session#profileInto has} a profile: executables tell it of every launch, the compiler of
 * programs, the allocator of memory, the tracer of lines. Sums per kernel are always kept; with a time line every event is, up to {@value #MOST_EVENTS}
 * of them. Safe for use by many threads.
 */
public final class Profile {
    /** About 30 MB of them. */
    public static final int MOST_EVENTS = 500_000;

    /** Of launches, what each worker did: about 16 MB. Launches after that many parts are on the time line without theirs. */
    public static final int MOST_PARTS = 500_000;

    /** Numbers that say what a worker did of a launch: worker, start by {@link System#nanoTime}, nanoseconds, tasks. */
    public static final int PART = 4;

    /** One kernel of one program, from one set of lines. */
    private record Key(int program, int site, List<Sources.Source> sources) {}

    /** The rows of a program, as long as its lines are the same as in the run before. */
    private static final class Lines {
        Object[] tokens;
        Row[] rows;
    }

    /** What a range of time was spent on; all in nanoseconds. */
    record Totals(
            long wall,
            long runs,
            long compile,
            int compiled,
            int loaded,
            int steps,
            long peak,
            int dropped,
            int partless) {}

    private final boolean timeline;
    private final Map<Integer, Lines> programs = new HashMap<>();
    private final Map<Key, Row> rows = new LinkedHashMap<>();
    private final List<Event> events = new ArrayList<>();
    private final Map<Long, Integer> threads = new HashMap<>();
    private final List<String> threadNames = new ArrayList<>();
    private long since = System.nanoTime();
    private long wall;
    private boolean on;
    private long runNanos;
    private long compileNanos;
    private int compiled;
    private int loaded;
    private int steps;
    private boolean stepsByHand;
    private long stepBegan = since;
    private long peak;
    private long live;
    private int dropped;
    private int parts;
    /** Launches whose parts were too many. */
    private int partless;
    // The line that is being traced.
    private Event line;
    private Object lineToken;

    /** @param timeline whether events are kept, for {@link ChromeTrace} */
    public Profile(boolean timeline) {
        this.timeline = timeline;
    }

    // ---- recording

    /** It is the profile of a session from now on, whose memory in use is {@code liveBytes}; or no longer. */
    public synchronized void attach(boolean attached, long liveBytes) {
        if (attached == on) return;
        long now = System.nanoTime();
        on = attached;
        if (attached) {
            since = now;
            stepBegan = now;
            live = liveBytes;
            peak = Math.max(peak, liveBytes);
            event(Event.Kind.MEMORY, now, 0, null, liveBytes);
        } else {
            wall += now - since;
        }
    }

    /** One run of a program. Used by the thread that runs it. */
    public final class Run {
        private final int program;
        private final Row[] of;
        private final long start = System.nanoTime();

        private Run(int program, Row[] of) {
            this.program = program;
            this.of = of;
        }

        /**
         * A launch has taken so long.
         *
         * @param start by {@link System#nanoTime}
         * @param parts what workers did of it, {@link #PART} numbers each; null where there are no workers
         */
        public void launched(Site site, long start, long nanos, long[] parts) {
            add(of[site.index()], start, nanos, parts);
        }

        /** Whether workers' parts are of use. */
        public boolean hasTimeline() {
            return Profile.this.hasTimeline();
        }

        /** The run has returned. */
        public void end() {
            Profile.this.end(this);
        }
    }

    /**
     * A program runs.
     *
     * @param sources where its nodes come from in this run
     */
    public synchronized Run begin(ProgramSites program, Sources sources) {
        int[] origins = program.origins();
        Object[] tokens = new Object[origins.length];
        for (int i = 0; i < origins.length; i++) tokens[i] = sources.token(origins[i]);
        Lines lines = programs.computeIfAbsent(program.number(), _ -> new Lines());
        if (!Arrays.equals(tokens, lines.tokens)) {
            lines.tokens = tokens;
            lines.rows = program.all().stream().map(s -> row(s, sources)).toArray(Row[]::new);
        }
        return new Run(program.number(), lines.rows);
    }

    private Row row(Site site, Sources sources) {
        Set<Sources.Source> of = new LinkedHashSet<>();
        for (int origin : site.origins()) {
            Sources.Source s = sources.at(origin);
            if (s != null) of.add(s);
        }
        List<Sources.Source> list = List.copyOf(of);
        Key key = new Key(site.program().number(), site.index(), list);
        return rows.computeIfAbsent(key, _ -> new Row(site, list));
    }

    private synchronized void add(Row row, long start, long nanos, long[] parts) {
        row.add(nanos);
        Event e = event(Event.Kind.LAUNCH, start, nanos, row, 0);
        if (e == null || parts == null) return;
        int more = parts.length / PART;
        if (more > MOST_PARTS - this.parts) {
            partless++;
            return;
        }
        this.parts += more;
        e.parts = parts;
    }

    private synchronized void end(Run run) {
        long nanos = System.nanoTime() - run.start;
        runNanos += nanos;
        event(Event.Kind.RUN, run.start, nanos, run.program, 0);
    }

    /**
     * A node was traced at a line of the user's.
     *
     * @param token of the line: equal tokens are one line
     * @param source what it stands for
     */
    public synchronized void traced(Object token, Supplier<Sources.Source> source) {
        if (!timeline) return;
        long now = System.nanoTime();
        int thread = thread();
        if (line != null && line.thread == thread && token.equals(lineToken)) {
            line.nanos = now - line.start;
            return;
        }
        line = event(Event.Kind.LINE, now, 0, source.get(), 0);
        lineToken = token;
    }

    /** Whether {@link #traced}, and parts of launches, are of use. */
    public boolean hasTimeline() {
        return timeline;
    }

    /** A range that the user named has ended. */
    public synchronized void range(String name, long start, long end) {
        event(Event.Kind.RANGE, start, end - start, name, 0);
    }

    /**
     * A step has ended.
     *
     * @param byHand the user says so; else an optimizer's step has, which counts while the user does not
     */
    public synchronized void step(boolean byHand) {
        if (!byHand && stepsByHand) return;
        if (byHand && !stepsByHand) {
            stepsByHand = true;
            steps = 0;
            events.removeIf(e -> e.kind == Event.Kind.STEP);
            stepBegan = since;
        }
        long now = System.nanoTime();
        event(Event.Kind.STEP, stepBegan, now - stepBegan, null, steps++);
        stepBegan = now;
    }

    /**
     * A program was made executable.
     *
     * @param fromDisk it was found compiled
     */
    public synchronized void compiled(long start, long nanos, int kernels, boolean fromDisk) {
        compileNanos += nanos;
        if (fromDisk) loaded++;
        else compiled++;
        event(Event.Kind.COMPILE, start, nanos, fromDisk ? "load" : "compile", kernels);
    }

    /** So many bytes are in use now. */
    public synchronized void memory(long liveBytes) {
        live = liveBytes;
        peak = Math.max(peak, liveBytes);
        event(Event.Kind.MEMORY, System.nanoTime(), 0, null, liveBytes);
    }

    private Event event(Event.Kind kind, long start, long nanos, Object subject, long value) {
        if (!timeline) return null;
        if (events.size() >= MOST_EVENTS) {
            dropped++;
            return null;
        }
        Event e = new Event(kind, thread(), start, nanos, subject, value);
        events.add(e);
        return e;
    }

    private int thread() {
        Thread t = Thread.currentThread();
        return threads.computeIfAbsent(t.threadId(), _ -> {
            threadNames.add(t.getName());
            return threadNames.size() - 1;
        });
    }

    // ---- reading

    /** What the launches took, the longest first. */
    public synchronized List<KernelTime> kernels() {
        List<KernelTime> times = new ArrayList<>();
        for (Row r : rows.values()) {
            KernelTime t = r.time();
            if (t != null) times.add(t);
        }
        times.sort((a, b) -> Long.compare(b.nanos(), a.nanos()));
        return times;
    }

    synchronized Totals totals() {
        long now = on ? System.nanoTime() - since : 0;
        return new Totals(wall + now, runNanos, compileNanos, compiled, loaded, steps, peak, dropped, partless);
    }

    synchronized List<Event> events() {
        return List.copyOf(events);
    }

    synchronized List<String> threadNames() {
        return List.copyOf(threadNames);
    }

    /** Forgets what was recorded, steps too. */
    public synchronized void reset() {
        rows.values().forEach(Row::reset);
        events.clear();
        line = null;
        since = System.nanoTime();
        stepBegan = since;
        wall = 0;
        runNanos = 0;
        compileNanos = 0;
        compiled = 0;
        loaded = 0;
        steps = 0;
        peak = live;
        dropped = 0;
        parts = 0;
        partless = 0;
        if (on) event(Event.Kind.MEMORY, since, 0, null, live);
    }
}
