// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.PoolPlanes;
import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.op.MaxPool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * {@link MaxPool} over raw memory. Elements are compared by integer keys, ordered as the numbers are, NaN
 * above all and -0 equal to 0, so that the loop over a window has no branch that depends on data.
 *
 * <p>Three pooled axes for all cases; the axes that an operator lacks have extent 1.
 */
final class WindowMaxima {
    /** Key of minus infinity: what is below is a NaN whose sign is set. */
    private static final int LEAST = 0x807fffff;

    /** Key of all NaNs: above infinity's. */
    private static final int NAN = 0x7f800001;

    private final DType dtype;
    private final int size;
    private final int[] in = {1, 1, 1};
    private final int[] out = {1, 1, 1};
    private final int[] kernel = {1, 1, 1};
    private final int[] stride = {1, 1, 1};
    private final int[] pad = {0, 0, 0};
    private final int[] dilation = {1, 1, 1};
    private final long lowest;

    /**
     * @param type of the operand
     * @throws IllegalArgumentException if more than three axes are pooled, or a plane has 2^31 elements or more
     */
    WindowMaxima(MaxPool op, Type type) {
        dtype = type.dtype();
        size = dtype.bytes();
        int n = op.axes();
        if (n > 3) throw new IllegalArgumentException("max_pool of " + type + ": pools " + n + " axes, at most 3 are");
        Type result = op.infer(List.of(type)).get(0);
        for (int a = 0; a < n; a++) {
            int to = 3 - n + a;
            int axis = type.rank() - n + a;
            in[to] = Math.toIntExact(type.dim(axis));
            out[to] = Math.toIntExact(result.dim(axis));
            kernel[to] = Math.toIntExact(op.kernel()[a]);
            stride[to] = Math.toIntExact(op.stride()[a]);
            pad[to] = Math.toIntExact(op.padLow()[a]);
            dilation[to] = Math.toIntExact(op.dilation()[a]);
        }
        Math.toIntExact((long) in[0] * in[1] * in[2]);
        lowest = switch (dtype) {
            case F32 -> Float.floatToRawIntBits(Float.NEGATIVE_INFINITY) & 0xffffffffL;
            case F64 -> Double.doubleToRawLongBits(Double.NEGATIVE_INFINITY);
            case F16 -> 0xfc00;
            case BF16 -> 0xff80;
            default -> (long) MaxPool.lowest(dtype);
        };
    }

    /** What is pooled, for {@link PoolPlanes}. */
    PoolPlanes.Windows shape() {
        return new PoolPlanes.Windows(in, out, kernel, stride, pad, dilation);
    }

    /** Elements of a plane of the operand, and of the result. */
    long plane() {
        return (long) in[0] * in[1] * in[2];
    }

    long windows() {
        return (long) out[0] * out[1] * out[2];
    }

    /** The windows of one plane: their greatest elements to {@code values}, their places (i64) to {@code places}. */
    void run(long from, long values, long places) {
        Row row = new Row();
        int o = 0;
        for (int z = 0; z < out[0]; z++) {
            for (int y = 0; y < out[1]; y++) {
                row.find(from, z * stride[0] - pad[0], y * stride[1] - pad[1]);
                row.write(from, values + (long) o * size, places + o * 8L);
                o += out[2];
            }
        }
    }

    /**
     * A row of windows: the greatest of each column first, then of the columns of each window. The loops run over arrays and know no bounds, so that
     * HotSpot compiles them to vectors.
     */
    private final class Row {
        private final long[] best = new long[out[2]];
        private final long[] column = new long[in[2]];
        private final int[] bits = new int[in[2]];
        /** Places of elements whose keys leave no room for them; -1 for none yet. */
        private final int[] place = dtype == DType.F32 ? null : new int[out[2]];

        void find(long from, int z, int y) {
            Arrays.fill(best, Long.MIN_VALUE);
            if (place != null) Arrays.fill(place, -1);
            else Arrays.fill(column, Long.MIN_VALUE);
            int z1 = end(z, dilation[0], kernel[0], in[0]);
            int y1 = end(y, dilation[1], kernel[1], in[1]);
            for (int i = first(z, dilation[0]); i < z1; i += dilation[0]) {
                for (int j = first(y, dilation[1]); j < y1; j += dilation[1]) {
                    int line = (i * in[1] + j) * in[2];
                    if (place == null) {
                        MemorySegment.copy(
                                Memory.ALL, ValueLayout.JAVA_INT_UNALIGNED, from + line * 4L, bits, 0, bits.length);
                        meet(column, bits, Integer.MAX_VALUE - line);
                    } else {
                        for (int tap = 0; tap < kernel[2]; tap++) others(from, line, tap);
                    }
                }
            }
            for (int tap = 0; tap < kernel[2] && place == null; tap++) {
                int x = tap * dilation[2] - pad[2];
                columns(best, column, x, stride[2], begin(x), limit(x));
            }
        }

        private void others(long from, int line, int tap) {
            int x = tap * dilation[2] - pad[2];
            for (int o = begin(x); o < limit(x); o++) {
                int p = line + x + o * stride[2];
                long key = key(from + (long) p * size);
                if (place[o] >= 0 && key <= best[o]) continue;
                best[o] = key;
                place[o] = p;
            }
        }

        /** The first window whose element {@code x} is inside, and the end of those. */
        private int begin(int x) {
            return x >= 0 ? 0 : (stride[2] - 1 - x) / stride[2];
        }

        private int limit(int x) {
            return x >= in[2] ? 0 : Math.min(out[2], (in[2] - 1 - x) / stride[2] + 1);
        }

        void write(long from, long values, long places) {
            for (int o = 0; o < best.length; o++) {
                int p = place != null ? place[o] : best[o] == Long.MIN_VALUE ? -1 : Integer.MAX_VALUE - (int) best[o];
                Memory.putLong(places + o * 8L, Math.max(p, 0));
                copy(p < 0 ? 0 : from + (long) p * size, values + (long) o * size);
            }
        }
    }

    /**
     * Raises keys to those of a row of f32: key and place in one number, greater for a greater element and,
     * of equals, for an earlier one.
     *
     * @param last what the first element's place leaves of the greatest int
     */
    private static void meet(long[] keys, int[] bits, int last) {
        for (int x = 0; x < bits.length; x++) {
            // The order of the bits of floats, taken as ints, is turned below 0; there -0 comes first, and NaNs last.
            int key = bits[x] ^ (bits[x] >> 31 & Integer.MAX_VALUE);
            key = key == -1 ? 0 : key;
            key = key < LEAST ? NAN : Math.min(key, NAN);
            keys[x] = Math.max(keys[x], (long) key << 32 | last - x);
        }
    }

    private static void columns(long[] best, long[] column, int x, int stride, int begin, int end) {
        for (int o = begin; o < end; o++) best[o] = Math.max(best[o], column[x + o * stride]);
    }

    private static int first(int at, int dilation) {
        return at >= 0 ? at : at + (dilation - 1 - at) / dilation * dilation;
    }

    private static int end(int at, int dilation, int taps, int extent) {
        return Math.min(at + (taps - 1) * dilation + 1, extent);
    }

    private long key(long at) {
        return switch (dtype) {
            case F64 -> ordered(Memory.getDouble(at));
            case F32 -> ordered(Memory.getFloat(at));
            case F16 -> ordered(Float.float16ToFloat(Memory.getShort(at)));
            case BF16 -> ordered(Float.intBitsToFloat(Memory.getShort(at) << 16));
            case I64 -> Memory.getLong(at);
            case I32 -> Memory.getInt(at);
            case I16 -> Memory.getShort(at);
            case I8 -> Memory.getByte(at);
            case U8, BOOL -> Memory.getByte(at) & 0xff;
        };
    }

    private static long ordered(double v) {
        long bits = Double.doubleToLongBits(v + 0.0);
        return bits ^ (bits >> 63 & Long.MAX_VALUE);
    }

    /** The element at {@code from}, or the lowest one if that is 0. */
    private void copy(long from, long to) {
        switch (size) {
            case 8 -> Memory.putLong(to, from == 0 ? lowest : Memory.getLong(from));
            case 4 -> Memory.putInt(to, from == 0 ? (int) lowest : Memory.getInt(from));
            case 2 -> Memory.putShort(to, from == 0 ? (short) lowest : Memory.getShort(from));
            default -> Memory.putByte(to, from == 0 ? (byte) lowest : Memory.getByte(from));
        }
    }
}
