// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import java.util.Arrays;

/**
 * What one launch's numbers say about a matrix: an operand (rows × k), or the result (rows × columns).
 * Both directions are flat here, however many loop variables there are.
 *
 * <p>A matrix is <em>plain</em> if it is nothing but memory of the accumulation type with a stride for
 * each variable; then no generated code is needed to read it. It is <em>linear</em> if moreover each flat
 * direction has one stride. A plain one that is not consists of <em>pieces</em> that are: a layer's input
 * that comes from several heads of attention, say.
 */
final class GemmView {
    /** Flags in the numbers that generated code gives: see {@link GemmCode#numbers}. */
    static final long PLAIN = 1;

    static final long UNIT_ROW = 2;
    static final long UNIT_COLUMN = 4;

    /** A flat direction of a plain matrix: as few variables as step through the same memory, outermost first. */
    record Direction(long[] extents, long[] strides) {
        static Direction of(long[] extents, long[] numbers, int at) {
            long[] e = new long[extents.length + 1];
            long[] s = new long[extents.length + 1];
            int first = e.length;
            for (int v = extents.length - 1; v >= 0; v--) {
                if (extents[v] == 1) continue;
                long stride = numbers[at + v];
                if (first < e.length && stride == s[first] * e[first]) {
                    e[first] *= extents[v];
                } else {
                    first--;
                    e[first] = extents[v];
                    s[first] = stride;
                }
            }
            if (first == e.length) e[--first] = 1;
            return new Direction(Arrays.copyOfRange(e, first, e.length), Arrays.copyOfRange(s, first, s.length));
        }

        boolean isOne() {
            return extents.length == 1;
        }

        /** Stride of the innermost variable. */
        long stride() {
            return strides[strides.length - 1];
        }

        long run() {
            return extents[extents.length - 1];
        }

        long offset(long flat) {
            long offset = 0;
            for (int v = extents.length - 1; v > 0; v--) {
                offset += flat % extents[v] * strides[v];
                flat /= extents[v];
            }
            return offset + flat * strides[0];
        }
    }

    private final long address;
    private final long flags;
    private final Direction batch;
    private final Direction row;
    private final Direction column;
    private final long innerRow;
    private final long innerColumn;

    /**
     * Reads flags, address and strides at {@code at}; strides are of the batch, row and column variables,
     * in bytes.
     */
    GemmView(long[] numbers, int at, long[] batchExtents, long[] rows, long[] columns) {
        int firstRow = at + 2 + batchExtents.length;
        this.flags = numbers[at];
        this.address = numbers[at + 1];
        this.batch = Direction.of(batchExtents, numbers, at + 2);
        this.row = Direction.of(rows, numbers, firstRow);
        this.column = Direction.of(columns, numbers, firstRow + rows.length);
        this.innerRow = inner(rows);
        this.innerColumn = inner(columns);
    }

    private GemmView(GemmView v, long address) {
        this.address = address;
        flags = v.flags;
        batch = v.batch;
        row = v.row;
        column = v.column;
        innerRow = v.innerRow;
        innerColumn = v.innerColumn;
    }

    /** The same matrix elsewhere. */
    GemmView at(long other) {
        return other == address ? this : new GemmView(this, other);
    }

    /** How many numbers describe a view. */
    static int length(int batch, int rows, int columns) {
        return 2 + batch + rows + columns;
    }

    private static long inner(long[] extents) {
        return extents.length == 0 ? 1 : Math.max(1, extents[extents.length - 1]);
    }

    boolean isPlain() {
        return (flags & PLAIN) != 0;
    }

    boolean isLinear() {
        return isPlain() && row.isOne() && column.isOne();
    }

    /** Whether panels of {@code panel} rows lie in memory as they are read: contiguous rows, one distance from k to k, in pieces of whole panels. */
    boolean isPanels(long size, int panel) {
        return isPlain() && column.isOne() && isUnitRow(size) && (row.isOne() || row.run() % panel == 0);
    }

    /**
     * Consecutive rows lie next to each other in memory, as far as a piece goes, or the innermost row
     * variable.
     */
    boolean isUnitRow(long size) {
        return isPlain() ? row.stride() == size : (flags & UNIT_ROW) != 0;
    }

    /**
     * Consecutive columns (k of an operand) lie next to each other in memory, as far as a piece goes, or
     * the innermost variable.
     */
    boolean isUnitColumn(long size) {
        return isPlain() ? column.stride() == size : (flags & UNIT_COLUMN) != 0;
    }

    /** Distance of rows in bytes, of a linear matrix or within a piece. */
    long rowStride() {
        return row.stride();
    }

    /** Distance of columns in bytes, of a linear matrix or within a piece. */
    long columnStride() {
        return column.stride();
    }

    /** Rows of a piece of a plain matrix; pieces begin at multiples of it. */
    long rowRun() {
        return row.isOne() ? Long.MAX_VALUE : row.run();
    }

    /** Columns of a piece of a plain matrix. */
    long columnRun() {
        return column.isOne() ? Long.MAX_VALUE : column.run();
    }

    /** Extent of the innermost row variable: generated code works on runs within it. */
    long innerRow() {
        return innerRow;
    }

    long innerColumn() {
        return innerColumn;
    }

    /** How many consecutive rows are read at once, at most: a piece's, or the innermost variable's. */
    long rowsAtOnce() {
        return isPlain() ? rowRun() : innerRow;
    }

    /** As {@link #rowsAtOnce} for columns. */
    long columnsAtOnce() {
        return isPlain() ? columnRun() : innerColumn;
    }

    /** Address of element (0, 0) of a plain matrix. */
    long base(long b) {
        return address + batch.offset(b);
    }

    /** Address of an element of a plain matrix. */
    long at(long b, long r, long c) {
        return base(b) + row.offset(r) + column.offset(c);
    }
}
