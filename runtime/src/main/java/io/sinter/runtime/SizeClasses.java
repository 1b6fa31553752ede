// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/**
 * Block sizes: multiples of 64 bytes up to 512, then eight equal steps in every doubling, so that rounding up wastes at most an eighth. Every
 * size is a multiple of 64.
 */
final class SizeClasses {
    /** Number of classes: up to 2^48 bytes, what a 64-bit processor addresses. */
    static final int COUNT = 8 + (48 - 9) * 8;

    private SizeClasses() {}

    /** The smallest class whose blocks hold {@code bytes}. */
    static int of(long bytes) {
        if (bytes <= 512) return bytes <= 64 ? 0 : (int) ((bytes - 1) >> 6);
        int e = 63 - Long.numberOfLeadingZeros(bytes - 1); // 2^e < bytes <= 2^(e+1)
        int step = (int) ((bytes - 1 - (1L << e)) >> (e - 3));
        int index = 8 + (e - 9) * 8 + step;
        if (index >= COUNT) throw new IllegalArgumentException(bytes + " bytes are more than a processor addresses");
        return index;
    }

    /** Size of the blocks of a class, in bytes. */
    static long bytes(int index) {
        if (index < 8) return (index + 1) * 64L;
        int e = 9 + (index - 8) / 8;
        return (1L << e) + ((index - 8) % 8 + 1L << (e - 3));
    }
}
