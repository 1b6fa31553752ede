// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

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
     */
    public record Entry(String kernel, long launches, long nanos, long shortest) {}

    private final Map<String, long[]> sums = new ConcurrentHashMap<>();
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
        sums.compute(
                kernel,
                (_, old) -> old == null
                        ? new long[] {1, nanos, nanos}
                        : new long[] {old[0] + 1, old[1] + nanos, Math.min(old[2], nanos)});
    }

    /** What was counted, the longest first. */
    public List<Entry> entries() {
        return sums.entrySet().stream()
                .map(e -> new Entry(e.getKey(), e.getValue()[0], e.getValue()[1], e.getValue()[2]))
                .sorted(Comparator.comparingLong(Entry::nanos).reversed().thenComparing(Entry::kernel))
                .toList();
    }

    /** Forgets what was counted. */
    public void reset() {
        sums.clear();
    }

    /** A table: launches, milliseconds, microseconds a launch on average and at best, share, kernel. */
    @Override
    public String toString() {
        List<Entry> entries = entries();
        long total = Math.max(1, entries.stream().mapToLong(Entry::nanos).sum());
        StringBuilder text = new StringBuilder("launches        ms  us/launch    at best      %  kernel\n");
        for (Entry e : entries) {
            text.append(String.format(
                    Locale.ROOT,
                    "%8d %9.2f %10.1f %10.1f %6.1f  %s%n",
                    e.launches,
                    e.nanos * 1e-6,
                    e.nanos * 1e-3 / e.launches,
                    e.shortest * 1e-3,
                    100.0 * e.nanos / total,
                    e.kernel));
        }
        return text.toString();
    }
}
