// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The events of a time line, up to {@value Profile#MOST_EVENTS} of them, as numbers one behind the other: a step is not to wait for objects and maps of
 * them. They become {@link Event}s when they are read. Guarded by its profile.
 */
final class EventLog {
    /** Numbers of an event, besides its parts: kind, thread and number of parts in one; start, nanoseconds, value. */
    private static final int WORDS = 4;

    private static final int NANOS = 2;

    private static final Event.Kind[] KINDS = Event.Kind.values();
    private static final int KIND_BITS = 4;
    private static final int THREAD_BITS = 28;
    /** In the place of a kind: an event that was taken back. */
    private static final int REMOVED = (1 << KIND_BITS) - 1;

    private static final long[] NO_PARTS = {};

    /** Some thousand events. None lies in two. */
    private static final class Chunk {
        private static final int SIZE = 1 << 13;

        final long[] words;
        final Object[] subjects = new Object[SIZE / WORDS];
        int used;
        int events;

        Chunk(int words) {
            this.words = new long[Math.max(SIZE, words)];
        }

        boolean has(int room) {
            return used + room <= words.length && events < subjects.length;
        }
    }

    private final List<Chunk> chunks = new ArrayList<>();
    /** The last chunk. */
    private Chunk chunk;

    private int events;
    private int dropped;
    private int parts;
    private int partless;

    private final Map<Long, Integer> threads = new HashMap<>();
    private final List<String> threadNames = new ArrayList<>();
    /** Who told the last event: mostly the one who tells the next. */
    private Thread lastThread;

    private int lastNumber;

    EventLog() {
        clear();
    }

    /** Forgets all events. */
    void clear() {
        chunks.clear();
        chunk = new Chunk(0);
        chunks.add(chunk);
        events = 0;
        dropped = 0;
        parts = 0;
        partless = 0;
    }

    /**
     * Adds an event of the calling thread.
     *
     * @param subject or a {@link Supplier} of it, to be asked when it is read
     */
    void add(Event.Kind kind, long start, long nanos, Object subject, long value) {
        add(kind, start, nanos, subject, value, NO_PARTS, 0, 0);
    }

    /**
     * Adds an event of the calling thread.
     *
     * @param from where its parts are
     * @param count how many there are
     */
    void add(Event.Kind kind, long start, long nanos, Object subject, long value, long[] from, int first, int count) {
        if (events == Profile.MOST_EVENTS) {
            dropped++;
            return;
        }
        int kept = count;
        if (count > Profile.MOST_PARTS - parts) {
            partless++;
            kept = 0;
        }
        parts += kept;
        int room = WORDS + kept * Profile.PART;
        if (!chunk.has(room)) {
            chunk = new Chunk(room);
            chunks.add(chunk);
        }
        long[] w = chunk.words;
        int at = chunk.used;
        w[at] = kind.ordinal() | (long) thread() << KIND_BITS | (long) kept << KIND_BITS + THREAD_BITS;
        w[at + 1] = start;
        w[at + NANOS] = nanos;
        w[at + 3] = value;
        System.arraycopy(from, first, w, at + WORDS, kept * Profile.PART);
        chunk.subjects[chunk.events++] = subject;
        chunk.used = at + room;
        events++;
    }

    /** An event in the log that goes on, of the thread that told it. */
    final class Open {
        private final long[] in = chunk.words;
        private final int at = chunk.used - WORDS;
        private final Thread thread = Thread.currentThread();

        /** Whether the calling thread has told it. */
        boolean isMine() {
            return thread == Thread.currentThread();
        }

        /** It has gone on until {@code end}. */
        void until(long end) {
            in[at + NANOS] = end - in[at + 1];
        }
    }

    /** Adds an event that goes on; null if there is no room. */
    Open open(Event.Kind kind, long start, Object subject) {
        int before = events;
        add(kind, start, 0, subject, 0);
        return events == before ? null : new Open();
    }

    /** Takes back all events of one kind. Their room stays taken. */
    void remove(Event.Kind kind) {
        for (Chunk c : chunks) {
            for (int at = 0; at < c.used; at += WORDS + parts(c.words[at]) * Profile.PART)
                if (kind(c.words[at]) == kind.ordinal()) c.words[at] |= REMOVED;
        }
    }

    private int thread() {
        Thread t = Thread.currentThread();
        if (t == lastThread) return lastNumber;
        lastThread = t;
        return lastNumber = threads.computeIfAbsent(t.threadId(), _ -> {
            threadNames.add(t.getName());
            return threadNames.size() - 1;
        });
    }

    // ---- reading

    private static int kind(long head) {
        return (int) head & REMOVED;
    }

    private static int parts(long head) {
        return (int) (head >>> KIND_BITS + THREAD_BITS);
    }

    /** All of them, in the order in which they were told. */
    List<Event> events() {
        List<Event> all = new ArrayList<>(events);
        for (Chunk c : chunks) {
            int subject = 0;
            int at = 0;
            while (at < c.used) {
                long head = c.words[at];
                int end = at + WORDS + parts(head) * Profile.PART;
                if (kind(head) != REMOVED) all.add(event(c, at, end, c.subjects[subject]));
                subject++;
                at = end;
            }
        }
        return all;
    }

    private static Event event(Chunk c, int at, int end, Object subject) {
        long[] w = c.words;
        int thread = (int) (w[at] >>> KIND_BITS) & (1 << THREAD_BITS) - 1;
        long[] parts = end == at + WORDS ? NO_PARTS : Arrays.copyOfRange(w, at + WORDS, end);
        Object known = subject instanceof Supplier<?> later ? later.get() : subject;
        return new Event(KINDS[kind(w[at])], thread, w[at + 1], w[at + NANOS], known, w[at + 3], parts);
    }

    /** Names of threads, by number. */
    List<String> threadNames() {
        return List.copyOf(threadNames);
    }

    /** Events that found no room. */
    int dropped() {
        return dropped;
    }

    /** Launches whose parts found none. */
    int partless() {
        return partless;
    }
}
