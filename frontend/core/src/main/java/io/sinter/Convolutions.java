// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Shape;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.Pad;
import java.util.Arrays;

/** Linear maps of {@link F}: dense, convolutional, transposed convolutional; and padding. */
abstract sealed class Convolutions extends Activations permits Pooling {
    private static final long[] ONE = {1};
    private static final long[] ZERO = {0};

    Convolutions() {}

    /** {@code x @ weight.T + bias}; weight is [out, in]; bias may be null. */
    public static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
        long in = weight.size(-1);
        if (x.rank() == 0 || x.size(-1) != in) {
            throw Errors.argument("linear", x, weight, "the input's last extent must be the weight's, " + in);
        }
        return Trace.call(() -> {
            Tensor y = x.matmul(weight.rank() == 1 ? weight : weight.t());
            return bias == null ? y : y.add(bias);
        });
    }

    /** {@code x1ᵀ W x2 + bias}, for each output one W; weight is [out, in1, in2]. */
    public static Tensor bilinear(Tensor x1, Tensor x2, Tensor weight, Tensor bias) {
        return Trace.call(() -> {
            // sum over i, j of x1[…,i] W[o,i,j] x2[…,j]
            Tensor left = x1.matmul(weight.permute(1, 0, 2).reshape(weight.size(1), -1));
            long[] s = x1.shape();
            long[] to = Arrays.copyOf(s, s.length + 1);
            to[s.length - 1] = weight.size(0);
            to[s.length] = weight.size(2);
            Tensor y = left.reshape(to).mul(x2.unsqueeze(-2)).sum(-1);
            return bias == null ? y : y.add(bias);
        });
    }

    /** x [N, C, L] or [C, L]; weight [O, C / groups, K]; bias may be null. */
    public static Tensor conv1d(
            Tensor x, Tensor weight, Tensor bias, long[] stride, long[] padding, long[] dilation, int groups) {
        return convolve("conv1d", 1, x, weight, bias, stride, padding, dilation, groups);
    }

    public static Tensor conv1d(Tensor x, Tensor weight, Tensor bias) {
        return conv1d(x, weight, bias, ONE, ZERO, ONE, 1);
    }

    /**
     * x [N, C, H, W] or [C, H, W]; weight [O, C / groups, KH, KW]; bias may be null. Arrays of one element
     * count for all axes.
     */
    public static Tensor conv2d(
            Tensor x, Tensor weight, Tensor bias, long[] stride, long[] padding, long[] dilation, int groups) {
        return convolve("conv2d", 2, x, weight, bias, stride, padding, dilation, groups);
    }

    public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias) {
        return conv2d(x, weight, bias, ONE, ZERO, ONE, 1);
    }

    public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, long stride, long padding) {
        return conv2d(x, weight, bias, new long[] {stride}, new long[] {padding}, ONE, 1);
    }

    /** x [N, C, D, H, W] or [C, D, H, W]. */
    public static Tensor conv3d(
            Tensor x, Tensor weight, Tensor bias, long[] stride, long[] padding, long[] dilation, int groups) {
        return convolve("conv3d", 3, x, weight, bias, stride, padding, dilation, groups);
    }

    public static Tensor conv3d(Tensor x, Tensor weight, Tensor bias) {
        return conv3d(x, weight, bias, ONE, ZERO, ONE, 1);
    }

    /**
     * Padding such that a convolution of stride 1 keeps the extents ({@code padding="same"}); the larger half
     * goes behind.
     */
    public static Tensor convSame(Tensor x, Tensor weight, Tensor bias, long[] dilation, int groups) {
        if (!x.dtype().isFloat()) return whole(x, weight, bias, (y, w, b) -> convSame(y, w, b, dilation, groups));
        int n = weight.rank() - 2;
        long[] d = spread("convSame", x, dilation, n);
        long[] low = new long[n];
        long[] high = new long[n];
        for (int i = 0; i < n; i++) {
            long total = d[i] * (weight.size(2 + i) - 1);
            low[i] = total / 2;
            high[i] = total - low[i];
        }
        long[] stride = new long[n];
        Arrays.fill(stride, 1);
        return Trace.call(() ->
                batched(x, n, y -> withBias(Dispatch.emit(new Conv(stride, low, high, d, groups), y, weight), bias)));
    }

    private static Tensor convolve(
            String name,
            int n,
            Tensor x,
            Tensor weight,
            Tensor bias,
            long[] stride,
            long[] padding,
            long[] dilation,
            int groups) {
        check(name, n, x, weight);
        long[] p = spread(name, x, padding, n);
        if (!x.dtype().isFloat())
            return whole(x, weight, bias, (y, w, b) -> convolve(name, n, y, w, b, stride, padding, dilation, groups));
        Conv op = new Conv(spread(name, x, stride, n), p, p, spread(name, x, dilation, n), groups);
        return Trace.call(() -> batched(x, n, y -> withBias(Dispatch.emit(op, y, weight), bias)));
    }

    private interface Convolution {
        Tensor apply(Tensor x, Tensor weight, Tensor bias);
    }

    /** Whole numbers are convolved in f64, which is exact below 2^53. */
    private static Tensor whole(Tensor x, Tensor weight, Tensor bias, Convolution f) {
        return Trace.call(() -> f.apply(x.toDouble(), weight.toDouble(), bias == null ? null : bias.toDouble())
                .to(x.dtype()));
    }

    private static void check(String name, int n, Tensor x, Tensor weight) {
        if (x.rank() != n + 2 && x.rank() != n + 1 || weight.rank() != n + 2) {
            throw Errors.argument(
                    name,
                    x,
                    weight,
                    "needs an input of rank " + (n + 2) + " ([batch, channels, …]) or " + (n + 1)
                            + " and a weight of rank " + (n + 2));
        }
    }

    /** {@code f} on a batch: an input without batch axis is a batch of one. */
    static Tensor batched(Tensor x, int n, java.util.function.UnaryOperator<Tensor> f) {
        return x.rank() == n + 2 ? f.apply(x) : f.apply(x.unsqueeze(0)).squeeze(0);
    }

    private static Tensor withBias(Tensor y, Tensor bias) {
        if (bias == null) return y;
        long[] s = new long[y.rank()];
        Arrays.fill(s, 1);
        s[1] = bias.numel();
        return y.add(bias.reshape(s));
    }

    static long[] spread(String name, Tensor x, long[] v, int n) {
        if (v.length == n) return v;
        if (v.length != 1) throw Errors.argument(name, x, Arrays.toString(v) + " must have 1 or " + n + " numbers");
        long[] r = new long[n];
        Arrays.fill(r, v[0]);
        return r;
    }

    /** Transposed convolution, the gradient of a convolution by its input: weight [C, O / groups, K]. */
    public static Tensor convTranspose1d(
            Tensor x,
            Tensor weight,
            Tensor bias,
            long[] stride,
            long[] padding,
            long[] outputPadding,
            int groups,
            long[] dilation) {
        return transposed("convTranspose1d", 1, x, weight, bias, stride, padding, outputPadding, groups, dilation);
    }

    /** Transposed convolution: weight [C, O / groups, KH, KW]. */
    public static Tensor convTranspose2d(
            Tensor x,
            Tensor weight,
            Tensor bias,
            long[] stride,
            long[] padding,
            long[] outputPadding,
            int groups,
            long[] dilation) {
        return transposed("convTranspose2d", 2, x, weight, bias, stride, padding, outputPadding, groups, dilation);
    }

    /** Transposed convolution: weight [C, O / groups, KD, KH, KW]. */
    public static Tensor convTranspose3d(
            Tensor x,
            Tensor weight,
            Tensor bias,
            long[] stride,
            long[] padding,
            long[] outputPadding,
            int groups,
            long[] dilation) {
        return transposed("convTranspose3d", 3, x, weight, bias, stride, padding, outputPadding, groups, dilation);
    }

    private static Tensor transposed(
            String name,
            int n,
            Tensor x,
            Tensor weight,
            Tensor bias,
            long[] stride,
            long[] padding,
            long[] outputPadding,
            int groups,
            long[] dilation) {
        check(name, n, x, weight);
        if (!x.dtype().isFloat()) {
            return whole(
                    x,
                    weight,
                    bias,
                    (y, w, b) -> transposed(name, n, y, w, b, stride, padding, outputPadding, groups, dilation));
        }
        long[] s = spread(name, x, stride, n);
        long[] p = spread(name, x, padding, n);
        long[] d = spread(name, x, dilation, n);
        long[] extra = spread(name, x, outputPadding, n);
        return Trace.call(() -> batched(x, n, y -> {
            long[] out = new long[n + 2];
            out[0] = y.size(0);
            out[1] = weight.size(1) * groups;
            if (groups == 1 && y.size(1) == weight.size(0) && isPixel(y, p, d, extra))
                return withBias(spreadPixel(y, weight), bias);
            long[] high = new long[n];
            long[] beyond = new long[2 * n];
            for (int i = 0; i < n; i++) {
                // Output padding uncovers what the padding cut off; beyond that there is nothing.
                high[i] = Math.max(0, p[i] - extra[i]);
                beyond[2 * (n - 1 - i) + 1] = Math.max(0, extra[i] - p[i]);
                out[2 + i] = (y.size(2 + i) - 1) * s[i] - p[i] - high[i] + d[i] * (weight.size(2 + i) - 1) + 1;
            }
            Shape shape = Axes.shape(name, out);
            Tensor r = Dispatch.emit(new ConvInputGrad(shape, s, p, high, d, groups), y, weight);
            if (Arrays.stream(beyond).anyMatch(v -> v > 0)) r = pad(r, beyond);
            return withBias(r, bias);
        }));
    }

    /** Images of one pixel, of which each element of the output sees one product of each channel. */
    private static boolean isPixel(Tensor x, long[] padding, long[] dilation, long[] outputPadding) {
        for (int i = 0; i < padding.length; i++) {
            if (x.size(2 + i) != 1 || padding[i] != 0 || outputPadding[i] != 0 || dilation[i] != 1) return false;
        }
        return true;
    }

    /** [N, C, 1, …] · [C, O · K] as [N, O, K]: as a convolution all but one product would be with padding. */
    private static Tensor spreadPixel(Tensor x, Tensor weight) {
        long[] out = weight.shape();
        out[0] = x.size(0);
        return x.flatten(1, -1).matmul(weight.flatten(1, -1)).reshape(out);
    }

    /**
     * Zeros around the last axes: {@code padding} is (low, high) of the last axis, then of the one before, …;
     * negative numbers cut off.
     */
    public static Tensor pad(Tensor x, long... padding) {
        return pad(x, padding, 0);
    }

    /** As {@link #pad(Tensor, long...)}, with {@code value} instead of zeros. */
    public static Tensor pad(Tensor x, long[] padding, double value) {
        if (padding.length % 2 != 0 || padding.length > 2 * x.rank()) {
            throw Errors.argument(
                    "pad",
                    x,
                    "padding " + Arrays.toString(padding) + " must have two numbers per axis, for at most " + x.rank()
                            + " axes");
        }
        return Trace.call(() -> {
            int r = x.rank();
            long[] low = new long[r];
            long[] high = new long[r];
            Tensor y = x;
            for (int i = 0; i < padding.length / 2; i++) {
                int a = r - 1 - i;
                long l = padding[2 * i];
                long h = padding[2 * i + 1];
                long n = x.type().dim(a) + Math.min(l, 0) + Math.min(h, 0);
                if (n < 0)
                    throw Errors.argument(
                            "pad", x, "padding " + Arrays.toString(padding) + " cuts off more than there is");
                if (l < 0 || h < 0) y = Movement.Moving.part(y, a, Math.max(0, -l), n);
                low[a] = Math.max(0, l);
                high[a] = Math.max(0, h);
            }
            Tensor padded = Dispatch.emit(new Pad(low, high), y);
            if (value == 0) return padded;
            Tensor inside = Dispatch.emit(new Pad(low, high), Tensor.full(y.shape(), 1L, io.sinter.ir.DType.BOOL));
            return inside.where(padded, Operators.number(x, value).to(x.dtype()));
        });
    }
}
