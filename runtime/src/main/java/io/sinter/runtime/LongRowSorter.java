// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/**
 * Sorts one long row on all threads: by radix, a byte of the keys at a time, the least significant first. A pass counts the digits of each thread's
 * part of the row, then moves every key to its place behind those of the parts before: a stable sort has one result, whatever the parts.
 *
 * <p>Keys count from the row's least, so that only the bytes in which they differ take a pass; keys of at most 32 such bits travel with their
 * position in one long.
 */
final class LongRowSorter {
    /** From this many elements on it pays to divide a row. */
    static final int LEAST = 1 << 15;

    private static final int DIGITS = 256;

    private final WorkerPool.Team team;
    private final int parts;
    private final int n;
    /** Where the elements were in the row is not in the keys but here. */
    private final boolean apart;

    private final int bytes;

    private long[] keys;
    private long[] spareKeys;
    private int[] positions;
    private int[] sparePositions;

    /** Work on elements {@code begin} to {@code end} of the row, as part number {@code part}. */
    @FunctionalInterface
    interface Part {
        void run(int part, int begin, int end);
    }

    /** Sorts the {@code n} elements at {@code base}, {@code stride} bytes apart; then {@link #position} gives their order. */
    LongRowSorter(WorkerPool.Team team, int threads, RowSorter sorter, long base, long stride, int n) {
        this.team = team;
        this.n = n;
        parts = threads;
        keys = new long[n];
        spareKeys = new long[n];
        long[] least = new long[parts];
        long[] most = new long[parts];
        inParts((part, begin, end) -> {
            long low = Long.MAX_VALUE;
            long high = Long.MIN_VALUE;
            for (int i = begin; i < end; i++) {
                long key = sorter.key(base + i * stride);
                keys[i] = key;
                low = Math.min(low, key);
                high = Math.max(high, key);
            }
            least[part] = low;
            most[part] = high;
        });
        long low = Long.MAX_VALUE;
        long high = Long.MIN_VALUE;
        for (int p = 0; p < parts; p++) {
            low = Math.min(low, least[p]);
            high = Math.max(high, most[p]);
        }
        int bits = Long.SIZE - Long.numberOfLeadingZeros(high - low);
        bytes = (bits + 7) / 8;
        apart = bits > Integer.SIZE;
        positions = new int[apart ? n : 0];
        sparePositions = new int[positions.length];
        long first = low;
        inParts((_, begin, end) -> {
            for (int i = begin; i < end; i++) {
                long key = keys[i] - first;
                if (apart) positions[i] = i;
                keys[i] = apart ? key : key << Integer.SIZE | i;
            }
        });
        sort();
    }

    /** Runs work on parts of the row, some neighbouring elements for each thread. */
    void inParts(Part work) {
        team.run(parts, 1, (_, from, to) -> {
            for (long p = from; p < to; p++) work.run((int) p, (int) (n * p / parts), (int) (n * (p + 1) / parts));
        });
    }

    /** Where the element of this rank was in the row. */
    int position(int rank) {
        return apart ? positions[rank] : (int) keys[rank];
    }

    private void sort() {
        int[][] places = new int[parts][DIGITS];
        for (int b = 0; b < bytes; b++) {
            int shift = 8 * b + (apart ? 0 : Integer.SIZE);
            inParts((part, begin, end) -> count(places[part], shift, begin, end));
            if (!place(places)) continue;
            inParts((part, begin, end) -> move(places[part], shift, begin, end));
            long[] k = keys;
            keys = spareKeys;
            spareKeys = k;
            int[] p = positions;
            positions = sparePositions;
            sparePositions = p;
        }
    }

    private static int digit(long key, int shift) {
        return (int) (key >>> shift) & DIGITS - 1;
    }

    private void count(int[] counts, int shift, int begin, int end) {
        java.util.Arrays.fill(counts, 0);
        long[] from = keys;
        for (int i = begin; i < end; i++) counts[digit(from[i], shift)]++;
    }

    /** From how many keys have a digit, by part, to where the first of them goes; false if all have the same. */
    private boolean place(int[][] counts) {
        int sum = 0;
        for (int d = 0; d < DIGITS; d++) {
            int before = sum;
            for (int[] c : counts) {
                int count = c[d];
                c[d] = sum;
                sum += count;
            }
            if (sum - before == n) return false;
        }
        return true;
    }

    private void move(int[] places, int shift, int begin, int end) {
        long[] from = keys;
        long[] to = spareKeys;
        if (!apart) {
            for (int i = begin; i < end; i++) {
                long key = from[i];
                to[places[digit(key, shift)]++] = key;
            }
            return;
        }
        int[] fromPositions = positions;
        int[] toPositions = sparePositions;
        for (int i = begin; i < end; i++) {
            long key = from[i];
            int place = places[digit(key, shift)]++;
            to[place] = key;
            toPositions[place] = fromPositions[i];
        }
    }
}
