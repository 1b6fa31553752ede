// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Transposes squares of as many elements as a vector has lanes in registers, whatever the elements are. All kernels of a process share one object for each
 * size of elements and width of vectors, so that HotSpot compiles it once.
 */
public abstract class Squares {
    private static final int WIDTHS = 3;
    private static final AtomicReferenceArray<Squares> MADE = new AtomicReferenceArray<>(4 * WIDTHS);

    /** Elements of a side. */
    public abstract int side();

    /** {@code c[x, r] = a[r, x]} for all r and x below {@link #side}; rows are contiguous, their distances in bytes. */
    public abstract void whole(long a, long aRow, long c, long cRow);

    /** As {@link #whole}, for r below {@code rows} and x below {@code columns}, both from 1 to {@link #side}. Touches no other element. */
    public abstract void part(long a, long aRow, long c, long cRow, int rows, int columns);

    /** Vectors of integers of {@code size} bytes: as many lanes as those of 4 bytes have, or half as many of 8 bytes. */
    static Species species(int size, int bits) {
        return new Species(Species.integer(size), bits / (size == 8 ? 64 : 32));
    }

    /** Whether there are squares of elements of {@code size} bytes; {@code bits} is 0 without the Vector API. */
    static boolean exist(int size, int bits) {
        return bits != 0 && species(size, bits).exists();
    }

    /**
     * @param size bytes of an element: 1, 2, 4 or 8
     * @param bits width of vectors of 4 bytes: 128, 256 or 512
     */
    public static Squares of(int size, int bits) {
        int place = Integer.numberOfTrailingZeros(size) * WIDTHS + Integer.numberOfTrailingZeros(bits / 128);
        Squares s = MADE.get(place);
        if (s != null) return s;
        synchronized (MADE) {
            if (MADE.get(place) == null) {
                Species species = species(size, bits);
                String name = "Squares_" + size + "_" + bits;
                MADE.set(place, SharedClass.make(name, Squares.class, n -> VectorSquares.generate(n, species)));
            }
            return MADE.get(place);
        }
    }
}
