// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What {@link Conv} and its two gradients share: which input element meets which weight in which output
 * element. {@code x[N,C,in…]}, {@code w[O,C/groups,k…]}, {@code y[N,O,out…]}; {@code in = out·stride - padLow
 * + k·dilation}.
 */
record ConvGeometry(long[] stride, long[] padLow, long[] padHigh, long[] dilation, int groups) {
    int spatial() {
        return stride.length;
    }

    /** Writes the attributes. */
    void attributes(Attrs out) {
        out.put("stride", stride);
        out.put("pad_low", padLow);
        out.put("pad_high", padHigh);
        out.put("dilation", dilation);
        out.put("groups", groups);
    }

    /** Extent of a kernel with its holes. */
    private long reach(int a, long k) {
        return dilation[a] * (k - 1) + 1;
    }

    /**
     * The shape of y.
     *
     * @param op the operator whose operands {@code in} the error names
     */
    Shape output(Op op, List<Type> in, Shape x, Shape w) {
        int n = spatial();
        if (n < 1 || n > 3 || padLow.length != n || padHigh.length != n || dilation.length != n) {
            throw OpException.of(
                    op.name(),
                    in,
                    "needs 1 to 3 spatial axes, and stride, padding and dilation for each; "
                            + "got stride %s, padding %s and %s, dilation %s",
                    Arrays.toString(stride),
                    Arrays.toString(padLow),
                    Arrays.toString(padHigh),
                    Arrays.toString(dilation));
        }
        for (int a = 0; a < n; a++) {
            if (stride[a] < 1 || dilation[a] < 1 || padLow[a] < 0 || padHigh[a] < 0) {
                throw OpException.of(
                        op.name(),
                        in,
                        "stride and dilation must be at least 1, padding at least 0; got stride "
                                + "%s, dilation %s, padding %s and %s",
                        stride[a],
                        dilation[a],
                        padLow[a],
                        padHigh[a]);
            }
        }
        if (x.rank() != n + 2 || w.rank() != n + 2) {
            throw OpException.of(
                    op.name(),
                    in,
                    "with %s spatial axes input and weight must have rank %s, got input %s "
                            + "and weight %s; add a batch axis with reshape",
                    n,
                    n + 2,
                    x,
                    w);
        }
        if (groups < 1 || x.dim(1) != w.dim(1) * groups || w.dim(0) % groups != 0) {
            throw OpException.of(
                    op.name(),
                    in,
                    "input %s has %s channels, weight %s is for %s in %s groups with %s "
                            + "outputs; channels must be weight axis 1 times groups, and outputs a "
                            + "multiple of groups",
                    x,
                    x.dim(1),
                    w,
                    w.dim(1) * groups,
                    groups,
                    w.dim(0));
        }
        long[] d = new long[n + 2];
        d[0] = x.dim(0);
        d[1] = w.dim(0);
        for (int a = 0; a < n; a++) {
            long k = w.dim(a + 2);
            long padded = x.dim(a + 2) + padLow[a] + padHigh[a];
            if (k < 1 || reach(a, k) > padded) {
                throw OpException.of(
                        op.name(),
                        in,
                        "kernel extent %s%s does not fit spatial axis %s of extent %s (padding "
                                + "included); pad more or use a smaller kernel",
                        k,
                        dilation[a] > 1 ? " with dilation " + dilation[a] : "",
                        a,
                        padded);
            }
            d[a + 2] = (padded - reach(a, k)) / stride[a] + 1;
        }
        return Shape.of(d);
    }

    /**
     * One meeting: element {@code x} of the input, {@code w} of the weight, {@code y} of the output
     * (row-major numbers).
     */
    interface Tap {
        void at(int x, int w, int y);
    }

    /** Visits every multiplication of the convolution; those in the padding are left out. */
    void forEachTap(Shape x, Shape w, Shape y, Tap tap) {
        int channels = (int) w.dim(1);
        int outputs = (int) w.dim(0);
        int points = area(y);
        int taps = area(w);
        for (int n = 0; n < x.dim(0); n++) {
            for (int o = 0; o < outputs; o++) {
                int group = o / (outputs / groups);
                for (int c = 0; c < channels; c++) {
                    int plane = (n * (int) x.dim(1) + group * channels + c) * area(x);
                    for (int p = 0; p < points; p++) {
                        for (int q = 0; q < taps; q++) {
                            int at = position(x, y, w, p, q);
                            if (at >= 0)
                                tap.at(plane + at, (o * channels + c) * taps + q, (n * outputs + o) * points + p);
                        }
                    }
                }
            }
        }
    }

    /** Number of positions of the spatial axes. */
    private static int area(Shape s) {
        int n = 1;
        for (int i = 2; i < s.rank(); i++) n *= (int) s.dim(i);
        return n;
    }

    /**
     * Spatial number of the input element under output position {@code p} and kernel position {@code q}; -1
     * in the padding.
     */
    private int position(Shape x, Shape y, Shape w, int p, int q) {
        int at = 0;
        int step = 1;
        for (int a = spatial() - 1; a >= 0; a--) {
            int out = p % (int) y.dim(a + 2);
            int k = q % (int) w.dim(a + 2);
            p /= (int) y.dim(a + 2);
            q /= (int) w.dim(a + 2);
            long i = out * stride[a] - padLow[a] + k * dilation[a];
            if (i < 0 || i >= x.dim(a + 2)) return -1;
            at += (int) i * step;
            step *= (int) x.dim(a + 2);
        }
        return at;
    }

    /** The input elements under each output element: {@code [N,C,in…] -> [N,C,out…,k…]}. */
    <V> V windows(Emitter<V> e, V x, Shape w) {
        V v = x;
        if (Arrays.stream(padLow).sum() + Arrays.stream(padHigh).sum() > 0) {
            v = e.apply(new Pad(spatialOnly(padLow), spatialOnly(padHigh)), v);
        }
        for (int a = 0; a < spatial(); a++) v = window(e, v, a, w.dim(a + 2), stride[a], false);
        return v;
    }

    /**
     * Spatial axis {@code a} becomes its windows of {@code k} elements, dilated; their elements, reversed if
     * {@code flip}, a new last axis.
     */
    private <V> V window(Emitter<V> e, V v, int a, long k, long step, boolean flip) {
        v = e.apply(new Window(a + 2, reach(a, k), step), v);
        if (dilation[a] == 1 && !flip) return v;
        int last = e.type(v).rank() - 1;
        return flip
                ? e.apply(new Slice(last, reach(a, k) - 1, k, -dilation[a], false), v)
                : e.apply(new Slice(last, 0, k, dilation[a], false), v);
    }

    private static long[] spatialOnly(long[] perSpatialAxis) {
        long[] all = new long[perSpatialAxis.length + 2];
        System.arraycopy(perSpatialAxis, 0, all, 2, perSpatialAxis.length);
        return all;
    }

    /**
     * The output elements that each input element takes part in, in the order of the weights: {@code
     * dy[N,O,out…] -> [N,O,in…,k…]}. This is {@code dy} with stride-1 zeros between its elements, padded,
     * under a flipped kernel.
     */
    <V> V transposedWindows(Emitter<V> e, V dy, Shape x, Shape w) {
        V v = dy;
        for (int a = 0; a < spatial(); a++) v = spread(e, v, a, x.dim(a + 2), w.dim(a + 2));
        for (int a = 0; a < spatial(); a++) v = window(e, v, a, w.dim(a + 2), 1, true);
        return v;
    }

    private <V> V spread(Emitter<V> e, V v, int a, long extent, long k) {
        int axis = a + 2;
        if (stride[a] > 1) {
            Shape s = e.type(v).shape();
            long[] none = new long[s.rank() + 1];
            long[] gap = none.clone();
            gap[axis + 1] = stride[a] - 1;
            V gaps = e.apply(new Pad(none, gap), e.reshape(v, s.insert(axis + 1, 1)));
            v = e.reshape(gaps, s.with(axis, s.dim(axis) * stride[a]));
        }
        // Elements that the first and the last input position look at; padding of the forward pass
        // beyond the kernel crops.
        long length = e.type(v).dim(axis);
        long before = reach(a, k) - 1 - padLow[a];
        long size = extent + reach(a, k) - 1;
        long low = Math.max(0, before);
        long start = Math.max(0, -before);
        long high = Math.max(0, start + size - low - length);
        if (low + high > 0) {
            long[] lows = new long[e.type(v).rank()];
            long[] highs = lows.clone();
            lows[axis] = low;
            highs[axis] = high;
            v = e.apply(new Pad(lows, highs), v);
        }
        return size == low + length + high ? v : e.apply(new Slice(axis, start, size, 1, false), v);
    }

    /**
     * Splits axis 1 into groups and inserts an extent of 1: {@code [N,C,…] -> [N,G,1,C/G,…]} or {@code
     * [N,G,C/G,1,…]}.
     */
    <V> V grouped(Emitter<V> e, V v, boolean oneFirst) {
        Shape s = e.type(v).shape();
        Shape g = s.with(1, s.dim(1) / groups).insert(1, groups);
        return e.reshape(v, g.insert(oneFirst ? 2 : 3, 1));
    }

    /** The weight as a factor: {@code [O,C/G,k…] -> [1,G,O/G,C/G,1…,k…]}. */
    <V> V weight(Emitter<V> e, V w) {
        Shape s = e.type(w).shape();
        Shape g = s.with(0, s.dim(0) / groups).insert(0, groups).insert(0, 1);
        for (int a = 0; a < spatial(); a++) g = g.insert(4, 1);
        return e.reshape(w, g);
    }

    /** {@code count} axes from {@code first} on, after the axis {@code before} (left out if negative). */
    static int[] axes(int before, int first, int count) {
        int[] r = new int[before < 0 ? count : count + 1];
        int n = 0;
        if (before >= 0) r[n++] = before;
        for (int i = 0; i < count; i++) r[n++] = first + i;
        return r;
    }

    /** A convolution for samples. */
    record Case(DType dtype, Conv conv, Shape x, Shape w) {}

    /**
     * Cases with one to three spatial axes, strides, dilations, uneven paddings, groups, odd sizes and no
     * images.
     */
    static List<Case> cases() {
        List<Case> c = new ArrayList<>();
        DType d = DType.F64;
        DType f = DType.F32;
        c.add(new Case(d, conv(1, 1, 0, 0, 1, 1), Shape.of(2, 3, 7), Shape.of(4, 3, 3)));
        c.add(new Case(d, conv(1, 2, 2, 1, 2, 1), Shape.of(1, 2, 8), Shape.of(3, 2, 3)));
        c.add(new Case(d, conv(2, 1, 1, 1, 1, 1), Shape.of(1, 2, 4, 4), Shape.of(2, 2, 3, 3)));
        c.add(new Case(d, conv(2, 2, 1, 0, 1, 2), Shape.of(1, 4, 3, 3), Shape.of(4, 2, 2, 2)));
        c.add(new Case(d, conv(2, 3, 3, 3, 1, 1), Shape.of(1, 1, 4, 5), Shape.of(2, 1, 2, 1)));
        c.add(new Case(d, conv(3, 2, 1, 1, 1, 1), Shape.of(1, 2, 2, 3, 3), Shape.of(1, 2, 2, 3, 2)));
        c.add(new Case(f, conv(2, 1, 0, 0, 1, 1), Shape.of(3, 5, 6, 7), Shape.of(9, 5, 1, 1)));
        c.add(new Case(f, conv(2, 1, 1, 1, 1, 6), Shape.of(2, 6, 9, 9), Shape.of(6, 1, 3, 3)));
        c.add(new Case(f, conv(2, 1, 2, 2, 2, 1), Shape.of(2, 3, 11, 9), Shape.of(8, 3, 3, 3)));
        c.add(new Case(f, conv(2, 2, 3, 3, 1, 1), Shape.of(1, 3, 15, 17), Shape.of(4, 3, 7, 7)));
        c.add(new Case(f, conv(2, 1, 0, 0, 1, 1), Shape.of(4, 1, 8, 8), Shape.of(16, 1, 8, 8)));
        c.add(new Case(f, conv(2, 1, 0, 0, 1, 1), Shape.of(0, 2, 4, 4), Shape.of(3, 2, 3, 3)));
        // Extents that are multiples of the stride.
        c.add(new Case(f, conv(2, 2, 1, 1, 1, 1), Shape.of(2, 3, 8, 12), Shape.of(4, 3, 3, 3)));
        c.add(new Case(d, conv(2, 2, 2, 1, 1, 2), Shape.of(1, 4, 8, 6), Shape.of(6, 2, 5, 4)));
        c.add(new Case(f, conv(2, 3, 1, 0, 1, 1), Shape.of(2, 2, 9, 6), Shape.of(3, 2, 4, 2)));
        c.add(new Case(f, conv(2, 2, 0, 0, 1, 1), Shape.of(2, 3, 8, 8), Shape.of(4, 3, 1, 1)));
        c.add(new Case(f, conv(3, 1, 1, 0, 1, 3), Shape.of(1, 3, 4, 5, 6), Shape.of(6, 1, 3, 2, 3)));
        // Images large enough to be laid out under windows: steps, residues, dilations, groups, rows of padding, 1×1.
        c.add(new Case(f, conv(2, 1, 1, 1, 1, 1), Shape.of(2, 3, 8, 9), Shape.of(7, 3, 3, 3)));
        c.add(new Case(f, conv(2, 2, 1, 1, 1, 1), Shape.of(2, 2, 14, 16), Shape.of(5, 2, 3, 3)));
        c.add(new Case(f, conv(2, 2, 3, 3, 1, 1), Shape.of(1, 2, 14, 16), Shape.of(3, 2, 7, 7)));
        c.add(new Case(f, conv(2, 2, 0, 0, 1, 1), Shape.of(1, 3, 16, 14), Shape.of(4, 3, 1, 1)));
        c.add(new Case(f, conv(2, 2, 2, 1, 2, 2), Shape.of(1, 4, 17, 15), Shape.of(4, 2, 3, 2)));
        c.add(new Case(f, conv(2, 3, 2, 2, 1, 1), Shape.of(1, 2, 21, 24), Shape.of(3, 2, 4, 5)));
        c.add(new Case(f, conv(1, 1, 2, 2, 1, 1), Shape.of(2, 2, 50), Shape.of(3, 2, 5)));
        c.add(new Case(f, conv(3, 1, 1, 1, 1, 1), Shape.of(1, 2, 3, 5, 7), Shape.of(2, 2, 3, 3, 3)));
        c.add(new Case(d, conv(2, 1, 2, 1, 1, 1), Shape.of(1, 2, 7, 9), Shape.of(2, 2, 4, 4)));
        c.add(new Case(DType.BF16, conv(2, 1, 1, 1, 1, 1), Shape.of(1, 3, 8, 8), Shape.of(3, 3, 3, 3)));
        c.add(new Case(DType.F16, conv(2, 2, 1, 1, 1, 1), Shape.of(1, 2, 14, 14), Shape.of(3, 2, 3, 3)));
        c.add(new Case(DType.F16, conv(2, 1, 1, 1, 1, 1), Shape.of(1, 4, 5, 5), Shape.of(3, 4, 3, 3)));
        c.add(new Case(DType.BF16, conv(1, 1, 1, 1, 1, 1), Shape.of(1, 4, 9), Shape.of(3, 4, 3)));
        return c;
    }

    private static Conv conv(int spatial, long stride, long low, long high, long dilation, int groups) {
        return new Conv(all(spatial, stride), all(spatial, low), all(spatial, high), all(spatial, dilation), groups);
    }

    private static long[] all(int n, long v) {
        long[] r = new long[n];
        Arrays.fill(r, v);
        return r;
    }
}
