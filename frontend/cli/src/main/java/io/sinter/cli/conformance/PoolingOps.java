// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.List;

/** Pooling, padding and resizing. */
final class PoolingOps {
    private static final String NN = "nn.functional.";

    /** grid_sampler's numbers. */
    private static final List<String> MODES = List.of("bilinear", "nearest", "bicubic");

    private static final List<String> PADDINGS = List.of("zeros", "border", "reflection");

    private PoolingOps() {}

    static void register(Registry r) {
        for (int n = 1; n <= 3; n++) {
            int axes = n;
            r.add(NN + "max_pool" + n + "d", a -> maxPool(a, axes));
            r.add(
                    NN + "avg_pool" + n + "d",
                    a -> F.avgPool(
                            a.x(),
                            axes,
                            a.longs(1, "kernel_size"),
                            a.longs(2, "stride"),
                            a.longs(3, "padding", 0),
                            a.flag(4, "ceil_mode", false),
                            a.flag(5, "count_include_pad", true),
                            axes == 1 ? 0 : a.integer(6, "divisor_override", 0)));
            r.add(NN + "adaptive_avg_pool" + n + "d", a -> F.adaptiveAvgPool(a.x(), extents(a, axes)));
            r.add(
                    NN + "adaptive_max_pool" + n + "d",
                    a -> a.flag(2, "return_indices", false)
                            ? F.adaptiveMaxPoolWithIndices(a.x(), extents(a, axes))
                            : F.adaptiveMaxPool(a.x(), extents(a, axes)));
            r.add(NN + "max_unpool" + n + "d", a -> unpool(a, axes));
        }
        r.add(NN + "pad", a -> {
            String mode = a.text(2, "mode", "constant");
            long[] padding = a.longs(1, "pad");
            return mode.equals("constant")
                    ? F.pad(a.x(), padding, a.number(3, "value", 0))
                    : F.pad(a.x(), padding, mode);
        });
        r.add("constant_pad_nd", a -> F.pad(a.x(), a.longs(1, "pad"), a.number(2, "value", 0)));
        r.add(NN + "pixel_shuffle", a -> F.pixelShuffle(a.x(), a.axis(1, "upscale_factor")));
        r.add(NN + "pixel_unshuffle", a -> F.pixelUnshuffle(a.x(), a.axis(1, "downscale_factor")));
        r.add(NN + "channel_shuffle", a -> F.channelShuffle(a.x(), a.axis(1, "groups")));
        r.add(
                NN + "unfold",
                a -> F.unfold(
                        a.x(),
                        a.longs(1, "kernel_size"),
                        a.longs(2, "dilation", 1),
                        a.longs(3, "padding", 0),
                        a.longs(4, "stride", 1)));
        r.add(
                NN + "grid_sample",
                a -> F.gridSample(
                        a.x(),
                        a.tensor(1, "grid"),
                        a.text(2, "mode", "bilinear"),
                        a.text(3, "padding_mode", "zeros"),
                        a.flag(4, "align_corners", false)));
        r.add(
                List.of("grid_sampler_2d", "grid_sampler_3d"),
                a -> F.gridSample(
                        a.x(),
                        a.tensor(1, "grid"),
                        MODES.get(a.axis(2, "interpolation_mode")),
                        PADDINGS.get(a.axis(3, "padding_mode")),
                        a.flag(4, "align_corners", false)));
        r.add(NN + "interpolate", a -> resized(a, a.text(3, "mode", "nearest"), a.flag(4, "align_corners", false)));
        r.add(NN + "upsample_nearest", a -> resized(a, "nearest", false));
        r.add(NN + "upsample_bilinear", a -> resized(a, "bilinear", true));
    }

    private static Object maxPool(Args a, int n) {
        long[] kernel = a.longs(1, "kernel_size");
        long[] stride = a.longs(2, "stride");
        long[] padding = a.longs(3, "padding", 0);
        long[] dilation = a.longs(4, "dilation", 1);
        boolean ceil = a.flag(5, "ceil_mode", false);
        return a.flag(6, "return_indices", false)
                ? F.maxPoolWithIndices(a.x(), n, kernel, stride, padding, dilation, ceil)
                : F.maxPool(a.x(), n, kernel, stride, padding, dilation, ceil);
    }

    /** The wanted extents: one counts for all axes, null keeps the input's. */
    private static long[] extents(Args a, int n) {
        Tensor x = a.x();
        Object v = a.value(1, "output_size");
        long[] r = new long[n];
        for (int i = 0; i < n; i++) {
            Object o = v instanceof List<?> list ? list.get(list.size() == 1 ? 0 : i) : v;
            r[i] = o == null ? x.size(x.rank() - n + i) : Args.asLong(o, "output_size");
        }
        return r;
    }

    private static Tensor unpool(Args a, int n) {
        Tensor x = a.x();
        long[] kernel = a.longs(2, "kernel_size");
        long[] stride = a.longs(3, "stride", kernel);
        long[] padding = a.longs(4, "padding", 0);
        long[] out = new long[n];
        long[] size = a.longs(5, "output_size");
        for (int i = 0; i < n; i++) {
            long k = kernel[kernel.length == 1 ? 0 : i];
            long s = stride[stride.length == 1 ? 0 : i];
            long p = padding[padding.length == 1 ? 0 : i];
            out[i] = size.length > 0 ? size[size.length - n + i] : (x.size(x.rank() - n + i) - 1) * s - 2 * p + k;
        }
        return F.maxUnpool(x, a.tensor(1, "indices"), out);
    }

    private static Tensor resized(Args a, String mode, boolean alignCorners) {
        if (a.flag(6, "antialias", false)) throw new Unsupported("antialias");
        long[] size = a.given(1, "size") ? a.longs(1, "size") : null;
        double[] scale = a.given(2, "scale_factor") ? a.numbers(2, "scale_factor") : null;
        return F.interpolate(a.x(), size, scale, mode, alignCorners, a.flag(5, "recompute_scale_factor", false));
    }
}
