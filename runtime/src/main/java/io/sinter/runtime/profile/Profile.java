// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
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
    /** About 20 MB of them. */
    public static final int MOST_EVENTS = 500_000;

    /** Of launches, what each worker did: about 16 MB. Launches after that many parts are on the time line without theirs. */
    public static final int MOST_PARTS = 500_000;

    /** Numbers that say what a worker did of a launch: worker, start by {@link System#nanoTime}, nanoseconds, tasks. */
    public static final int PART = 4;

    /** One kernel of one program, from one set of lines. */
    private record Key(int program, int site, List<Sources.Source> sources) {}

    /** The rows of a program for the lines that {@code tokens}, one for each of its origins, stand for. */
    private record Lines(Object[] tokens, Row[] rows) {}

    /** So many sets of lines are known of a program at once. */
    private static final int MOST_LINES = 4;

    /** So many lines are looked up later, as each holds on to a stack until then. */
    static final int MOST_UNREAD = 20_000;

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

    private final Map<Integer, List<Lines>> programs = new HashMap<>();
    private final Map<Key, Row> rows = new LinkedHashMap<>();
    /** Null if there is no time line. */
    private final EventLog log;
    /** Memory for a run's launches: the next one takes it. */
    private long[] spare = new long[Run.TOLD];

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
    // The line that is being traced; no event if it found no room.
    private EventLog.Open line;
    private Object lineToken;
    private boolean lineAgain;
    /** Lines on the time line that are looked up when it is read. */
    private int unread;

    /** @param timeline whether events are kept, for {@link ChromeTrace} */
    public Profile(boolean timeline) {
        log = timeline ? new EventLog() : null;
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

    /**
     * One run of a program. Used by the thread that runs it: launches are noted in an array, and the profile has them when that is full, or the run has
     * ended. So a launch costs its clock and a few numbers.
     */
    public final class Run {
        /** Numbers of a launch, before those of its parts: site and number of parts in one, start, nanoseconds. */
        private static final int HEAD = 3;

        /** Numbers that an array holds at first. */
        private static final int TOLD = 1 << 10;

        /** The profile gets what has been told when it is as much as this. */
        private static final int ENOUGH = 1 << 13;

        private final int program;
        private final Row[] of;
        private final long start = System.nanoTime();
        private long[] told;
        /** Where the next launch's head goes; its parts are told first. */
        private int head;

        private int used = HEAD;

        private Run(int program, Row[] of, long[] room) {
            this.program = program;
            this.of = of;
            told = room;
        }

        /** What a worker has done of the launch that is told next: see {@link #PART}. */
        public void part(int worker, long start, long nanos, long tasks) {
            int at = used;
            used = at + PART;
            if (used + HEAD > told.length) told = Arrays.copyOf(told, 2 * used + HEAD);
            told[at] = worker;
            told[at + 1] = start;
            told[at + 2] = nanos;
            told[at + 3] = tasks;
        }

        /**
         * A launch has taken so long.
         *
         * @param start by {@link System#nanoTime}
         */
        public void launched(Site site, long start, long nanos) {
            long parts = (used - head - HEAD) / PART;
            told[head] = site.index() | parts << Integer.SIZE;
            told[head + 1] = start;
            told[head + 2] = nanos;
            head = used;
            used += HEAD;
            if (used > ENOUGH) add(this);
            else if (used > told.length) told = Arrays.copyOf(told, 2 * used);
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
        List<Lines> known = programs.computeIfAbsent(program.number(), _ -> new ArrayList<>());
        int[] origins = program.origins();
        Row[] of = null;
        for (int i = 0; i < known.size() && of == null; i++) {
            if (!areOf(known.get(i).tokens, origins, sources)) continue;
            of = known.get(i).rows;
            if (i > 0) Collections.swap(known, 0, i); // the next run is likely to be of the same
        }
        if (of == null) {
            Object[] tokens = new Object[origins.length];
            for (int i = 0; i < origins.length; i++) tokens[i] = sources.token(origins[i]);
            of = program.all().stream().map(s -> row(s, sources)).toArray(Row[]::new);
            if (known.size() == MOST_LINES) known.removeLast();
            known.addFirst(new Lines(tokens, of));
        }
        long[] room = spare == null ? new long[Run.TOLD] : spare;
        spare = null;
        return new Run(program.number(), of, room);
    }

    private static boolean areOf(Object[] tokens, int[] origins, Sources sources) {
        for (int i = 0; i < origins.length; i++) {
            Object token = sources.token(origins[i]);
            if (token != tokens[i] && token != Sources.AGAIN && (token == null || !token.equals(tokens[i])))
                return false;
        }
        return true;
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

    /** Takes what a run has told. */
    private synchronized void add(Run run) {
        long[] told = run.told;
        for (int at = 0; at < run.head; ) {
            Row row = run.of[(int) told[at]];
            int parts = (int) (told[at] >>> Integer.SIZE);
            long nanos = told[at + 2];
            row.add(nanos);
            if (log != null) log.add(Event.Kind.LAUNCH, told[at + 1], nanos, row, 0, told, at + Run.HEAD, parts);
            at += Run.HEAD + parts * PART;
        }
        run.head = 0;
        run.used = Run.HEAD;
    }

    private synchronized void end(Run run) {
        long nanos = System.nanoTime() - run.start;
        add(run);
        spare = run.told;
        runNanos += nanos;
        event(Event.Kind.RUN, run.start, nanos, null, run.program);
    }

    /**
     * A node was traced at a line of the user's.
     *
     * @param token of the line: equal tokens are one line
     * @param again whether the token is not to be compared, nor the line looked up, as that takes long
     * @param source the line
     */
    public synchronized void traced(Object token, boolean again, Supplier<Sources.Source> source) {
        if (log == null) return;
        long now = System.nanoTime();
        if (line != null && line.isMine() && (token == lineToken || !again && !lineAgain && token.equals(lineToken))) {
            line.until(now);
            return;
        }
        boolean later = again && unread < MOST_UNREAD;
        if (later) unread++;
        line = log.open(Event.Kind.LINE, now, later ? source : source.get());
        lineToken = token;
        lineAgain = again;
    }

    /** Whether {@link #traced}, and parts of launches, are of use. */
    public boolean hasTimeline() {
        return log != null;
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
            if (log != null) log.remove(Event.Kind.STEP);
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
        if (log != null) log.add(Event.Kind.MEMORY, System.nanoTime(), 0, null, liveBytes);
    }

    private void event(Event.Kind kind, long start, long nanos, Object subject, long value) {
        if (log != null) log.add(kind, start, nanos, subject, value);
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
        return new Totals(
                wall + now,
                runNanos,
                compileNanos,
                compiled,
                loaded,
                steps,
                peak,
                log == null ? 0 : log.dropped(),
                log == null ? 0 : log.partless());
    }

    synchronized List<Event> events() {
        return log == null ? List.of() : log.events();
    }

    synchronized List<String> threadNames() {
        return log == null ? List.of() : log.threadNames();
    }

    /** Forgets what was recorded, steps too. */
    public synchronized void reset() {
        rows.values().forEach(Row::reset);
        if (log != null) log.clear();
        line = null;
        unread = 0;
        since = System.nanoTime();
        stepBegan = since;
        wall = 0;
        runNanos = 0;
        compileNanos = 0;
        compiled = 0;
        loaded = 0;
        steps = 0;
        peak = live;
        if (on) event(Event.Kind.MEMORY, since, 0, null, live);
    }
}
