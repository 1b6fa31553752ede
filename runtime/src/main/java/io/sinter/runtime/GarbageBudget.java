// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/**
 * When a garbage collection is likely to give device memory back, of which the collector itself sees nothing: when more is live than max(256 MB, 1.5 ×
 * what the last collection left).
 *
 * <p>Only memory counts that nobody but the collector is sure to free; a running program's temporaries end with the run, and a collection would find
 * nothing of them. A collection costs a training step some 30 ms, so one that finds next to no garbage must not be asked for again at
 * the next step: what was live then is taken to be in use, until another one says otherwise. (A step's gradients are born after every collection and
 * freed by the next {@code zeroGrad()}, so they are never among what a collection has left.)
 *
 * <p>Not safe for use by several threads: its allocator guards it.
 */
final class GarbageBudget {
    static final long LEAST = 256L << 20;
    /** A collection that frees less than one part of so many of what is live has found no garbage. */
    private static final long FRUITLESS = 8;

    private long live;
    /** Of the bytes that were live when the last collection began, those that still are. Buffers born while it ran do not count. */
    private long survivors;
    /** What the last collection has shown to be in use; 0 if it found garbage. */
    private long inUse;

    /** Bytes that the collector has found, since ever. */
    private long found;

    private long clock;
    private long began;
    private long liveBefore;
    private long foundBefore;

    /** A buffer was born; returns the time, which {@link #died} wants to know. */
    long born(long bytes) {
        live += bytes;
        return clock++;
    }

    /**
     * The memory of a buffer has been freed.
     *
     * @param born what {@link #born} said
     * @param collected the collector has found the buffer; its owner released it if not
     */
    void died(long bytes, long born, boolean collected) {
        live -= bytes;
        if (born < began) survivors -= bytes;
        if (collected) found += bytes;
    }

    /** A collection begins. */
    void collectionBegins() {
        survivors = live;
        began = clock;
        liveBefore = live;
        foundBefore = found;
    }

    /** All that the collection has found was freed. */
    void collectionEnds() {
        inUse = found - foundBefore < liveBefore / FRUITLESS ? liveBefore : 0;
    }

    /** Most bytes that may be live before a collection is due. */
    long limit() {
        long kept = Math.max(survivors, inUse);
        return Math.max(LEAST, kept + kept / 2);
    }

    /** A collection is due. */
    boolean isExceeded() {
        return live > limit();
    }
}
