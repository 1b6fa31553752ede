// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Time by kernel, while it is switched on. Wall-clock time of the launches: all threads of a launch count once. */
public final class Profile {
    /**
     * @param kernel name of the kernel
     * @param launches how often it ran
     * @param nanos how long in all, in nanoseconds
     * @param shortest the shortest launch, in nanoseconds: what it takes when nothing is in the way
     * @param lately median of the last {@value #WINDOW} launches, in nanoseconds: what it takes once HotSpot is done
     */
    public record Entry(String kernel, long launches, long nanos, long shortest, long lately) {}

    private static final int WINDOW = 512;

    private static final class Sum {
        final long[] last = new long[WINDOW];
        long launches;
        long nanos;
        long shortest = Long.MAX_VALUE;

        synchronized void add(long n) {
            last[(int) (launches++ % WINDOW)] = n;
            nanos += n;
            shortest = Math.min(shortest, n);
        }

        synchronized Entry entry(String kernel) {
            long[] window = Arrays.copyOf(last, (int) Math.min(launches, WINDOW));
            Arrays.sort(window);
            return new Entry(kernel, launches, nanos, shortest, window[window.length / 2]);
        }
    }

    private final Map<String, Sum> sums = new ConcurrentHashMap<>();
    private volatile boolean on;

    Profile() {}

    /** Starts or stops counting; what was counted stays. */
    public void enable(boolean value) {
        on = value;
    }

    boolean isOn() {
        return on;
    }

    void add(String kernel, long nanos) {
        sums.computeIfAbsent(kernel, _ -> new Sum()).add(nanos);
    }

    /** What was counted, the longest first. */
    public List<Entry> entries() {
        return sums.entrySet().stream()
                .map(e -> e.getValue().entry(e.getKey()))
                .sorted(Comparator.comparingLong(Entry::nanos).reversed().thenComparing(Entry::kernel))
                .toList();
    }

    /** Forgets what was counted. */
    public void reset() {
        sums.clear();
    }

    /** A table: launches, milliseconds, microseconds a launch on average, lately (see {@link Entry#lately}) and at best, share, kernel. */
    @Override
    public String toString() {
        List<Entry> entries = entries();
        long total = Math.max(1, entries.stream().mapToLong(Entry::nanos).sum());
        StringBuilder text = new StringBuilder("launches        ms  us/launch     lately    at best      %  kernel\n");
        for (Entry e : entries) {
            text.append(String.format(
                    Locale.ROOT,
                    "%8d %9.2f %10.1f %10.1f %10.1f %6.1f  %s%n",
                    e.launches,
                    e.nanos * 1e-6,
                    e.nanos * 1e-3 / e.launches,
                    e.lately * 1e-3,
                    e.shortest * 1e-3,
                    100.0 * e.nanos / total,
                    e.kernel));
        }
        return text.toString();
    }
}
