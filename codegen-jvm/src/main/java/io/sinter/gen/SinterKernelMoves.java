// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import static io.sinter.gen.SinterKernelHost.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.sinter.codegen.jvm.Squares;
import io.sinter.ir.DType;
import java.lang.foreign.MemorySegment;

/**
 * Moves of blocks of 4- or 8-byte elements by address, in plain Java. By its name HotSpot compiles it as it does
 * generated code, at once and by C2: in C1's code every access to memory is a call that allocates.
 */
public final class SinterKernelMoves {
    /**
     * Elements of a side of the blocks that {@link #strided} moves: their lines stay in the first-level
     * cache.
     */
    private static final int BLOCK = 16;

    private SinterKernelMoves() {}

    public static void copy(long from, long to, long bytes) {
        MemorySegment.copy(MEMORY, from, MEMORY, to, bytes);
    }

    public static void clear(long at, long bytes) {
        if (bytes > 0) MEMORY.asSlice(at, bytes).fill((byte) 0);
    }

    public static void putInt(long at, int value) {
        MEMORY.set(JAVA_INT_UNALIGNED, at, value);
    }

    public static void putFloat(long at, float value) {
        MEMORY.set(JAVA_FLOAT_UNALIGNED, at, value);
    }

    /** Sets a few elements to 0. */
    public static void zeros(int size, long at, int count) {
        for (int i = 0; i < count; i++) {
            if (size == 4) MEMORY.set(JAVA_INT_UNALIGNED, at + i * 4L, 0);
            else MEMORY.set(JAVA_LONG_UNALIGNED, at + i * 8L, 0);
        }
    }

    /** Sets {@code count} elements of a type that is computed in. */
    public static void fill(DType type, long at, int count, double value) {
        for (int i = 0; i < count; i++) {
            switch (type) {
                case F32 -> MEMORY.set(JAVA_FLOAT_UNALIGNED, at + i * 4L, (float) value);
                case F64 -> MEMORY.set(JAVA_DOUBLE_UNALIGNED, at + i * 8L, value);
                case F16, BF16, I64, I32, I16, I8, U8, BOOL ->
                    throw new IllegalArgumentException(type + " is no float type to compute in");
            }
        }
    }

    /**
     * {@code c[r, x] = a[r, x]} for any strides in bytes: transposes, when a's inner stride is large and
     * c's is the element size.
     *
     * @param size bytes of an element, 4 or 8
     */
    public static void strided(
            int size, long a, long aRow, long aColumn, long c, long cRow, long cColumn, int rows, int columns) {
        for (int r = 0; r < rows; r += BLOCK) {
            for (int x = 0; x < columns; x += BLOCK) {
                long from = a + r * aRow + x * aColumn;
                long to = c + r * cRow + x * cColumn;
                int height = Math.min(BLOCK, rows - r);
                int width = Math.min(BLOCK, columns - x);
                if (size == 4) {
                    ints(from, aRow, aColumn, to, cRow, cColumn, height, width);
                } else {
                    longs(from, aRow, aColumn, to, cRow, cColumn, height, width);
                }
            }
        }
    }

    /**
     * {@code c[x, r] = a[r, x]}, both with contiguous rows, whose distances are in bytes.
     *
     * @param size bytes of an element: 1, 2, 4 or 8
     * @param bits width of vectors of 4 bytes: 128, 256 or 512
     */
    public static void transpose(int size, int bits, long a, long aRow, long c, long cRow, int rows, int columns) {
        Squares squares = Squares.of(size, bits);
        int side = squares.side();
        for (int r = 0; r < rows; r += side) {
            int height = Math.min(side, rows - r);
            for (int x = 0; x < columns; x += side) {
                int width = Math.min(side, columns - x);
                long from = a + r * aRow + (long) x * size;
                long to = c + x * cRow + (long) r * size;
                if (height == side && width == side) squares.whole(from, aRow, to, cRow);
                else squares.part(from, aRow, to, cRow, height, width);
            }
        }
    }

    /** {@code c[i] = a[i · step]} for {@code count} elements. */
    public static void spread(int size, long a, int step, long c, int count) {
        if (size == 4) ints(a, 0, step * 4L, c, 0, 4, 1, count);
        else longs(a, 0, step * 8L, c, 0, 8, 1, count);
    }

    private static void ints(long a, long aRow, long aColumn, long c, long cRow, long cColumn, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            for (int x = 0; x < columns; x++) {
                MEMORY.set(JAVA_INT_UNALIGNED, c + x * cColumn, MEMORY.get(JAVA_INT_UNALIGNED, a + x * aColumn));
            }
            a += aRow;
            c += cRow;
        }
    }

    private static void longs(long a, long aRow, long aColumn, long c, long cRow, long cColumn, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            for (int x = 0; x < columns; x++) {
                MEMORY.set(JAVA_LONG_UNALIGNED, c + x * cColumn, MEMORY.get(JAVA_LONG_UNALIGNED, a + x * aColumn));
            }
            a += aRow;
            c += cRow;
        }
    }
}
