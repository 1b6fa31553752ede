// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * The inner loops of max-pooling of f32 over rows of memory: greatest elements and their places (i32). An element takes
 * the place of another if it is greater, or equal and at an earlier place; NaN is greater than all, and equal to NaN.
 * Addresses are absolute; nothing here checks bounds. Rows of scratch memory are read and written by whole vectors.
 */
public abstract class PoolRows {
    /** {@code values[x] = from[x], places[x] = line + x} for {@code count} elements, and no more. */
    public abstract void start(long from, int line, long values, long places, int count);

    /** As {@link #start} where {@code from[x]} is greater than {@code values[x]}; all of its places come later. */
    public abstract void meet(long from, int line, long values, long places, int count);

    /** Elements of rows of scratch memory, with their places, take those of others. */
    public abstract void take(long candidates, long theirPlaces, long values, long places, int count);

    /** Moves {@code count} elements, and their places as i64; 0 for the place {@link Integer#MAX_VALUE}. */
    public abstract void finish(long values, long places, long toValues, long toPlaces, int count);
}
