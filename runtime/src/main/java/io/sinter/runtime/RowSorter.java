// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import java.util.Arrays;

/**
 * Stable order of the elements of one row in memory: NaN is the greatest value, -0 equals +0, equal elements stay in order (descending too), as in
 * PyTorch. Every element becomes an integer key whose signed order is the wanted one. Keys of 32 bits are sorted together with the position in the
 * low half of a long; so are keys of 64 bits that lie close together, others carry the positions along. Long rows are sorted by radix, a byte at a
 * time.
 *
 * <p>Not for use by several threads; arrays are reused from row to row.
 */
final class RowSorter {
    /** Up to this many 64-bit keys insertion beats merging. */
    private static final int SMALL = 24;
    /** Up to this many keys the JDK's sort, or merging, beats radix passes. */
    private static final int MEDIUM = 1_000;

    private final DType dtype;
    private final boolean descending;
    private final boolean wide;
    /** Positions are beside the keys, not in them. */
    private boolean apart;

    private long[] keys = {};
    private long[] spareKeys = {};
    private int[] positions = {};
    private int[] sparePositions = {};

    RowSorter(DType dtype, boolean descending) {
        this.dtype = dtype;
        this.descending = descending;
        wide = dtype == DType.F64 || dtype == DType.I64;
    }

    /** Sorts the {@code n} elements at {@code base}, {@code stride} bytes apart; then {@link #position} gives their order. */
    void sort(long base, long stride, int n) {
        reserve(n);
        apart = wide;
        for (int i = 0; i < n; i++) put(i, base + i * stride, i);
        if (wide && n > SMALL) pack(n);
        order(n);
    }

    /** Puts the positions into 64-bit keys that differ in at most 31 bits. */
    private void pack(int n) {
        long least = Long.MAX_VALUE;
        long most = Long.MIN_VALUE;
        for (int i = 0; i < n; i++) {
            least = Math.min(least, keys[i]);
            most = Math.max(most, keys[i]);
        }
        long range = most - least;
        if (range < 0 || range > Integer.MAX_VALUE) return;
        for (int i = 0; i < n; i++) keys[i] = keys[i] - least << Integer.SIZE | i;
        apart = false;
    }

    /** As {@link #sort}, but only the first {@code k} positions are wanted. */
    void select(long base, long stride, int n, int k) {
        if (k > n / 4) {
            sort(base, stride, n);
            return;
        }
        apart = wide;
        // Candidates gather behind the best k so far; when as many again have come, the worse half is dropped. From
        // then on only a key less than the worst of the best is one: an equal one comes later in the row.
        reserve(2 * k + 1);
        int size = 0;
        int i = 0;
        for (; i < n && size <= 2 * k; i++) put(size++, base + i * stride, i);
        while (i < n) {
            cut(size, k);
            size = k;
            long worst = k == 0 ? Long.MIN_VALUE : wide ? keys[k - 1] : keys[k - 1] >> 32;
            while (size <= 2 * k) {
                i = next(base, stride, i, n, worst);
                if (i == n) break;
                put(size++, base + i * stride, i);
                i++;
            }
        }
        cut(size, k);
        order(Math.min(size, k));
    }

    /** Brings the least {@code k} of the first {@code n} keys to the front, the greatest of them last. */
    private void cut(int n, int k) {
        if (n <= k || k == 0) return;
        if (apart) order(n);
        else selectKeys(n, k - 1);
    }

    /**
     * Hoare's selection (Find, 1961): the key of rank {@code rank} comes to its place, lesser ones before it and greater ones behind. Keys hold their
     * positions, so that no two are equal. A step moves keys whatever the comparison says, which nobody can predict.
     */
    private void selectKeys(int n, int rank) {
        long[] k = keys;
        int low = 0;
        int high = n - 1;
        while (low < high) {
            int middle = low + high >>> 1;
            long pivot = median(k[low], k[middle], k[high]);
            int at = k[low] == pivot ? low : k[middle] == pivot ? middle : high;
            k[at] = k[high];
            int less = low;
            for (int i = low; i < high; i++) {
                long key = k[i];
                k[i] = k[less];
                k[less] = key;
                less += key < pivot ? 1 : 0;
            }
            k[high] = k[less];
            k[less] = pivot;
            if (less == rank) return;
            if (less < rank) low = less + 1;
            else high = less - 1;
        }
    }

    private static long median(long a, long b, long c) {
        return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    }

    private void put(int at, long address, int position) {
        if (wide) {
            keys[at] = wideKey(address);
            positions[at] = position;
        } else {
            keys[at] = packed(address, position);
        }
    }

    /** The first position from {@code i} on whose key is less than {@code worst}, or {@code n}. */
    private int next(long base, long stride, int i, int n, long worst) {
        if (dtype == DType.F32) {
            int flip = descending ? -1 : 0;
            int least = Math.clamp(worst, Integer.MIN_VALUE, Integer.MAX_VALUE);
            while (i < n && (ordered(Memory.getFloat(base + i * stride)) ^ flip) >= least) i++;
        } else if (wide) {
            while (i < n && wideKey(base + i * stride) >= worst) i++;
        } else {
            while (i < n && packed(base + i * stride, 0) >> 32 >= worst) i++;
        }
        return i;
    }

    /** Sorts the first {@code n} keys. */
    private void order(int n) {
        if (!apart && n <= MEDIUM) Arrays.sort(keys, 0, n);
        else if (n <= SMALL) insertion(0, n);
        else if (n <= MEDIUM) merges(n);
        else radix(n, apart ? 0 : 4);
    }

    /** Where the element of this rank was in the row. */
    int position(int rank) {
        return apart ? positions[rank] : (int) keys[rank];
    }

    private void reserve(int n) {
        if (keys.length >= n) return;
        keys = new long[n];
        spareKeys = new long[n];
        if (!wide) return;
        positions = new int[n];
        sparePositions = new int[n];
    }

    // ---- keys

    /** The key of the element at an address: its signed order is the wanted one. */
    long key(long address) {
        return wide ? wideKey(address) : packed(address, 0) >> Integer.SIZE;
    }

    private long packed(long address, int position) {
        int key =
                switch (dtype) {
                    case F32 -> ordered(Memory.getFloat(address));
                    case F16 -> ordered(Float.float16ToFloat(Memory.getShort(address)));
                    case BF16 -> ordered(Float.intBitsToFloat(Memory.getShort(address) << 16));
                    case I32 -> Memory.getInt(address);
                    case I16 -> Memory.getShort(address);
                    case I8, BOOL -> Memory.getByte(address);
                    case U8 -> Memory.getByte(address) & 0xff;
                    case F64, I64 -> throw new IllegalStateException(dtype + " keys have 64 bits");
                };
        return (long) (descending ? ~key : key) << 32 | position;
    }

    private long wideKey(long address) {
        long bits = Memory.getLong(address);
        if (dtype == DType.F64) {
            // + 0.0 turns -0 into +0; doubleToLongBits makes all NaN one, above infinity. Negative numbers: the bits'
            // order is reversed.
            bits = Double.doubleToLongBits(Double.longBitsToDouble(bits) + 0.0);
            bits ^= bits >> 63 & Long.MAX_VALUE;
        }
        return descending ? ~bits : bits;
    }

    private static int ordered(float v) {
        int bits = Float.floatToIntBits(v + 0.0f);
        return bits ^ bits >> 31 & Integer.MAX_VALUE;
    }

    // ---- sorting

    private void insertion(int begin, int end) {
        for (int i = begin + 1; i < end; i++) {
            long key = keys[i];
            int position = positions[i];
            int j = i - 1;
            for (; j >= begin && keys[j] > key; j--) {
                keys[j + 1] = keys[j];
                positions[j + 1] = positions[j];
            }
            keys[j + 1] = key;
            positions[j + 1] = position;
        }
    }

    /** Sorts short runs, then merges pairs of runs until one is left. */
    private void merges(int n) {
        for (int i = 0; i < n; i += SMALL) insertion(i, Math.min(n, i + SMALL));
        for (int run = SMALL; run < n; run *= 2) {
            for (int i = 0; i < n; i += 2 * run) merge(i, Math.min(n, i + run), Math.min(n, i + 2 * run));
            swap();
        }
    }

    /** Merges the runs from {@code begin} and from {@code middle} on into the spare arrays; of equal keys the former's come first. */
    private void merge(int begin, int middle, int end) {
        int a = begin;
        int b = middle;
        for (int to = begin; to < end; to++) {
            int from = b == end || a < middle && keys[a] <= keys[b] ? a++ : b++;
            spareKeys[to] = keys[from];
            sparePositions[to] = positions[from];
        }
    }

    private void swap() {
        long[] k = keys;
        keys = spareKeys;
        spareKeys = k;
        int[] p = positions;
        positions = sparePositions;
        sparePositions = p;
    }

    /** Least significant byte first, from byte {@code first} on; each pass is stable. A byte that all keys share needs no pass. */
    private void radix(int n, int first) {
        int[] counts = new int[8 * 256];
        for (int i = 0; i < n; i++) {
            for (int b = first; b < 8; b++) counts[b * 256 + digit(keys[i], b)]++;
        }
        for (int b = first; b < 8; b++) {
            if (counts[b * 256 + digit(keys[0], b)] == n) continue;
            int sum = 0;
            for (int d = b * 256; d < (b + 1) * 256; d++) {
                int c = counts[d];
                counts[d] = sum;
                sum += c;
            }
            if (apart) scatterWithPositions(n, b, counts);
            else scatter(n, b, counts);
            swap();
        }
    }

    private void scatter(int n, int b, int[] starts) {
        for (int i = 0; i < n; i++) spareKeys[starts[b * 256 + digit(keys[i], b)]++] = keys[i];
    }

    private void scatterWithPositions(int n, int b, int[] starts) {
        for (int i = 0; i < n; i++) {
            int to = starts[b * 256 + digit(keys[i], b)]++;
            spareKeys[to] = keys[i];
            sparePositions[to] = positions[i];
        }
    }

    /** Byte {@code b} of the key, the sign bit flipped so that unsigned order of the bytes is signed order of the keys. */
    private static int digit(long key, int b) {
        return (int) ((key ^ Long.MIN_VALUE) >>> 8 * b) & 0xff;
    }
}
