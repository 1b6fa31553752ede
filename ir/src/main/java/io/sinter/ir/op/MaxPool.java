// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Greatest elements of windows over the last axes, as many as {@code kernel} has: {@code x[…, in…] ->
 * (values[…, out…], i64 places)}, a place being the row-major number within those axes of the first greatest
 * element; NaN is greater than everything. {@code out = (in + padLow + padHigh - dilation·(kernel-1) - 1) /
 * stride + 1}, rounded down. Padding is never the greatest; a window of padding alone gives the lowest value
 * and place 0. PyTorch's max_pool1d, 2d and 3d.
 */
public record MaxPool(long[] kernel, long[] stride, long[] padLow, long[] padHigh, long[] dilation) implements Routine {
    /** Of windows as elementwise code. */
    private static final long MOST_TAPS = 9;

    public MaxPool {
        kernel = kernel.clone();
        stride = stride.clone();
        padLow = padLow.clone();
        padHigh = padHigh.clone();
        dilation = dilation.clone();
    }

    @Override
    public String name() {
        return "max_pool";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("kernel", kernel);
        out.put("stride", stride);
        out.put("pad_low", padLow);
        out.put("pad_high", padHigh);
        out.put("dilation", dilation);
    }

    /** Number of pooled axes. */
    public int axes() {
        return kernel.length;
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Type x = in.get(0);
        int n = axes();
        for (long[] a : List.of(stride, padLow, padHigh, dilation)) {
            if (a.length != n || n == 0)
                throw OpException.of(
                        name(),
                        in,
                        "kernel, stride, padding and dilation must name the same axes, got %s",
                        attributeText());
        }
        if (x.dtype().isBool()) throw OpException.of(name(), in, "not defined for bool; use amax on windows (any)");
        if (x.rank() < n) throw OpException.of(name(), in, "pools %s axes, but operand 0 has rank %s", n, x.rank());
        Shape s = x.shape();
        for (int a = 0; a < n; a++) {
            int axis = x.rank() - n + a;
            if (kernel[a] < 1 || stride[a] < 1 || dilation[a] < 1 || padLow[a] < 0 || padHigh[a] < 0) {
                throw OpException.of(
                        name(),
                        in,
                        "kernel, stride and dilation must be positive and padding not " + "negative, got %s",
                        attributeText());
            }
            if (x.dim(axis) == 0)
                throw OpException.of(name(), in, "axis %s has no elements: nothing is the greatest of none", axis);
            long room = x.dim(axis) + padLow[a] + padHigh[a] - dilation[a] * (kernel[a] - 1) - 1;
            if (room < 0) {
                throw OpException.of(
                        name(),
                        in,
                        "the window covers %s elements, the padded axis %s has only %s; "
                                + "use a smaller kernel or more padding",
                        dilation[a] * (kernel[a] - 1) + 1,
                        axis,
                        x.dim(axis) + padLow[a] + padHigh[a]);
            }
            s = s.with(axis, room / stride[a] + 1);
        }
        Type values = x.with(s);
        return List.of(values, values.with(DType.I64));
    }

    private String attributeText() {
        return OpText.attributes(this);
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        if (!e.type(x).dtype().isFloat()) return Op.noGradient(call);
        // Windows may share their greatest element: the gradients meet there.
        Shape from = e.type(x).shape();
        int lead = from.rank() - axes();
        V zeros = e.reshape(e.zerosLike(x), flat(from, lead));
        V places = e.reshape(call.out(1), flat(e.type(call.out(1)).shape(), lead));
        V g = e.reshape(call.grad(0), e.type(places).shape());
        return List.of(e.reshape(e.apply(new Scatter(1, Put.Mode.ADD), zeros, places, g), from));
    }

    /** {@code [leading axes, pooled axes]} as two axes. */
    private static Shape flat(Shape s, int lead) {
        long planes = 1;
        long plane = 1;
        for (int i = 0; i < s.rank(); i++) {
            if (i < lead) planes *= s.dim(i);
            else plane *= s.dim(i);
        }
        return Shape.of(planes, plane);
    }

    /**
     * Whether {@link #values} is at least as fast as computing places too: windows of few elements that share none with each other, and no padding, of which
     * every window's elements would be compared with the edges.
     */
    public boolean isElementwise() {
        long taps = 1;
        for (int a = 0; a < axes(); a++) {
            if (padLow[a] != 0 || padHigh[a] != 0 || (kernel[a] - 1) * dilation[a] >= stride[a]) return false;
            taps *= kernel[a];
        }
        return taps <= MOST_TAPS;
    }

    /** The first result alone as elementwise code: for each place in a window the slice of all windows' elements there. There is no padding. */
    public <V> V values(Emitter<V> e, V x) {
        Type t = e.type(x);
        Shape out = infer(List.of(t)).get(0).shape();
        int lead = t.rank() - axes();
        long taps = 1;
        for (long k : kernel) taps *= k;
        V best = null;
        for (long tap = 0; tap < taps; tap++) {
            V y = x;
            long rest = tap;
            for (int a = axes() - 1; a >= 0; a--) {
                y = e.slice(y, lead + a, rest % kernel[a] * dilation[a], out.dim(lead + a), stride[a]);
                rest /= kernel[a];
            }
            if (best == null) {
                best = y;
                continue;
            }
            // The first of equals stays; a NaN takes over from any number, and from it only another NaN does.
            V takes = e.binary(Binary.GT, y, best);
            if (t.dtype().isFloat()) takes = e.binary(Binary.OR, takes, e.unary(Unary.ISNAN, y));
            best = e.where(takes, y, best);
        }
        return best;
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        List<Type> types = infer(List.of(x.type()));
        RefArray values = RefArray.zeros(types.get(0));
        RefArray places = RefArray.zeros(types.get(1));
        int lead = x.shape().rank() - axes();
        int plane = (int) flat(x.shape(), lead).dim(1);
        int windows = (int) flat(values.shape(), lead).dim(1);
        for (int o = 0; o < values.size(); o++) {
            int from = o / windows * plane;
            int best = greatest(x, values.shape(), from, o % windows);
            if (best < 0) values.set(o, lowest(x.dtype()));
            else values.copy(o, x, from + best);
            places.set(o, (long) Math.max(best, 0));
        }
        return List.of(values, places);
    }

    /** Place of the first greatest element under window {@code w} of the plane at {@code from}; -1 if there is none. */
    private int greatest(RefArray x, Shape out, int from, int w) {
        int taps = (int) Arrays.stream(kernel).reduce(1, (a, b) -> a * b);
        int best = -1;
        for (int t = 0; t < taps; t++) {
            int at = place(x.shape(), out, w, t);
            if (at >= 0 && (best < 0 || isGreater(x, from + at, from + best))) best = at;
        }
        return best;
    }

    private int place(Shape in, Shape out, int w, int t) {
        int at = 0;
        int step = 1;
        for (int a = axes() - 1; a >= 0; a--) {
            int axis = in.rank() - axes() + a;
            long i = w % out.dim(axis) * stride[a] - padLow[a] + t % kernel[a] * dilation[a];
            if (i < 0 || i >= in.dim(axis)) return -1;
            at += (int) i * step;
            step *= (int) in.dim(axis);
            w /= (int) out.dim(axis);
            t /= (int) kernel[a];
        }
        return at;
    }

    private static boolean isGreater(RefArray x, int i, int than) {
        if (!x.dtype().isFloat()) return x.getLong(i) > x.getLong(than);
        double v = x.getDouble(i);
        double w = x.getDouble(than);
        return !Double.isNaN(w) && (v > w || Double.isNaN(v));
    }

    /** What nothing is greater than: minus infinity, or the least integer. */
    public static double lowest(DType t) {
        return switch (t) {
            case F32, F64, F16, BF16 -> Double.NEGATIVE_INFINITY;
            case I64 -> Long.MIN_VALUE;
            case I32 -> Integer.MIN_VALUE;
            case I16 -> Short.MIN_VALUE;
            case I8 -> Byte.MIN_VALUE;
            case U8, BOOL -> 0;
        };
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        Type plane = Type.of(DType.F64, 2, 5, 6);
        s.add(Sample.smooth(of(2, 2, 2, 0, 1), Sample.distinct(plane, -1, 0.03, 1)));
        s.add(Sample.smooth(of(2, 3, 2, 1, 1), Sample.distinct(plane, -1, 0.03, 2)));
        s.add(Sample.smooth(of(2, 3, 1, 1, 1), Sample.distinct(plane, -1, 0.03, 3)));
        s.add(Sample.smooth(of(1, 2, 3, 0, 2), Sample.distinct(plane, -1, 0.03, 4)));
        s.add(Sample.smooth(of(3, 2, 2, 1, 1), Sample.distinct(Type.of(DType.F32, 2, 3, 4, 5), -1, 0.02, 5)));
        s.add(Sample.smooth(
                new MaxPool(a(2, 3), a(2, 1), a(0, 1), a(1, 0), a(1, 1)),
                Sample.distinct(Type.of(DType.F32, 1, 2, 7, 9), -1, 0.02, 6)));
        s.add(Sample.values(of(2, 3, 2, 1, 1), Sample.uniform(Type.of(DType.F32, 3, 2, 33, 40), -3, 3, 7)));
        s.add(Sample.values(of(2, 2, 2, 0, 1), Sample.uniform(Type.of(DType.F32, 1, 34, 40), -1, 1, 8)));
        s.add(Sample.values(of(2, 2, 2, 0, 1), RefArray.zeros(Type.of(DType.F32, 0, 4, 4))));
        double nan = Double.NaN;
        double inf = Double.POSITIVE_INFINITY;
        s.add(Sample.values(
                of(1, 3, 1, 1, 1), RefArray.of(DType.F32, Shape.of(9), 1, nan, 2, 2, -inf, -inf, -inf, 0, -0.0)));
        s.add(Sample.values(of(1, 2, 1, 0, 1), RefArray.of(DType.F64, Shape.of(6), -0.0, 0, -0.0, inf, nan, inf)));
        for (DType t : List.of(DType.F16, DType.BF16, DType.I64, DType.I32, DType.I16, DType.I8, DType.U8)) {
            s.add(Sample.values(of(2, 3, 2, 1, 1), Sample.uniform(Type.of(t, 2, 6, 5), t == DType.U8 ? 0 : -9, 9, 9)));
        }
        return s;
    }

    private static long[] a(long... v) {
        return v;
    }

    private static MaxPool of(int axes, long kernel, long stride, long pad, long dilation) {
        return new MaxPool(
                fill(axes, kernel), fill(axes, stride), fill(axes, pad), fill(axes, pad), fill(axes, dilation));
    }

    private static long[] fill(int n, long v) {
        long[] r = new long[n];
        Arrays.fill(r, v);
        return r;
    }
}
