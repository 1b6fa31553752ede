// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.cache;

import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;

/** What a disk cache has been asked for. Counts only rise. */
public final class CacheStats {
    final LongAdder hits = new LongAdder();
    final LongAdder misses = new LongAdder();
    final LongAdder corrupt = new LongAdder();
    final LongAdder stored = new LongAdder();
    final LongAdder nanos = new LongAdder();

    /** Entries that were found: programs and kernels. */
    public long hits() {
        return hits.sum();
    }

    /** Entries that were not found, or could not be used. */
    public long misses() {
        return misses.sum();
    }

    /** Entries that were there and could not be used; they count as misses, too. */
    public long corrupt() {
        return corrupt.sum();
    }

    /** Entries written. */
    public long stored() {
        return stored.sum();
    }

    /** Time spent on programs that were found: looking up, reading, verifying, defining, linking, in nanoseconds. */
    public long nanos() {
        return nanos.sum();
    }

    /** Adds to {@link #nanos}. */
    public void spent(long time) {
        nanos.add(time);
    }

    /** One line: {@code cache: 41 hits, 0 misses, 38 ms}. */
    @Override
    public String toString() {
        String bad = corrupt.sum() == 0 ? "" : String.format(Locale.ROOT, " (%d corrupt)", corrupt.sum());
        return String.format(
                Locale.ROOT,
                "cache: %d hits, %d misses%s, %d ms",
                hits.sum(),
                misses.sum(),
                bad,
                nanos.sum() / 1_000_000);
    }
}
