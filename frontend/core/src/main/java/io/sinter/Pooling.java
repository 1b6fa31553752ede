// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Window;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Pooling and resizing of {@link F}. Inputs are [batch, channels, …] or [channels, …]. */
abstract sealed class Pooling extends Convolutions permits Normalizations {
    Pooling() {}

    public static Tensor maxPool1d(Tensor x, long kernel, long stride, long padding) {
        return maxPool(x, 1, a(kernel), a(stride), a(padding), a(1), false);
    }

    public static Tensor maxPool2d(Tensor x, long kernel) {
        return maxPool2d(x, kernel, kernel, 0);
    }

    /** Greatest elements of windows. */
    public static Tensor maxPool2d(Tensor x, long kernel, long stride, long padding) {
        return maxPool(x, 2, a(kernel), a(stride), a(padding), a(1), false);
    }

    /**
     * Greatest elements of windows over the last {@code n} axes; arrays of one element count for all axes.
     * The gradient goes to the first greatest element of each window.
     *
     * @param ceilMode a last window may reach beyond the padding
     */
    public static Tensor maxPool(
            Tensor x, int n, long[] kernel, long[] stride, long[] padding, long[] dilation, boolean ceilMode) {
        Windows w = Windows.of("maxPool", x, n, kernel, stride, padding, dilation, ceilMode);
        return w.maximum(x);
    }

    public static Tensor avgPool1d(Tensor x, long kernel, long stride, long padding) {
        return avgPool(x, 1, a(kernel), a(stride), a(padding), false, true, 0);
    }

    public static Tensor avgPool2d(Tensor x, long kernel) {
        return avgPool2d(x, kernel, kernel, 0);
    }

    /** Means of windows; padding counts as zeros. */
    public static Tensor avgPool2d(Tensor x, long kernel, long stride, long padding) {
        return avgPool(x, 2, a(kernel), a(stride), a(padding), false, true, 0);
    }

    /**
     * Means of windows over the last {@code n} axes.
     *
     * @param countIncludePad divide by the elements of the window, padding included, rather than by those
     *     inside the input
     * @param divisor divide by this instead; 0 for none
     */
    public static Tensor avgPool(
            Tensor x,
            int n,
            long[] kernel,
            long[] stride,
            long[] padding,
            boolean ceilMode,
            boolean countIncludePad,
            long divisor) {
        Windows w = Windows.of("avgPool", x, n, kernel, stride, padding, a(1), ceilMode);
        return Trace.call(() -> {
            Tensor sum = w.apply(x, 0).sum(w.kernelAxes(), false);
            // Means of whole numbers are cut to whole ones, as in PyTorch.
            if (divisor != 0)
                return x.dtype().isFloat()
                        ? sum.div(divisor)
                        : Operators.binary(io.sinter.ir.op.Binary.DIV, sum, Operators.number(sum, divisor));
            return Operators.binary(io.sinter.ir.op.Binary.DIV, sum, w.counts(x.dtype(), countIncludePad), x.dtype());
        });
    }

    /**
     * Means over as many windows as {@code output} says (one extent per axis); they cover the input and
     * differ by at most one element.
     */
    public static Tensor adaptiveAvgPool(Tensor x, long... output) {
        if (output.length > 0
                && output.length <= x.rank()
                && Arrays.stream(output).allMatch(m -> m == 1)) {
            // All at once: a row of all windows' elements is longer than one of each axis.
            int first = x.rank() - output.length;
            return x.mean(IntStream.range(first, x.rank()).toArray(), true);
        }
        return adaptive(x, output, (y, axis) -> y.mean(axis, true));
    }

    public static Tensor adaptiveAvgPool2d(Tensor x, long height, long width) {
        return adaptiveAvgPool(x, height, width);
    }

    /** Greatest elements over as many windows as {@code output} says; gradients as those of {@link #maxPool}. */
    public static Tensor adaptiveMaxPool(Tensor x, long... output) {
        return Trace.call(() -> {
            ValuesAndIndices r = F.adaptiveMaxPoolWithIndices(x, output);
            Dispatch.unread(r.indices());
            return r.values();
        });
    }

    private interface AxisFunction {
        Tensor apply(Tensor x, int axis);
    }

    private static Tensor adaptive(Tensor x, long[] output, AxisFunction f) {
        if (output.length > x.rank())
            throw Errors.argument("adaptive pooling", x, Arrays.toString(output) + " has more axes than the input");
        return Trace.call(() -> {
            Tensor y = x;
            for (int i = 0; i < output.length; i++) {
                int axis = x.rank() - output.length + i;
                long n = y.size(axis);
                long m = output[i];
                if (m == n) continue;
                if (m > 0 && n % m == 0) {
                    // Windows of one size, side by side.
                    y = f.apply(y.unflatten(axis, m, n / m), axis + 1).squeeze(axis + 1);
                    continue;
                }
                Tensor[] parts = new Tensor[(int) m];
                for (int k = 0; k < m; k++) {
                    long start = k * n / m;
                    long end = Math.ceilDiv((k + 1) * n, m);
                    parts[k] = f.apply(Movement.Moving.part(y, axis, start, end - start), axis);
                }
                y = Combining.cat(axis, parts);
            }
            return y;
        });
    }

    /** Windows over the last axes of an input: where they start, and how far the input must be padded. */
    record Windows(
            int n,
            long[] kernel,
            long[] stride,
            long[] dilation,
            long[] low,
            long[] high,
            long[] in,
            long[] out,
            int axis) {

        static Windows of(
                String name,
                Tensor x,
                int n,
                long[] kernel,
                long[] stride,
                long[] padding,
                long[] dilation,
                boolean ceilMode) {
            if (x.rank() != n + 2 && x.rank() != n + 1) {
                throw Errors.argument(name, x, "needs [batch, channels, " + n + " axes] or [channels, " + n + " axes]");
            }
            long[] k = spread(name, x, kernel, n);
            long[] s = stride.length == 0 ? k : spread(name, x, stride, n);
            long[] p = spread(name, x, padding, n);
            long[] d = spread(name, x, dilation, n);
            long[] high = p.clone();
            long[] in = new long[n];
            long[] out = new long[n];
            for (int i = 0; i < n; i++) {
                in[i] = x.size(x.rank() - n + i);
                if (k[i] < 1 || s[i] < 1 || d[i] < 1 || p[i] < 0 || 2 * p[i] > d[i] * (k[i] - 1) + 1) {
                    throw Errors.argument(
                            name,
                            x,
                            "kernel " + k[i] + ", stride " + s[i] + ", padding " + p[i] + ", dilation " + d[i]
                                    + ": extents must be positive and padding at most half of the kernel");
                }
                long span = d[i] * (k[i] - 1) + 1;
                long room = in[i] + 2 * p[i] - span;
                if (room < 0)
                    throw Errors.argument(
                            name,
                            x,
                            "the padded axis of extent " + (in[i] + 2 * p[i]) + " is smaller than the window, " + span);
                out[i] = (ceilMode ? Math.ceilDiv(room, s[i]) : room / s[i]) + 1;
                // The last window must start inside the input or its low padding.
                if (ceilMode && (out[i] - 1) * s[i] >= in[i] + p[i]) out[i]--;
                high[i] = Math.max(0, (out[i] - 1) * s[i] + span - in[i] - p[i]);
            }
            return new Windows(n, k, s, d, p, high, in, out, x.rank() - n);
        }

        /** The greatest element of each window. */
        Tensor maximum(Tensor x) {
            return Trace.call(() -> Dispatch.emitFirst(new MaxPool(kernel, stride, low, high, dilation), x));
        }

        /** The greatest element of each window, and its place in the flattened last axes. */
        ValuesAndIndices maxima(Tensor x) {
            return ValuesAndIndices.of(Dispatch.emitAll(new MaxPool(kernel, stride, low, high, dilation), x));
        }

        /** [leading, out…, kernel…]. */
        Tensor apply(Tensor x, double fill) {
            Tensor y = padded(x, fill);
            for (int i = 0; i < n; i++) {
                int a = axis + i;
                long span = dilation[i] * (kernel[i] - 1) + 1;
                long used = (out[i] - 1) * stride[i] + span;
                if (y.size(a) > used) y = Movement.Moving.part(y, a, 0, used);
                if (span == stride[i]) y = y.unflatten(a, out[i], span).movedim(a + 1, -1);
                else y = Dispatch.emit(new Window(a, span, stride[i]), y);
                if (dilation[i] > 1) {
                    y = Dispatch.emit(new io.sinter.ir.op.Slice(y.rank() - 1, 0, kernel[i], dilation[i], false), y);
                }
            }
            return y;
        }

        private Tensor padded(Tensor x, double fill) {
            boolean none = Arrays.stream(low).allMatch(v -> v == 0)
                    && Arrays.stream(high).allMatch(v -> v == 0);
            if (none) return x;
            long[] l = new long[x.rank()];
            long[] h = new long[x.rank()];
            System.arraycopy(low, 0, l, axis, n);
            System.arraycopy(high, 0, h, axis, n);
            Tensor y = Dispatch.emit(new Pad(l, h), x);
            if (fill == 0) return y;
            Tensor inside = Dispatch.emit(new Pad(l, h), Tensor.full(x.shape(), 1L, io.sinter.ir.DType.BOOL));
            return inside.where(y, Operators.constant(x, fill));
        }

        int[] kernelAxes() {
            int[] r = new int[n];
            for (int i = 0; i < n; i++) r[i] = axis + n + i;
            return r;
        }

        /** Number of elements to divide by: [out…], or a number where it is the same everywhere. */
        Tensor counts(io.sinter.ir.DType dtype, boolean includePad) {
            boolean same = true;
            Tensor product = null;
            long all = 1;
            for (int i = 0; i < n; i++) {
                double[] c = new double[(int) out[i]];
                for (int o = 0; o < c.length; o++) {
                    long start = o * stride[i] - low[i];
                    // Padding counts, but not what ceilMode adds behind it.
                    long end = Math.min(start + kernel[i], includePad ? in[i] + low[i] : in[i]);
                    c[o] = end - (includePad ? start : Math.max(start, 0));
                    same &= c[o] == kernel[i];
                }
                all *= kernel[i];
                long[] s = new long[n];
                Arrays.fill(s, 1);
                s[i] = c.length;
                Tensor t = Tensor.from(c, s).to(dtype);
                product = product == null ? t : product.mul(t);
            }
            return same ? Dispatch.emit(io.sinter.ir.op.Constant.derived(dtype, all)) : product;
        }
    }

    private static long[] a(long v) {
        return new long[] {v};
    }

    /**
     * Each element repeated along the last axes to the extents {@code size}: the element at {@code floor(i *
     * in / out)}.
     */
    public static Tensor interpolateNearest(Tensor x, long... size) {
        return Trace.call(() -> {
            Tensor y = x;
            for (int i = 0; i < size.length; i++) {
                int axis = x.rank() - size.length + i;
                long n = x.size(axis);
                long m = size[i];
                if (n == m) continue;
                long[] at = new long[(int) m];
                float scale = (float) n / m;
                for (int k = 0; k < m; k++) at[k] = Math.min((long) (k * scale), n - 1);
                y = y.indexSelect(axis, Tensor.from(at));
            }
            return y;
        });
    }

    /** Linear interpolation along each of the last axes (bilinear for two). */
    public static Tensor interpolateLinear(Tensor x, boolean alignCorners, long... size) {
        return Trace.call(() -> {
            Tensor y = x;
            // The last axis first, as PyTorch does: its elements are looked up one by one, and there are fewer before
            // the other axes have grown.
            for (int i = size.length - 1; i >= 0; i--)
                y = linear(y, x.rank() - size.length + i, (int) size[i], alignCorners);
            return y;
        });
    }

    private static Tensor linear(Tensor x, int axis, int m, boolean alignCorners) {
        long n = x.size(axis);
        long[] left = new long[m];
        long[] right = new long[m];
        double[] weight = new double[m];
        for (int k = 0; k < m; k++) {
            double at =
                    alignCorners ? (m > 1 ? (double) k * (n - 1) / (m - 1) : 0) : Math.max(0, (k + 0.5) * n / m - 0.5);
            left[k] = Math.min((long) at, n - 1);
            right[k] = Math.min(left[k] + 1, n - 1);
            weight[k] = at - left[k];
        }
        long[] s = new long[x.rank()];
        Arrays.fill(s, 1);
        s[axis] = m;
        Tensor w = Tensor.from(weight, s).to(x.dtype());
        Tensor a = x.indexSelect(axis, Tensor.from(left));
        Tensor b = x.indexSelect(axis, Tensor.from(right));
        return a.mul(w.rsub(1)).add(b.mul(w));
    }
}
