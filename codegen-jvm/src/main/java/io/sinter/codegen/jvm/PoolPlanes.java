// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelMoves;
import io.sinter.ir.DType;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Max-pooling of f32 planes by vectors: for a row of windows, the greatest element of each column of the rows that
 * they see, then of the columns of each window. One object serves one thread.
 *
 * <p>Three pooled axes; those that an operator lacks have extent 1.
 */
public final class PoolPlanes {
    private static final ConcurrentHashMap<Integer, PoolRows> ROWS = new ConcurrentHashMap<>();

    /** Room for the vectors that reach beyond the end of a row. */
    private static final int SLACK = 32;

    /**
     * What is pooled: extents of a plane of the operand and of the result, and the windows, along z, y and x.
     */
    public record Windows(int[] in, int[] out, int[] kernel, int[] stride, int[] pad, int[] dilation) {
        /** Columns that a row of windows sees, padding included. */
        private int columns() {
            return (out[2] - 1) * stride[2] + (kernel[2] - 1) * dilation[2] + 1;
        }

        /** Elements of the columns of one residue. */
        private int residue() {
            return (columns() + stride[2] - 1) / stride[2] + SLACK;
        }
    }

    private final Windows w;
    private final PoolRows rows;
    private final GemmTiles tiles;
    private final long columnValues;
    private final long columnPlaces;
    private final long residueValues;
    private final long residuePlaces;
    private final long values;
    private final long places;

    /**
     * @param bits width of vectors, not 0
     * @param scratch {@link #scratchBytes} bytes
     */
    public PoolPlanes(Windows w, int bits, long scratch) {
        this.w = w;
        rows = ROWS.computeIfAbsent(bits, PoolPlanes::make);
        tiles = GemmTileSets.of(DType.F32, bits);
        long columns = 4L * (w.columns() + SLACK);
        long residues = 4L * w.stride[2] * w.residue();
        columnValues = scratch;
        columnPlaces = columnValues + columns;
        residueValues = columnPlaces + columns;
        residuePlaces = residueValues + residues;
        values = residuePlaces + residues;
        places = values + 4L * (w.out[2] + SLACK);
        // What is not in the plane stays as it is: less than all, and at no place.
        for (int x = 0; x < w.columns() + SLACK; x++) {
            SinterKernelMoves.putFloat(columnValues + 4L * x, Float.NEGATIVE_INFINITY);
            SinterKernelMoves.putInt(columnPlaces + 4L * x, Integer.MAX_VALUE);
        }
    }

    /** Bytes of memory that an object works in. */
    public static long scratchBytes(Windows w) {
        return 8L * (w.columns() + SLACK + w.stride[2] * w.residue() + w.out[2] + SLACK);
    }

    private static PoolRows make(int bits) {
        return SharedClass.make("PoolRows_" + bits, PoolRows.class, name -> VectorPoolRows.generate(name, bits));
    }

    /** The windows of one plane: their greatest elements to {@code toValues}, their places (i64) to {@code toPlaces}. */
    public void run(long from, long toValues, long toPlaces) {
        for (int z = 0; z < w.out[0]; z++) {
            for (int y = 0; y < w.out[1]; y++) {
                long o = ((long) z * w.out[1] + y) * w.out[2];
                row(from, z * w.stride[0] - w.pad[0], y * w.stride[1] - w.pad[1]);
                rows.finish(values, places, toValues + 4 * o, toPlaces + 8 * o, w.out[2]);
            }
        }
    }

    private void row(long from, int z, int y) {
        int left = w.pad[2];
        int count = Math.clamp(w.columns() - left, 0, w.in[2]);
        long columns = columnValues + 4L * left;
        long theirs = columnPlaces + 4L * left;
        boolean first = true;
        for (int i = 0; i < w.kernel[0]; i++) {
            int iz = z + i * w.dilation[0];
            if (iz < 0 || iz >= w.in[0]) continue;
            for (int j = 0; j < w.kernel[1]; j++) {
                int iy = y + j * w.dilation[1];
                if (iy < 0 || iy >= w.in[1]) continue;
                int line = (iz * w.in[1] + iy) * w.in[2];
                if (first) rows.start(from + 4L * line, line, columns, theirs, count);
                else rows.meet(from + 4L * line, line, columns, theirs, count);
                first = false;
            }
        }
        for (int x = 0; first && x < count; x++) {
            SinterKernelMoves.putFloat(columns + 4L * x, Float.NEGATIVE_INFINITY);
            SinterKernelMoves.putInt(theirs + 4L * x, Integer.MAX_VALUE);
        }
        int stride = w.stride[2];
        split(columnValues, residueValues);
        split(columnPlaces, residuePlaces);
        for (int t = 0; t < w.kernel[2]; t++) {
            int x = t * w.dilation[2];
            long at = 4L * (x % stride * w.residue() + x / stride);
            if (t == 0) {
                tiles.copy(residueValues + at, 0, values, 0, 1, w.out[2], w.out[2]);
                tiles.copy(residuePlaces + at, 0, places, 0, 1, w.out[2], w.out[2]);
            } else {
                rows.take(residueValues + at, residuePlaces + at, values, places, w.out[2]);
            }
        }
    }

    /** Columns by their residues modulo the stride. */
    private void split(long from, long to) {
        int columns = w.columns();
        int stride = w.stride[2];
        long residue = 4L * w.residue();
        switch (stride) {
            case 1 -> tiles.copy(from, 0, to, 0, 1, columns, columns);
            case 2 -> tiles.halves(from, to, (columns + 1) / 2, to + residue, columns / 2);
            default -> {
                for (int r = 0; r < Math.min(stride, columns); r++) {
                    int count = (columns - r + stride - 1) / stride;
                    SinterKernelMoves.spread(4, from + 4L * r, stride, to + r * residue, count);
                }
            }
        }
    }
}
