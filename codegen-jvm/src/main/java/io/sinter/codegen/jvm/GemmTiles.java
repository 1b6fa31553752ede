// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;
import io.sinter.ir.DType;
import java.lang.foreign.Arena;

/**
 * The inner loops of matrix products, on tiles that fit the registers, for one element type. Every kernel
 * of a process shares them, so that HotSpot compiles them once. Addresses are absolute, strides are in
 * bytes; nothing here checks bounds.
 *
 * <p>The result for one element does not depend on the tile's shape: it is a chain of fused multiply-adds
 * in the order of k.
 */
public abstract class GemmTiles {
    /** The longest row of a tile: four vectors of 512 bits. */
    private static final int ROW_BYTES = 256;

    private static final long NOTHING =
            Arena.global().allocate(ROW_BYTES, ROW_BYTES).address();

    /** Address of a row of zeros: what tiles add their products to that replace what is there, so that both kinds are one piece of code. */
    protected static long nothing() {
        return NOTHING;
    }

    /** The element type of operands and results. */
    public abstract DType dtype();

    /** Elements of one vector; tiles are a whole number of vectors wide. */
    public abstract int lanes();

    /** Bytes of the zeros that {@link #pixels3x3} and {@link #taps3x3} want. */
    final long zeroBytes() {
        return (2L * lanes() + 2) * dtype().bytes();
    }

    /** The most rows of a tile. */
    public abstract int rows();

    /** The most vectors in a row of a tile. */
    public abstract int vectors();

    /**
     * {@code c[r, x] = Σ_j a[r, j] · b[j, x]} for {@code rows} rows and {@code vectors · lanes()}
     * columns. Rows of b and c are contiguous.
     *
     * @param aRow distance of a's rows; where it is negative rows go one by one, which is slow
     * @param aK distance of a's elements along j
     * @param bK distance of b's rows
     * @param k number of products, at least 1
     */
    public final void tile(
            int rows, int vectors, long a, long aRow, long aK, long b, long bK, long c, long cRow, int k) {
        tile(false, rows, vectors, a, aRow, aK, b, bK, c, cRow, k);
    }

    /**
     * {@link #tile(int, int, long, long, long, long, long, long, long, int)}, or the same added to what is in c: the sum of products is made first.
     *
     * @param adds whether it is added
     */
    public abstract void tile(
            boolean adds, int rows, int vectors, long a, long aRow, long aK, long b, long bK, long c, long cRow, int k);

    /**
     * As {@link #tile(int, int, long, long, long, long, long, long, long, int) tile}, with element (r, j) of a at {@code r · aRow} and a's offset, and row j of b at b's
     * offset: pairs of ints in bytes, in {@code table}.
     */
    public abstract void shifted(
            int rows, int vectors, long a, long aRow, long table, long b, long c, long cRow, int k);

    /**
     * {@code c[r, x] = Σ_j a_j · b_j[r, x]} for {@code rows} rows and {@code columns} columns, of which there need not be whole vectors: the
     * pixels of one channel that sees few products. Element j of a, and row 0 of the j-th b, are at the offsets of {@code table}, as those of
     * {@link #shifted}. Reads whole vectors of b, writes nothing but the columns.
     */
    public abstract void pixels(int rows, int columns, long a, long table, long b, long bRow, long c, long cRow, int k);

    /**
     * {@link #pixels} of 3 × 3 taps, one element apart: {@code c[r, x] = Σ_j a_j · b[r · step + j / 3, x · step + j % 3]}, with element j of a at the
     * first offset of pair j of {@code table}. Rows of b may follow each other downwards in memory ({@code bRow < 0}). Only rows {@code firstRow ≤ r <
     * endRow} and columns {@code firstColumn ≤ x < endColumn} of b are there and read, elsewhere it is 0.
     *
     * @param step 1 or 2; −1 stands for {@code b[r + j / 3, x + 2 - j % 3]}
     * @param zeros address of {@link #zeroBytes} bytes that are 0
     */
    public abstract void pixels3x3(
            int step,
            int rows,
            int columns,
            long a,
            long table,
            long b,
            long bRow,
            int firstRow,
            int endRow,
            int firstColumn,
            int endColumn,
            long zeros,
            long c,
            long cRow);

    /**
     * The gradient of {@link #pixels3x3}'s weights: adds {@code a[r, x] · b[r · step + j / 3, x · step + j % 3]}, over all {@code rows} and {@code
     * columns} of a, to the lanes of vector j of nine at {@code sums}, whose {@link #laneSums} are wanted.
     *
     * @param step 1 or 2
     */
    public abstract void taps3x3(
            int step,
            int rows,
            int columns,
            long a,
            long aRow,
            long b,
            long bRow,
            int firstRow,
            int endRow,
            int firstColumn,
            int endColumn,
            long zeros,
            long sums);

    /** {@code to[r]}, {@code toRow} bytes apart, is the sum of the {@link #lanes} of vector r, for {@code count} vectors next to each other. */
    public abstract void laneSums(int count, long sums, long to, long toRow);

    /**
     * As {@link #tile(boolean, int, int, long, long, long, long, long, long, long, int) tile}, with row r of a, whose elements are contiguous, at the offset {@code table[r]}, an
     * int in bytes.
     *
     * @param adds whether the products are added to what is in c
     */
    public abstract void gathered(
            boolean adds, int rows, int vectors, long a, long table, long b, long bK, long c, long cRow, int k);

    /** {@code c[r, x] += a[r, x]} for {@code rows} rows and {@code vectors · lanes()} columns. */
    public abstract void add(long a, long aRow, long c, long cRow, int rows, int vectors);

    /**
     * {@code c[r] = Σ_j a[r, j] · x[j]}, a's rows and x contiguous; the sum's order depends on k alone.
     */
    public abstract void dots(int rows, long a, long aRow, long x, long c, long cRow, int k);

    /** As {@link #dots}, with row r of a at the offset {@code table[r]}, an int in bytes. */
    public abstract void gatheredDots(int rows, long a, long table, long x, long c, long cRow, int k);

    /**
     * {@code c[r, x] = a[r, x]} for {@code columns} columns, and zero from there up to {@code padded}
     * columns.
     */
    public abstract void copy(long a, long aRow, long c, long cRow, int rows, int columns, int padded);

    /**
     * {@code c[p][r, x] = a[r, p · width + x]} for {@code panels} panels of {@code width = vectors() ·
     * lanes()} columns each, dense and {@code panelBytes} apart. Reads a's rows in order, all panels of one
     * before the next row: memory is read as it lies.
     */
    public abstract void panels(long a, long aRow, long c, long panelBytes, int rows, int panels);

    /** {@code even[i] = a[2i]} for {@code evens} elements, {@code odd[i] = a[2i + 1]} for {@code odds}: as many, or one less. May read two vectors' length of a from an even element on. */
    public abstract void halves(long a, long even, int evens, long odd, int odds);

    /**
     * {@code c[x, r] = a[r, x]}, both with contiguous rows; each row of c is filled up with zeros to
     * {@code padded} elements.
     */
    public final void transpose(long a, long aRow, long c, long cRow, int rows, int columns, int padded) {
        int size = dtype().bytes();
        int side = lanes();
        for (int r = 0; r < rows; r += side) {
            int height = Math.min(side, rows - r);
            for (int x = 0; x < columns; x += side) {
                int width = Math.min(side, columns - x);
                long from = a + r * aRow + (long) x * size;
                long to = c + x * cRow + (long) r * size;
                if (height == side && width == side) {
                    transposeSquare(from, aRow, to, cRow);
                } else {
                    SinterKernelMoves.strided(size, from, size, aRow, to, cRow, size, width, height);
                }
            }
        }
        for (int x = 0; x < columns && padded > rows; x++) {
            SinterKernelMoves.clear(c + x * cRow + (long) rows * size, (long) (padded - rows) * size);
        }
    }

    /** {@link #transpose} of {@code lanes() × lanes()} elements. */
    protected abstract void transposeSquare(long a, long aRow, long c, long cRow);
}
