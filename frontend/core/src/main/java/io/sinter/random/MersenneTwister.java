// SPDX-License-Identifier: Apache-2.0
package io.sinter.random;

/**
 * MT19937, the 32-bit Mersenne Twister (Matsumoto and Nishimura, 1998), seeded from one 32-bit word as in the
 * reference implementation's {@code init_genrand}. NumPy's {@code RandomState} and PyTorch's CPU generator
 * produce the same words.
 */
final class MersenneTwister {
    static final int WORDS = 624;
    private static final int MIDDLE = 397;
    private static final int MATRIX = 0x9908b0df;
    private static final int UPPER = 0x80000000;
    private static final int LOWER = 0x7fffffff;

    final int[] words = new int[WORDS];
    int next = WORDS;

    MersenneTwister(int seed) {
        words[0] = seed;
        for (int i = 1; i < WORDS; i++) words[i] = 1812433253 * (words[i - 1] ^ (words[i - 1] >>> 30)) + i;
    }

    /** A twister in the given state (copied). */
    MersenneTwister(int[] words, int next) {
        System.arraycopy(words, 0, this.words, 0, WORDS);
        this.next = next;
    }

    /** One tempered word: 32 uniform bits. */
    int next32() {
        if (next == WORDS) twist();
        int y = words[next++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >>> 18);
    }

    /** Two words; the first is the high half. */
    long next64() {
        long high = next32();
        return (high << 32) | (next32() & 0xffffffffL);
    }

    private void twist() {
        for (int i = 0; i < WORDS; i++) {
            int y = (words[i] & UPPER) | (words[(i + 1) % WORDS] & LOWER);
            words[i] = words[(i + MIDDLE) % WORDS] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : MATRIX);
        }
        next = 0;
    }
}
