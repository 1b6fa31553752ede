// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.gen.SinterKernelHost.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.sinter.gen.SinterKernelMoves;
import io.sinter.ir.DType;

/**
 * {@link GemmTiles} in plain Java, for integers and for a JVM without the Vector API. One "vector" is
 * {@link #LANES} columns.
 *
 * <p>Four columns at a time hide the latency of the sums; there is a short method for each type, which
 * HotSpot compiles well.
 */
final class GemmScalarTiles extends GemmTiles {
    static final int LANES = 4;

    private final DType dtype;

    /**
     * @param dtype f32, f64, i32 or i64
     */
    GemmScalarTiles(DType dtype) {
        this.dtype = dtype;
    }

    @Override
    public DType dtype() {
        return dtype;
    }

    @Override
    public int lanes() {
        return LANES;
    }

    @Override
    public int rows() {
        return 4;
    }

    @Override
    public int vectors() {
        return 4;
    }

    @Override
    public void tile(
            boolean adds,
            int rows,
            int vectors,
            long a,
            long aRow,
            long aK,
            long b,
            long bK,
            long c,
            long cRow,
            int k) {
        long size = dtype.bytes();
        for (int r = 0; r < rows; r++) {
            for (int x = 0; x < vectors; x++) {
                long bx = b + x * LANES * size;
                long cx = c + r * cRow + x * LANES * size;
                switch (dtype) {
                    case F32 -> fourFloats(adds, a + r * aRow, aK, bx, bK, cx, k);
                    case F64 -> fourDoubles(adds, a + r * aRow, aK, bx, bK, cx, k);
                    case I32 -> fourInts(adds, a + r * aRow, aK, bx, bK, cx, k);
                    case I64 -> fourLongs(adds, a + r * aRow, aK, bx, bK, cx, k);
                    case F16, BF16, I16, I8, U8, BOOL -> throw new IllegalStateException("no products in " + dtype);
                }
            }
        }
    }

    @Override
    public void shifted(int rows, int vectors, long a, long aRow, long table, long b, long c, long cRow, int k) {
        long size = dtype.bytes();
        for (int r = 0; r < rows; r++) {
            for (int x = 0; x < vectors * LANES; x++) {
                long to = c + r * cRow + x * size;
                long row = a + r * aRow;
                if (dtype == DType.F32) MEMORY.set(JAVA_FLOAT_UNALIGNED, to, shiftedFloat(row, table, b + x * size, k));
                else MEMORY.set(JAVA_DOUBLE_UNALIGNED, to, shiftedDouble(row, table, b + x * size, k));
            }
        }
    }

    private static float shiftedFloat(long a, long table, long b, int k) {
        float sum = 0;
        for (long t = table; t < table + k * 8L; t += 8) {
            float x = MEMORY.get(JAVA_FLOAT_UNALIGNED, a + MEMORY.get(JAVA_INT_UNALIGNED, t));
            sum = Math.fma(x, MEMORY.get(JAVA_FLOAT_UNALIGNED, b + MEMORY.get(JAVA_INT_UNALIGNED, t + 4)), sum);
        }
        return sum;
    }

    private static double shiftedDouble(long a, long table, long b, int k) {
        double sum = 0;
        for (long t = table; t < table + k * 8L; t += 8) {
            double x = MEMORY.get(JAVA_DOUBLE_UNALIGNED, a + MEMORY.get(JAVA_INT_UNALIGNED, t));
            sum = Math.fma(x, MEMORY.get(JAVA_DOUBLE_UNALIGNED, b + MEMORY.get(JAVA_INT_UNALIGNED, t + 4)), sum);
        }
        return sum;
    }

    @Override
    public void pixels(int rows, int columns, long a, long table, long b, long bRow, long c, long cRow, int k) {
        long size = dtype.bytes();
        for (int r = 0; r < rows; r++) {
            for (int x = 0; x < columns; x++) {
                long from = b + r * bRow + x * size;
                long to = c + r * cRow + x * size;
                if (dtype == DType.F32) MEMORY.set(JAVA_FLOAT_UNALIGNED, to, shiftedFloat(a, table, from, k));
                else MEMORY.set(JAVA_DOUBLE_UNALIGNED, to, shiftedDouble(a, table, from, k));
            }
        }
    }

    @Override
    public void pixels3x3(
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
            long cRow) {
        long size = dtype.bytes();
        for (int r = 0; r < rows; r++) {
            for (int x = 0; x < columns; x++) {
                long to = c + r * cRow + x * size;
                if (dtype == DType.F32) MEMORY.set(JAVA_FLOAT_UNALIGNED, to, 0f);
                else MEMORY.set(JAVA_DOUBLE_UNALIGNED, to, 0.0);
                for (int j = 0; j < 9; j++) {
                    int row = r * Math.abs(step) + j / 3;
                    int column = x * Math.abs(step) + (step < 0 ? 2 - j % 3 : j % 3);
                    boolean there = row >= firstRow && row < endRow && column >= firstColumn && column < endColumn;
                    long from = there ? b + row * bRow + column * size : zeros;
                    long factor = a + MEMORY.get(JAVA_INT_UNALIGNED, table + j * 8L);
                    if (dtype == DType.F32) {
                        float sum = MEMORY.get(JAVA_FLOAT_UNALIGNED, to);
                        float product = MEMORY.get(JAVA_FLOAT_UNALIGNED, factor);
                        MEMORY.set(
                                JAVA_FLOAT_UNALIGNED,
                                to,
                                Math.fma(product, MEMORY.get(JAVA_FLOAT_UNALIGNED, from), sum));
                    } else {
                        double sum = MEMORY.get(JAVA_DOUBLE_UNALIGNED, to);
                        double product = MEMORY.get(JAVA_DOUBLE_UNALIGNED, factor);
                        MEMORY.set(
                                JAVA_DOUBLE_UNALIGNED,
                                to,
                                Math.fma(product, MEMORY.get(JAVA_DOUBLE_UNALIGNED, from), sum));
                    }
                }
            }
        }
    }

    @Override
    public void taps3x3(
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
            long sums) {
        int size = dtype.bytes();
        for (int j = 0; j < 9; j++) {
            for (int r = Math.max(0, Math.ceilDiv(firstRow - j / 3, step));
                    r < rows && r * step + j / 3 < endRow;
                    r++) {
                int first = Math.max(0, Math.ceilDiv(firstColumn - j % 3, step));
                int end = Math.min(columns, Math.ceilDiv(endColumn - j % 3, step));
                long from = b + (r * step + j / 3) * bRow + (long) (first * step + j % 3) * size;
                long pixel = a + r * aRow + (long) first * size;
                // Lane 0 has the whole sum.
                if (first < end)
                    addProducts(end - first, pixel, from, (long) step * size, sums + (long) j * LANES * size);
            }
        }
    }

    private void addProducts(int count, long a, long b, long bStep, long to) {
        if (dtype == DType.F32) {
            float sum = MEMORY.get(JAVA_FLOAT_UNALIGNED, to);
            for (int x = 0; x < count; x++) {
                float pixel = MEMORY.get(JAVA_FLOAT_UNALIGNED, a + x * 4L);
                sum = Math.fma(pixel, MEMORY.get(JAVA_FLOAT_UNALIGNED, b + x * bStep), sum);
            }
            MEMORY.set(JAVA_FLOAT_UNALIGNED, to, sum);
        } else {
            double sum = MEMORY.get(JAVA_DOUBLE_UNALIGNED, to);
            for (int x = 0; x < count; x++) {
                double pixel = MEMORY.get(JAVA_DOUBLE_UNALIGNED, a + x * 8L);
                sum = Math.fma(pixel, MEMORY.get(JAVA_DOUBLE_UNALIGNED, b + x * bStep), sum);
            }
            MEMORY.set(JAVA_DOUBLE_UNALIGNED, to, sum);
        }
    }

    @Override
    public void laneSums(int count, long sums, long to, long toRow) {
        int size = dtype.bytes();
        for (int r = 0; r < count; r++) {
            long from = sums + (long) r * LANES * size;
            if (dtype == DType.F32)
                MEMORY.set(JAVA_FLOAT_UNALIGNED, to + r * toRow, MEMORY.get(JAVA_FLOAT_UNALIGNED, from));
            else MEMORY.set(JAVA_DOUBLE_UNALIGNED, to + r * toRow, MEMORY.get(JAVA_DOUBLE_UNALIGNED, from));
        }
    }

    @Override
    public void gathered(
            boolean adds, int rows, int vectors, long a, long table, long b, long bK, long c, long cRow, int k) {
        for (int r = 0; r < rows; r++) {
            long row = a + MEMORY.get(JAVA_INT_UNALIGNED, table + r * 4L);
            tile(adds, 1, vectors, row, 0, dtype.bytes(), b, bK, c + r * cRow, cRow, k);
        }
    }

    private static void fourFloats(boolean adds, long a, long aK, long b, long bK, long c, int k) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        for (int j = 0; j < k; j++) {
            float x = MEMORY.get(JAVA_FLOAT_UNALIGNED, a);
            s0 = Math.fma(x, MEMORY.get(JAVA_FLOAT_UNALIGNED, b), s0);
            s1 = Math.fma(x, MEMORY.get(JAVA_FLOAT_UNALIGNED, b + 4), s1);
            s2 = Math.fma(x, MEMORY.get(JAVA_FLOAT_UNALIGNED, b + 8), s2);
            s3 = Math.fma(x, MEMORY.get(JAVA_FLOAT_UNALIGNED, b + 12), s3);
            a += aK;
            b += bK;
        }
        if (adds) {
            s0 += MEMORY.get(JAVA_FLOAT_UNALIGNED, c);
            s1 += MEMORY.get(JAVA_FLOAT_UNALIGNED, c + 4);
            s2 += MEMORY.get(JAVA_FLOAT_UNALIGNED, c + 8);
            s3 += MEMORY.get(JAVA_FLOAT_UNALIGNED, c + 12);
        }
        MEMORY.set(JAVA_FLOAT_UNALIGNED, c, s0);
        MEMORY.set(JAVA_FLOAT_UNALIGNED, c + 4, s1);
        MEMORY.set(JAVA_FLOAT_UNALIGNED, c + 8, s2);
        MEMORY.set(JAVA_FLOAT_UNALIGNED, c + 12, s3);
    }

    private static void fourDoubles(boolean adds, long a, long aK, long b, long bK, long c, int k) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        for (int j = 0; j < k; j++) {
            double x = MEMORY.get(JAVA_DOUBLE_UNALIGNED, a);
            s0 = Math.fma(x, MEMORY.get(JAVA_DOUBLE_UNALIGNED, b), s0);
            s1 = Math.fma(x, MEMORY.get(JAVA_DOUBLE_UNALIGNED, b + 8), s1);
            s2 = Math.fma(x, MEMORY.get(JAVA_DOUBLE_UNALIGNED, b + 16), s2);
            s3 = Math.fma(x, MEMORY.get(JAVA_DOUBLE_UNALIGNED, b + 24), s3);
            a += aK;
            b += bK;
        }
        if (adds) {
            s0 += MEMORY.get(JAVA_DOUBLE_UNALIGNED, c);
            s1 += MEMORY.get(JAVA_DOUBLE_UNALIGNED, c + 8);
            s2 += MEMORY.get(JAVA_DOUBLE_UNALIGNED, c + 16);
            s3 += MEMORY.get(JAVA_DOUBLE_UNALIGNED, c + 24);
        }
        MEMORY.set(JAVA_DOUBLE_UNALIGNED, c, s0);
        MEMORY.set(JAVA_DOUBLE_UNALIGNED, c + 8, s1);
        MEMORY.set(JAVA_DOUBLE_UNALIGNED, c + 16, s2);
        MEMORY.set(JAVA_DOUBLE_UNALIGNED, c + 24, s3);
    }

    private static void fourInts(boolean adds, long a, long aK, long b, long bK, long c, int k) {
        for (int x = 0; x < LANES; x++) {
            int sum = 0;
            for (int j = 0; j < k; j++) {
                sum += MEMORY.get(JAVA_INT_UNALIGNED, a + j * aK) * MEMORY.get(JAVA_INT_UNALIGNED, b + j * bK + x * 4L);
            }
            long at = c + x * 4L;
            MEMORY.set(JAVA_INT_UNALIGNED, at, adds ? MEMORY.get(JAVA_INT_UNALIGNED, at) + sum : sum);
        }
    }

    private static void fourLongs(boolean adds, long a, long aK, long b, long bK, long c, int k) {
        for (int x = 0; x < LANES; x++) {
            long sum = 0;
            for (int j = 0; j < k; j++) {
                sum += MEMORY.get(JAVA_LONG_UNALIGNED, a + j * aK)
                        * MEMORY.get(JAVA_LONG_UNALIGNED, b + j * bK + x * 8L);
            }
            long at = c + x * 8L;
            MEMORY.set(JAVA_LONG_UNALIGNED, at, adds ? MEMORY.get(JAVA_LONG_UNALIGNED, at) + sum : sum);
        }
    }

    @Override
    public void add(long a, long aRow, long c, long cRow, int rows, int vectors) {
        for (int r = 0; r < rows; r++) {
            for (long x = 0; x < (long) vectors * LANES * dtype.bytes(); x += dtype.bytes()) {
                addElement(a + r * aRow + x, c + r * cRow + x);
            }
        }
    }

    private void addElement(long a, long c) {
        switch (dtype) {
            case F32 ->
                MEMORY.set(
                        JAVA_FLOAT_UNALIGNED,
                        c,
                        MEMORY.get(JAVA_FLOAT_UNALIGNED, c) + MEMORY.get(JAVA_FLOAT_UNALIGNED, a));
            case F64 ->
                MEMORY.set(
                        JAVA_DOUBLE_UNALIGNED,
                        c,
                        MEMORY.get(JAVA_DOUBLE_UNALIGNED, c) + MEMORY.get(JAVA_DOUBLE_UNALIGNED, a));
            case I32 ->
                MEMORY.set(
                        JAVA_INT_UNALIGNED, c, MEMORY.get(JAVA_INT_UNALIGNED, c) + MEMORY.get(JAVA_INT_UNALIGNED, a));
            case I64 ->
                MEMORY.set(
                        JAVA_LONG_UNALIGNED,
                        c,
                        MEMORY.get(JAVA_LONG_UNALIGNED, c) + MEMORY.get(JAVA_LONG_UNALIGNED, a));
            case F16, BF16, I16, I8, U8, BOOL -> throw new IllegalStateException("no sums in " + dtype);
        }
    }

    @Override
    public void gatheredDots(int rows, long a, long table, long x, long c, long cRow, int k) {
        for (int r = 0; r < rows; r++)
            dots(1, a + MEMORY.get(JAVA_INT_UNALIGNED, table + 4L * r), 0, x, c + r * cRow, cRow, k);
    }

    @Override
    public void dots(int rows, long a, long aRow, long x, long c, long cRow, int k) {
        for (int r = 0; r < rows; r++) {
            long row = a + r * aRow;
            long to = c + r * cRow;
            switch (dtype) {
                case F32 -> MEMORY.set(JAVA_FLOAT_UNALIGNED, to, dotFloats(row, x, k));
                case F64 -> MEMORY.set(JAVA_DOUBLE_UNALIGNED, to, dotDoubles(row, x, k));
                case I32 -> {
                    int sum = 0;
                    for (long j = 0; j < k * 4L; j += 4) {
                        sum += MEMORY.get(JAVA_INT_UNALIGNED, row + j) * MEMORY.get(JAVA_INT_UNALIGNED, x + j);
                    }
                    MEMORY.set(JAVA_INT_UNALIGNED, to, sum);
                }
                case I64 -> {
                    long sum = 0;
                    for (long j = 0; j < k * 8L; j += 8) {
                        sum += MEMORY.get(JAVA_LONG_UNALIGNED, row + j) * MEMORY.get(JAVA_LONG_UNALIGNED, x + j);
                    }
                    MEMORY.set(JAVA_LONG_UNALIGNED, to, sum);
                }
                case F16, BF16, I16, I8, U8, BOOL -> throw new IllegalStateException("no products in " + dtype);
            }
        }
    }

    private static float dotFloats(long a, long x, int k) {
        float sum = 0;
        for (int j = 0; j < k; j++) {
            sum = Math.fma(
                    MEMORY.get(JAVA_FLOAT_UNALIGNED, a + j * 4L), MEMORY.get(JAVA_FLOAT_UNALIGNED, x + j * 4L), sum);
        }
        return sum;
    }

    private static double dotDoubles(long a, long x, int k) {
        double sum = 0;
        for (int j = 0; j < k; j++) {
            sum = Math.fma(
                    MEMORY.get(JAVA_DOUBLE_UNALIGNED, a + j * 8L), MEMORY.get(JAVA_DOUBLE_UNALIGNED, x + j * 8L), sum);
        }
        return sum;
    }

    @Override
    public void copy(long a, long aRow, long c, long cRow, int rows, int columns, int padded) {
        long size = dtype.bytes();
        for (int r = 0; r < rows; r++) {
            SinterKernelMoves.copy(a + r * aRow, c + r * cRow, columns * size);
            SinterKernelMoves.clear(c + r * cRow + columns * size, (padded - columns) * size);
        }
    }

    @Override
    public void halves(long a, long even, int evens, long odd, int odds) {
        SinterKernelMoves.spread(dtype.bytes(), a, 2, even, evens);
        SinterKernelMoves.spread(dtype.bytes(), a + dtype.bytes(), 2, odd, odds);
    }

    @Override
    public void panels(long a, long aRow, long c, long panelBytes, int rows, int panels) {
        long row = (long) vectors() * LANES * dtype.bytes();
        for (int r = 0; r < rows; r++) {
            for (int p = 0; p < panels; p++)
                SinterKernelMoves.copy(a + r * aRow + p * row, c + p * panelBytes + r * row, row);
        }
    }

    @Override
    protected void transposeSquare(long a, long aRow, long c, long cRow) {
        int size = dtype.bytes();
        SinterKernelMoves.strided(size, a, size, aRow, c, cRow, size, LANES, LANES);
    }
}
