// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import java.lang.foreign.MemorySegment;

/**
 * Tensors out of nothing: static methods of {@link Tensor}. Host arrays are copied at the call. The default
 * dtype is f32.
 */
abstract sealed class Factories permits Tensor {
    Factories() {}

    /** A vector of f32. */
    public static Tensor of(double... values) {
        float[] f = new float[values.length];
        for (int i = 0; i < f.length; i++) f[i] = (float) values[i];
        return from(f);
    }

    /** A vector of i64. */
    public static Tensor of(long... values) {
        return from(values);
    }

    /** A vector of bool. */
    public static Tensor of(boolean... values) {
        return from(values);
    }

    /** A 0-dimensional tensor of f32. */
    public static Tensor scalar(double value) {
        return Host.tensor(DType.F32, Shape.SCALAR, MemorySegment.ofArray(new float[] {(float) value}));
    }

    /** A 0-dimensional tensor of i64. */
    public static Tensor scalar(long value) {
        return Host.tensor(DType.I64, Shape.SCALAR, MemorySegment.ofArray(new long[] {value}));
    }

    /** f64. */
    public static Tensor from(double[] values, long... shape) {
        return Host.tensor(DType.F64, Axes.shape("from", shape), MemorySegment.ofArray(values));
    }

    /** A vector of f64. */
    public static Tensor from(double[] values) {
        return from(values, values.length);
    }

    /** f32. */
    public static Tensor from(float[] values, long... shape) {
        return Host.tensor(DType.F32, Axes.shape("from", shape), MemorySegment.ofArray(values));
    }

    /** A vector of f32. */
    public static Tensor from(float[] values) {
        return from(values, values.length);
    }

    /** i64. */
    public static Tensor from(long[] values, long... shape) {
        return Host.tensor(DType.I64, Axes.shape("from", shape), MemorySegment.ofArray(values));
    }

    /** A vector of i64. */
    public static Tensor from(long[] values) {
        return from(values, values.length);
    }

    /** i32. */
    public static Tensor from(int[] values, long... shape) {
        return Host.tensor(DType.I32, Axes.shape("from", shape), MemorySegment.ofArray(values));
    }

    /** A vector of i32. */
    public static Tensor from(int[] values) {
        return from(values, values.length);
    }

    /** i16. */
    public static Tensor from(short[] values, long... shape) {
        return Host.tensor(DType.I16, Axes.shape("from", shape), MemorySegment.ofArray(values));
    }

    /** A vector of i16. */
    public static Tensor from(short[] values) {
        return from(values, values.length);
    }

    /** i8. */
    public static Tensor from(byte[] values, long... shape) {
        return Host.tensor(DType.I8, Axes.shape("from", shape), MemorySegment.ofArray(values));
    }

    /** A vector of i8. */
    public static Tensor from(byte[] values) {
        return from(values, values.length);
    }

    /** bool. */
    public static Tensor from(boolean[] values, long... shape) {
        return Host.tensor(DType.BOOL, Axes.shape("from", shape), values);
    }

    /** A vector of bool. */
    public static Tensor from(boolean[] values) {
        return from(values, values.length);
    }

    /** Raw elements in the machine's byte order, row-major, of any dtype; copied. */
    public static Tensor fromBytes(MemorySegment elements, DType dtype, long... shape) {
        return Host.tensor(dtype, Axes.shape("fromBytes", shape), elements);
    }

    public static Tensor zeros(long... shape) {
        return zeros(shape, DType.F32);
    }

    public static Tensor zeros(int[] shape) {
        return zeros(Axes.longs(shape));
    }

    public static Tensor zeros(long[] shape, DType dtype) {
        return Trace.call(() -> Tensor.zeros(new Type(dtype, Axes.shape("zeros", shape))));
    }

    public static Tensor ones(long... shape) {
        return ones(shape, DType.F32);
    }

    public static Tensor ones(int[] shape) {
        return ones(Axes.longs(shape));
    }

    public static Tensor ones(long[] shape, DType dtype) {
        return full(shape, 1, dtype);
    }

    /** Every element is {@code value}, in f32. */
    public static Tensor full(long[] shape, double value) {
        return full(shape, value, DType.F32);
    }

    public static Tensor full(long[] shape, double value, DType dtype) {
        Shape s = Axes.shape("full", shape);
        return Trace.call(() -> {
            Trace t = Trace.current();
            return Operators.E.expand(new Tensor(t.number(dtype, value)), s);
        });
    }

    public static Tensor full(long[] shape, long value, DType dtype) {
        Shape s = Axes.shape("full", shape);
        return Trace.call(() -> Operators.E.expand(new Tensor(Trace.current().number(dtype, value)), s));
    }

    /** Uniform in [0, 1): f32, PyTorch's numbers for the seed. */
    public static Tensor rand(long... shape) {
        return rand(shape, DType.F32);
    }

    public static Tensor rand(long[] shape, DType dtype) {
        return Draws.uniform(Axes.shape("rand", shape), dtype);
    }

    /** Standard normal: f32, PyTorch's numbers for the seed. */
    public static Tensor randn(long... shape) {
        return randn(shape, DType.F32);
    }

    public static Tensor randn(long[] shape, DType dtype) {
        return Draws.normal(Axes.shape("randn", shape), dtype);
    }

    /** Whole numbers in [low, high): i64. */
    public static Tensor randint(long low, long high, long... shape) {
        Shape s = Axes.shape("randint", shape);
        long[] v = new long[Math.toIntExact(s.numel())];
        Sinter.generator().randint(v, low, high);
        return from(v, s.toArray());
    }

    /** A random order of 0 … n-1: i64. */
    public static Tensor randperm(int n) {
        return from(Sinter.generator().permutation(n));
    }

    /** The identity matrix. */
    public static Tensor eye(long n) {
        return eye(n, n, DType.F32);
    }

    public static Tensor eye(long rows, long columns, DType dtype) {
        return Trace.call(() -> {
            Tensor r = Operators.E.iota(rows).unsqueeze(1);
            return Operators.cast(r.eq(Operators.E.iota(columns)), dtype);
        });
    }

    /** 0, 1, …, end - 1: i64. */
    public static Tensor arange(long end) {
        return arange(0, end, 1);
    }

    /** Whole numbers from {@code start} (included) to {@code end} (excluded): i64. */
    public static Tensor arange(long start, long end, long step) {
        if (step == 0 || (end - start) / step < 0)
            throw Errors.argument(
                    "arange(" + start + ", " + end + ", " + step + "): the step does not lead from start to end");
        long n = Math.max(0, Math.ceilDiv(end - start, step));
        return Trace.call(() -> {
            Tensor r = Operators.E.iota(n);
            if (step != 1) r = r.mul(step);
            return start == 0 ? r : r.add(start);
        });
    }

    /** Numbers from {@code start} (included) to {@code end} (excluded): f32. */
    public static Tensor arange(double start, double end, double step) {
        return arange(start, end, step, DType.F32);
    }

    /** Element i is {@code start + i * step}, computed in f64 and rounded once. */
    public static Tensor arange(double start, double end, double step, DType dtype) {
        double count = Math.ceil((end - start) / step);
        if (!(count >= 0) || count > Integer.MAX_VALUE) {
            throw Errors.argument(
                    "arange(" + start + ", " + end + ", " + step + "): the step does not lead from start to end");
        }
        double[] v = new double[(int) count];
        for (int i = 0; i < v.length; i++) v[i] = start + i * step;
        return rounded(v, dtype);
    }

    /** {@code steps} numbers from {@code start} to {@code end}, both included, evenly spaced: f32. */
    public static Tensor linspace(double start, double end, int steps) {
        return linspace(start, end, steps, DType.F32);
    }

    private static double truncated(double x) {
        return x < 0 ? Math.ceil(x) : Math.floor(x);
    }

    /** Computed from both ends towards the middle in f64, and rounded once. */
    public static Tensor linspace(double start, double end, int steps, DType dtype) {
        if (steps < 0) throw Errors.argument("linspace: " + steps + " steps");
        // Whole numbers go from whole ends.
        if (!dtype.isFloat() && (start != truncated(start) || end != truncated(end))) {
            return linspace(truncated(start), truncated(end), steps, dtype);
        }
        double[] v = new double[steps];
        double step = steps > 1 ? (end - start) / (steps - 1) : 0;
        for (int i = 0; i < steps; i++)
            v[i] = i < steps / 2 || steps == 1 ? start + i * step : end - (steps - 1 - i) * step;
        return rounded(v, dtype);
    }

    /** Powers of {@code base}, whose exponents are evenly spaced from {@code start} to {@code end}. */
    public static Tensor logspace(double start, double end, int steps, double base, DType dtype) {
        if (steps < 0) throw Errors.argument("logspace: " + steps + " steps");
        double[] v = new double[steps];
        double step = steps > 1 ? (end - start) / (steps - 1) : 0;
        for (int i = 0; i < steps; i++)
            v[i] = Math.pow(base, i < steps / 2 || steps == 1 ? start + i * step : end - (steps - 1 - i) * step);
        return rounded(v, dtype);
    }

    /** Row and column numbers, i64[2, n], of the elements on and below a diagonal. */
    public static Tensor trilIndices(long rows, long columns, long offset) {
        return triangle(rows, columns, offset, true);
    }

    /** Row and column numbers, i64[2, n], of the elements on and above a diagonal. */
    public static Tensor triuIndices(long rows, long columns, long offset) {
        return triangle(rows, columns, offset, false);
    }

    private static Tensor triangle(long rows, long columns, long offset, boolean lower) {
        java.util.stream.LongStream.Builder row = java.util.stream.LongStream.builder();
        java.util.stream.LongStream.Builder column = java.util.stream.LongStream.builder();
        for (long i = 0; i < rows; i++) {
            long start = lower ? 0 : Math.max(0, i + offset);
            long end = lower ? Math.min(columns, i + offset + 1) : columns;
            for (long j = start; j < end; j++) {
                row.add(i);
                column.add(j);
            }
        }
        long[] r = row.build().toArray();
        long[] both = java.util.Arrays.copyOf(r, 2 * r.length);
        System.arraycopy(column.build().toArray(), 0, both, r.length, r.length);
        return from(both, 2, r.length);
    }

    private static Tensor rounded(double[] v, DType dtype) {
        if (dtype == DType.F32) {
            float[] f = new float[v.length];
            for (int i = 0; i < f.length; i++) f[i] = (float) v[i];
            return from(f);
        }
        return Operators.cast(from(v), dtype);
    }
}
