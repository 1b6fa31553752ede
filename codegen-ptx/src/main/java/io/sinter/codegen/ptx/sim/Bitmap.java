// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.Arrays;

/** One bit for each byte of a memory. */
final class Bitmap {
    private final long[] words;

    Bitmap(long bits) {
        this(new long[Math.toIntExact((bits + 63) / 64)]);
    }

    private Bitmap(long[] words) {
        this.words = words;
    }

    Bitmap copy() {
        return new Bitmap(words.clone());
    }

    boolean isLike(Bitmap other) {
        return Arrays.equals(words, other.words);
    }

    /** Whether all of up to 64 bits, which lie in one word, are set. */
    boolean all(int at, int count) {
        long m = mask(count);
        return (words[at >> 6] >>> at & m) == m;
    }

    /** Whether one of up to 64 bits, which lie in one word, is set. */
    boolean any(int at, int count) {
        return (words[at >> 6] >>> at & mask(count)) != 0;
    }

    /** Sets or clears up to 64 bits that lie in one word. */
    void put(int at, int count, boolean value) {
        long m = mask(count) << at;
        if (value) words[at >> 6] |= m;
        else words[at >> 6] &= ~m;
    }

    boolean get(int at) {
        return (words[at >> 6] >>> at & 1) != 0;
    }

    /** Sets or clears any number of bits. */
    void fill(int at, int count, boolean value) {
        int end = at + count;
        while (at < end) {
            int n = Math.min(64 - (at & 63), end - at);
            put(at, n, value);
            at += n;
        }
    }

    private static long mask(int count) {
        return count == 64 ? -1 : (1L << count) - 1;
    }
}
