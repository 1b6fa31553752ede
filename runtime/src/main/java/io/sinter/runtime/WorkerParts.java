// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.profile.Profile;
import java.util.Arrays;

/** Collects what workers do of one launch, in the form that profiles take: {@value Profile#PART} numbers for each part. Used by the thread that holds the pool. */
final class WorkerParts implements WorkerPool.Parts {
    private long[] parts = new long[16 * Profile.PART];
    private int used;

    @Override
    public void worked(int worker, long start, long nanos, long tasks) {
        if (used == parts.length) parts = Arrays.copyOf(parts, 2 * used);
        parts[used] = worker;
        parts[used + 1] = start;
        parts[used + 2] = nanos;
        parts[used + 3] = tasks;
        used += Profile.PART;
    }

    /** All since the last time. */
    long[] take() {
        long[] taken = Arrays.copyOf(parts, used);
        used = 0;
        return taken;
    }
}
