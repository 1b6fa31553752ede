// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.op.Slice;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * Images at other sizes, rearranged or padded from themselves: functions of {@link F}. Inputs are [batch,
 * channels, …].
 */
abstract sealed class Resampling extends MarginLosses permits GridSampling {
    Resampling() {}

    /**
     * Resizes the last axes, all behind the second ({@code torch.nn.functional.interpolate}).
     *
     * @param size the new extents, or null
     * @param scale their ratios to the old ones, or null; one number counts for all
     * @param mode "nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic" or "area"
     * @param alignCorners the outer elements stay at the outer positions; for linear and cubic modes
     * @param recomputeScale positions follow from the rounded extents rather than from {@code scale}
     */
    public static Tensor interpolate(
            Tensor x, long[] size, double[] scale, String mode, boolean alignCorners, boolean recomputeScale) {
        int n = x.rank() - 2;
        if (n < 1 || (size == null) == (scale == null))
            throw Errors.argument("interpolate", x, "needs [batch, channels, …] and either a size or a scale");
        long[] to = size == null ? new long[n] : spread("interpolate", x, size, n);
        double[] ratio = new double[n];
        for (int i = 0; i < n; i++) {
            double s = scale == null ? 0 : scale[scale.length == 1 ? 0 : i];
            if (size == null) to[i] = (long) Math.floor(x.size(i + 2) * s);
            // How far one step in the output leads in the input.
            ratio[i] = size == null && !recomputeScale ? 1 / s : (double) x.size(i + 2) / to[i];
        }
        return Trace.call(() -> {
            if (mode.equals("area")) return adaptiveAvgPool(x, to);
            Tensor y = x;
            for (int i = 0; i < n; i++) {
                int axis = i + 2;
                y = switch (mode) {
                    case "nearest" -> nearest(y, axis, to[i], ratio[i], 0);
                    case "nearest-exact" -> nearest(y, axis, to[i], ratio[i], 0.5);
                    case "linear", "bilinear", "trilinear" -> weighted(y, axis, to[i], ratio[i], alignCorners, false);
                    case "bicubic" -> weighted(y, axis, to[i], ratio[i], alignCorners, true);
                    default ->
                        throw Errors.argument(
                                "interpolate",
                                x,
                                "unknown mode '" + mode
                                        + "'; known: nearest, nearest-exact, linear, bilinear, trilinear, bicubic, area");
                };
            }
            return y;
        });
    }

    private static Tensor nearest(Tensor x, int axis, long to, double ratio, double shift) {
        long n = x.size(axis);
        float step = (float) ratio;
        long[] at = new long[Math.toIntExact(to)];
        for (int i = 0; i < at.length; i++) at[i] = Math.min((long) Math.floor((float) (i + shift) * step), n - 1);
        return x.indexSelect(axis, Tensor.from(at));
    }

    private static Tensor weighted(Tensor x, int axis, long to, double ratio, boolean alignCorners, boolean cubic) {
        long n = x.size(axis);
        int m = Math.toIntExact(to);
        int taps = cubic ? 4 : 2;
        long[][] at = new long[taps][m];
        double[][] weight = new double[taps][m];
        for (int i = 0; i < m; i++) {
            double p = alignCorners ? (m > 1 ? (double) i * (n - 1) / (m - 1) : 0) : (i + 0.5) * ratio - 0.5;
            if (!cubic) p = Math.max(0, p);
            long low = (long) Math.floor(p);
            if (!cubic) low = Math.min(low, n - 1);
            double t = p - low;
            for (int k = 0; k < taps; k++) {
                at[k][i] = Math.max(0, Math.min(n - 1, cubic ? low - 1 + k : low + k));
                weight[k][i] = cubic ? cubicWeight(Math.abs(t + 1 - k)) : k == 0 ? 1 - t : t;
            }
        }
        long[] s = new long[x.rank()];
        Arrays.fill(s, 1);
        s[axis] = m;
        Tensor sum = null;
        for (int k = 0; k < taps; k++) {
            Tensor part = x.indexSelect(axis, Tensor.from(at[k]))
                    .mul(Tensor.from(weight[k], s).to(x.dtype()));
            sum = sum == null ? part : sum.add(part);
        }
        return sum;
    }

    /** Cubic convolution (Keys, 1981) with a = -0.75. */
    private static double cubicWeight(double d) {
        double a = -0.75;
        if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    }

    /** Channels of [batch, C · r², H, W] as finer pixels: [batch, C, H · r, W · r]. */
    public static Tensor pixelShuffle(Tensor x, int factor) {
        long r = factor;
        if (x.rank() < 3 || r < 1 || x.size(-3) % (r * r) != 0)
            throw Errors.argument("pixelShuffle", x, "channels must divide by the square of " + r);
        return Trace.call(() -> {
            Tensor y = images(x);
            long c = y.size(1) / (r * r);
            long h = y.size(2);
            long w = y.size(3);
            y = y.reshape(y.size(0), c, r, r, h, w).permute(0, 1, 4, 2, 5, 3).reshape(y.size(0), c, h * r, w * r);
            return y.reshape(tail(x, c, h * r, w * r));
        });
    }

    /** The inverse of {@link #pixelShuffle}. */
    public static Tensor pixelUnshuffle(Tensor x, int factor) {
        long r = factor;
        if (x.rank() < 3 || r < 1 || x.size(-1) % r != 0 || x.size(-2) % r != 0) {
            throw Errors.argument("pixelUnshuffle", x, "height and width must divide by " + r);
        }
        return Trace.call(() -> {
            Tensor y = images(x);
            long c = y.size(1);
            long h = y.size(2) / r;
            long w = y.size(3) / r;
            y = y.reshape(y.size(0), c, h, r, w, r).permute(0, 1, 3, 5, 2, 4).reshape(y.size(0), c * r * r, h, w);
            return y.reshape(tail(x, c * r * r, h, w));
        });
    }

    private static Tensor images(Tensor x) {
        long batch = LongStream.of(x.shape()).limit(x.rank() - 3).reduce(1, (a, b) -> a * b);
        return x.reshape(batch, x.size(-3), x.size(-2), x.size(-1));
    }

    private static long[] tail(Tensor x, long... last) {
        long[] s = x.shape();
        System.arraycopy(last, 0, s, s.length - last.length, last.length);
        return s;
    }

    /** Channels (axis 1) of {@code groups} groups interleaved (Zhang et al., 2018). */
    public static Tensor channelShuffle(Tensor x, int groups) {
        if (x.rank() < 3 || groups < 1 || x.size(1) % groups != 0)
            throw Errors.argument("channelShuffle", x, "channels must divide by " + groups);
        return Trace.call(
                () -> x.unflatten(1, groups, x.size(1) / groups).transpose(1, 2).reshape(x.shape()));
    }

    /**
     * Blocks of [batch, C, H, W] as columns: [batch, C · kernel elements, number of blocks] ({@code
     * torch.nn.functional.unfold}).
     */
    public static Tensor unfold(Tensor x, long[] kernel, long[] dilation, long[] padding, long[] stride) {
        if (x.rank() != 4 && x.rank() != 3)
            throw Errors.argument("unfold", x, "needs [batch, channels, height, width]");
        long[] k = spread("unfold", x, kernel, 2);
        long[] d = spread("unfold", x, dilation, 2);
        long[] p = spread("unfold", x, padding, 2);
        long[] s = spread("unfold", x, stride, 2);
        return Trace.call(() -> {
            Tensor y = x.rank() == 3 ? x.unsqueeze(0) : x;
            y = pad(y, p[1], p[1], p[0], p[0]);
            for (int i = 0; i < 2; i++) {
                Tensor w = y.unfold(2 + i, d[i] * (k[i] - 1) + 1, s[i]);
                y = Dispatch.emit(new Slice(w.rank() - 1, 0, k[i], d[i], false), w);
            }
            // [N, C, blocks down, blocks across, kernel height, kernel width]
            long[] t = y.shape();
            Tensor r = y.permute(0, 1, 4, 5, 2, 3).reshape(t[0], t[1] * k[0] * k[1], t[2] * t[3]);
            return x.rank() == 3 ? r.squeeze(0) : r;
        });
    }

    /**
     * Pads the last axes, as {@link #pad(Tensor, long[], double)} does.
     *
     * @param mode "constant" (zeros), "reflect" (without the border), "replicate" (the border) or "circular"
     */
    public static Tensor pad(Tensor x, long[] padding, String mode) {
        if (mode.equals("constant")) return pad(x, padding);
        if (padding.length % 2 != 0 || padding.length > 2 * x.rank())
            throw Errors.argument("pad", x, "padding must have two numbers per axis");
        return Trace.call(() -> {
            Tensor y = x;
            for (int i = 0; i < padding.length / 2; i++) {
                int axis = x.rank() - 1 - i;
                long low = padding[2 * i];
                long m = x.size(axis) + low + padding[2 * i + 1];
                if (mode.equals("circular") && m >= 0) {
                    // What negative padding cuts off does not come back on the other side.
                    long cut = Math.min(low, 0);
                    y = Movement.Moving.part(y, axis, -cut, x.size(axis) + cut + Math.min(padding[2 * i + 1], 0));
                    low = Math.max(low, 0);
                }
                long n = y.size(axis);
                if (m < 0 || n == 0 && m > 0)
                    throw Errors.argument(
                            "pad", x, "padding " + Arrays.toString(padding) + " does not fit axis " + axis);
                if (low == 0 && m == n) continue;
                long[] at = new long[Math.toIntExact(m)];
                for (int k = 0; k < at.length; k++) at[k] = source(x, mode, k - low, n);
                y = y.indexSelect(axis, Tensor.from(at));
            }
            return y;
        });
    }

    private static long source(Tensor x, String mode, long at, long n) {
        long i =
                switch (mode) {
                    case "replicate" -> Math.max(0, Math.min(n - 1, at));
                    case "circular" -> at < 0 ? at + n : at >= n ? at - n : at;
                    case "reflect" -> at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
                    default ->
                        throw Errors.argument(
                                "pad", x, "unknown mode '" + mode + "'; known: constant, reflect, replicate, circular");
                };
        if (i < 0 || i >= n) throw Errors.argument("pad", x, mode + " padding is larger than the axis of extent " + n);
        return i;
    }
}
