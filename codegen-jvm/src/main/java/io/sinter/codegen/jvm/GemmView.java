// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

/**
 * What one launch's numbers say about a matrix: an operand (rows × k), or the result (rows × columns).
 * Both directions are flat here, however many loop variables there are.
 *
 * <p>A matrix is <em>linear</em> if it is nothing but memory of the accumulation type whose flat
 * directions each have one stride; then no generated code is needed to read it.
 */
final class GemmView {
    /** Flags in the numbers that generated code gives: see {@link GemmCode#numbers}. */
    static final long PLAIN = 1;

    static final long UNIT_ROW = 2;
    static final long UNIT_COLUMN = 4;

    private final long address;
    private final long[] batchExtents;
    private final long[] batchStrides;
    private final long flags;
    private final long rowStride;
    private final long columnStride;
    private final long innerRow;
    private final long innerColumn;

    /**
     * Reads flags, address and strides at {@code at}; strides are of the batch, row and column variables,
     * in bytes.
     */
    GemmView(long[] numbers, int at, long[] batchExtents, long[] rows, long[] columns) {
        int row = at + 2 + batchExtents.length;
        this.flags = numbers[at];
        this.address = numbers[at + 1];
        this.batchExtents = batchExtents;
        this.batchStrides = java.util.Arrays.copyOfRange(numbers, at + 2, row);
        this.rowStride = flatStride(numbers, row, rows);
        this.columnStride = flatStride(numbers, row + rows.length, columns);
        this.innerRow = inner(rows);
        this.innerColumn = inner(columns);
    }

    /** How many numbers describe a view. */
    static int length(int batch, int rows, int columns) {
        return 2 + batch + rows + columns;
    }

    private static long inner(long[] extents) {
        return extents.length == 0 ? 1 : Math.max(1, extents[extents.length - 1]);
    }

    /** The one stride of the variables taken as one flat variable, or -1 if there is none. */
    private static long flatStride(long[] numbers, int at, long[] extents) {
        long stride = 0;
        long next = 0;
        boolean found = false;
        for (int v = extents.length - 1; v >= 0; v--) {
            if (extents[v] == 1) continue;
            if (!found) {
                stride = numbers[at + v];
                next = stride;
                found = true;
            } else if (numbers[at + v] != next) {
                return -1;
            }
            next *= extents[v];
        }
        return stride;
    }

    boolean isLinear() {
        return (flags & PLAIN) != 0 && rowStride >= 0 && columnStride >= 0;
    }

    /** Consecutive rows lie next to each other in memory, as far as the innermost row variable goes. */
    boolean isUnitRow(long size) {
        return isLinear() ? rowStride == size : (flags & UNIT_ROW) != 0;
    }

    /**
     * Consecutive columns (k of an operand) lie next to each other in memory, as far as the innermost
     * variable goes.
     */
    boolean isUnitColumn(long size) {
        return isLinear() ? columnStride == size : (flags & UNIT_COLUMN) != 0;
    }

    /** Distance of rows in bytes, of a linear matrix. */
    long rowStride() {
        return rowStride;
    }

    /** Distance of columns in bytes, of a linear matrix. */
    long columnStride() {
        return columnStride;
    }

    /** Extent of the innermost row variable: generated code works on runs within it. */
    long innerRow() {
        return innerRow;
    }

    long innerColumn() {
        return innerColumn;
    }

    /** Address of element (0, 0) of a linear matrix. */
    long base(long batch) {
        long a = address;
        for (int v = batchExtents.length - 1; v >= 0; v--) {
            a += batch % batchExtents[v] * batchStrides[v];
            batch /= batchExtents[v];
        }
        return a;
    }
}
