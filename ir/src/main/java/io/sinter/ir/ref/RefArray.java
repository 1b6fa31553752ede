// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntToLongFunction;

/**
 * A dense row-major array of the reference evaluator. Floats are held as doubles that are always
 * values of the dtype (every write rounds), integers as longs wrapped to the dtype's width, bool as
 * 0 or 1. Operators treat operands as immutable and fill only what they make.
 */
public final class RefArray {
    private final Type type;
    private final double[] doubles;
    private final long[] longs;

    private RefArray(Type type) {
        this.type = type;
        int n = Math.toIntExact(type.numel());
        doubles = type.dtype().isFloat() ? new double[n] : null;
        longs = doubles == null ? new long[n] : null;
    }

    /** Zeros (false), to be filled with {@link #set} by the operator that makes them. */
    public static RefArray zeros(Type type) {
        return new RefArray(type);
    }

    /**
     * Elements {@code f(0), f(1), …} in row-major order, rounded to the dtype (integers truncate
     * toward zero, bool is != 0).
     */
    public static RefArray of(Type type, IntToDoubleFunction f) {
        RefArray a = new RefArray(type);
        for (int i = 0; i < a.size(); i++) a.set(i, f.applyAsDouble(i));
        return a;
    }

    /**
     * Elements {@code f(0), f(1), …} in row-major order, wrapped to the dtype's width (floats
     * round).
     */
    public static RefArray ofLongs(Type type, IntToLongFunction f) {
        RefArray a = new RefArray(type);
        for (int i = 0; i < a.size(); i++) a.set(i, f.applyAsLong(i));
        return a;
    }

    /** An array of these values, rounded to the dtype. */
    public static RefArray of(DType dtype, Shape shape, double... values) {
        check(shape, values.length);
        return of(new Type(dtype, shape), i -> values[i]);
    }

    /** An array of these values, wrapped to the dtype. */
    public static RefArray ofLongs(DType dtype, Shape shape, long... values) {
        check(shape, values.length);
        return ofLongs(new Type(dtype, shape), i -> values[i]);
    }

    /** A value of shape []. */
    public static RefArray scalar(DType dtype, double value) {
        return of(dtype, Shape.SCALAR, value);
    }

    private static void check(Shape shape, int n) {
        if (shape.numel() != n) throw new IllegalArgumentException(n + " values for shape " + shape);
    }

    public Type type() {
        return type;
    }

    public DType dtype() {
        return type.dtype();
    }

    public Shape shape() {
        return type.shape();
    }

    /** Number of elements. */
    public int size() {
        return doubles != null ? doubles.length : longs.length;
    }

    /** Element {@code i} (row-major) as a double; integers convert. */
    public double getDouble(int i) {
        return doubles != null ? doubles[i] : longs[i];
    }

    /** Element {@code i} as a long; floats truncate toward zero and saturate, NaN is 0. */
    public long getLong(int i) {
        return doubles != null ? (long) doubles[i] : longs[i];
    }

    /** Element {@code i} is not zero. */
    public boolean getBoolean(int i) {
        return doubles != null ? doubles[i] != 0 : longs[i] != 0;
    }

    /**
     * Writes element {@code i}, rounding to the dtype (integers truncate toward zero, then wrap;
     * bool is != 0).
     */
    public void set(int i, double v) {
        if (doubles != null) doubles[i] = round(dtype(), v);
        else longs[i] = dtype().isBool() ? (v != 0 ? 1 : 0) : wrap(dtype(), (long) v);
    }

    /** Writes element {@code i}, wrapping to the dtype's width (floats round, bool is != 0). */
    public void set(int i, long v) {
        if (doubles != null) doubles[i] = round(dtype(), (double) v);
        else longs[i] = wrap(dtype(), v);
    }

    /**
     * Copies element {@code j} of {@code from}, which has this dtype, to element {@code i}: exact.
     */
    public void copy(int i, RefArray from, int j) {
        if (from.dtype() != dtype()) throw new IllegalArgumentException("copy of " + from.dtype() + " to " + dtype());
        if (doubles != null) doubles[i] = from.doubles[j];
        else longs[i] = from.longs[j];
    }

    /** The same elements in row-major order under another shape of as many elements. */
    public RefArray reshaped(Shape to) {
        check(to, size());
        RefArray r = new RefArray(type.with(to));
        for (int i = 0; i < size(); i++) r.copy(i, this, i);
        return r;
    }

    /** All elements as doubles, copied. */
    public double[] toDoubles() {
        double[] r = new double[size()];
        for (int i = 0; i < r.length; i++) r[i] = getDouble(i);
        return r;
    }

    /** All elements as longs, copied. */
    public long[] toLongs() {
        long[] r = new long[size()];
        for (int i = 0; i < r.length; i++) r[i] = getLong(i);
        return r;
    }

    /**
     * The value of {@code dtype} nearest to {@code v} (f16 and bf16 by way of f32, ties to even at
     * each step: they are computed in f32).
     */
    public static double round(DType dtype, double v) {
        return switch (dtype) {
            case F64 -> v;
            case F32 -> (float) v;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) v));
            case BF16 -> roundBf16((float) v);
            case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException(dtype + " is not a float type");
        };
    }

    private static float roundBf16(float v) {
        if (Float.isNaN(v)) return v;
        int b = Float.floatToRawIntBits(v);
        return Float.intBitsToFloat((b + 0x7fff + ((b >>> 16) & 1)) & 0xffff0000);
    }

    /** {@code v} wrapped to the width of an integer dtype; for bool, {@code v != 0}. */
    public static long wrap(DType dtype, long v) {
        return switch (dtype) {
            case I64 -> v;
            case I32 -> (int) v;
            case I16 -> (short) v;
            case I8 -> (byte) v;
            case U8 -> v & 0xff;
            case BOOL -> v != 0 ? 1 : 0;
            case F64, F32, F16, BF16 -> throw new IllegalArgumentException(dtype + " is not an integer type");
        };
    }

    /** Same type and same values: NaN equals NaN, and -0 differs from +0. */
    public boolean sameAs(RefArray o) {
        return type.equals(o.type) && Arrays.equals(doubles, o.doubles) && Arrays.equals(longs, o.longs);
    }

    /** {@code [2, 5]}: where the element with this row-major number is. */
    public static String index(Shape shape, int element) {
        long[] at = new long[shape.rank()];
        long rest = element;
        for (int d = at.length - 1; d >= 0; d--) {
            at[d] = rest % shape.dim(d);
            rest /= shape.dim(d);
        }
        return Arrays.toString(at);
    }

    /** A line: type, the first elements, the least and the greatest. */
    public String describe() {
        StringBuilder b = new StringBuilder(type.toString()).append(" [");
        for (int i = 0; i < Math.min(size(), 8); i++) {
            if (i > 0) b.append(", ");
            if (dtype().isFloat()) b.append((float) doubles[i]);
            else b.append(longs[i]);
        }
        if (size() > 8) b.append(", …");
        double least = Double.POSITIVE_INFINITY;
        double greatest = Double.NEGATIVE_INFINITY;
        int odd = 0;
        for (int i = 0; i < size(); i++) {
            double v = getDouble(i);
            if (!Double.isFinite(v)) {
                odd++;
                continue;
            }
            least = Math.min(least, v);
            greatest = Math.max(greatest, v);
        }
        b.append(']');
        if (least <= greatest)
            b.append(" from ").append((float) least).append(" to ").append((float) greatest);
        if (odd > 0) b.append(", ").append(odd).append(" NaN or infinite");
        return b.toString();
    }

    @Override
    public String toString() {
        String values = doubles != null ? Arrays.toString(doubles) : Arrays.toString(longs);
        return type + " " + values;
    }
}
