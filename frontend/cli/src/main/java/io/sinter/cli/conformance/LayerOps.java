// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/** Linear maps, convolutions, normalizations, embedding and attention. */
final class LayerOps {
    private static final String NN = "nn.functional.";

    private LayerOps() {}

    static void register(Registry r) {
        r.add(NN + "linear", a -> F.linear(a.x(), a.tensor(1, "weight"), a.optional(2, "bias")));
        r.add(
                NN + "bilinear",
                a -> F.bilinear(a.x(), a.tensor(1, "input2"), a.tensor(2, "weight"), a.optional(3, "bias")));
        for (int n = 1; n <= 3; n++) {
            int axes = n;
            r.add(NN + "conv" + n + "d", a -> convolution(a, axes));
            r.add(NN + "conv_transpose" + n + "d", a -> transposed(a, axes));
        }
        normalizations(r);
        tolerances(r);
        withStatistics(r);
        r.add(NN + "embedding", a -> {
            // The samples have the weight first.
            a.flag(-1, "sparse", false);
            if (a.given(-1, "max_norm") || a.flag(-1, "scale_grad_by_freq", false))
                throw new Unsupported("max_norm, scale_grad_by_freq");
            Tensor weight = a.x();
            Tensor indices = a.tensor(1, "weight");
            if (indices.dtype().isFloat()) return F.embedding(weight, indices);
            return a.given(2, "padding_idx")
                    ? F.embedding(indices, weight, a.integer(2, "padding_idx"))
                    : F.embedding(indices, weight);
        });
        r.add(NN + "one_hot", a -> {
            long classes = a.integer(1, "num_classes", -1);
            return F.oneHot(a.x(), classes < 0 ? a.x().max().itemLong() + 1 : classes);
        });
        r.add(NN + "scaled_dot_product_attention", a -> {
            double dropout = a.number(4, "dropout_p", 0);
            if (dropout != 0) throw new Unsupported("random numbers");
            Tensor q = a.x();
            return F.scaledDotProductAttention(
                    q,
                    a.tensor(1, "key"),
                    a.tensor(2, "value"),
                    a.optional(3, "attn_mask"),
                    0,
                    a.flag(5, "is_causal", false),
                    a.number(-1, "scale", 1 / Math.sqrt(q.size(-1))));
        });
    }

    /**
     * Sums of hundreds of products of numbers up to 9 that cancel: the rounding is relative to the products,
     * not to the sum.
     */
    private static void tolerances(Registry r) {
        r.gradientTolerance(
                NN + "scaled_dot_product_attention",
                1e-4,
                1e-4,
                "f32 differences of the softmax's gradient that cancel");
        String reason = "f32 sums of hundreds of products that cancel, in another order";
        for (int n = 1; n <= 3; n++) {
            r.tolerance(NN + "conv" + n + "d", 1e-5, 1e-4, reason);
            r.tolerance(NN + "conv_transpose" + n + "d", 1e-5, 1e-4, reason);
        }
    }

    private static Tensor convolution(Args a, int n) {
        Tensor x = a.x();
        Tensor w = a.tensor(1, "weight");
        Tensor bias = a.optional(2, "bias");
        long[] stride = a.longs(3, "stride", 1);
        long[] dilation = a.longs(5, "dilation", 1);
        int groups = a.axis(6, "groups", 1);
        Object padding = a.value(4, "padding");
        if ("same".equals(padding)) return F.convSame(x, w, bias, dilation, groups);
        long[] p = "valid".equals(padding) ? new long[] {0} : a.longs(4, "padding", 0);
        return switch (n) {
            case 1 -> F.conv1d(x, w, bias, stride, p, dilation, groups);
            case 2 -> F.conv2d(x, w, bias, stride, p, dilation, groups);
            default -> F.conv3d(x, w, bias, stride, p, dilation, groups);
        };
    }

    private static Tensor transposed(Args a, int n) {
        Tensor x = a.x();
        Tensor w = a.tensor(1, "weight");
        Tensor bias = a.optional(2, "bias");
        long[] stride = a.longs(3, "stride", 1);
        long[] padding = a.longs(4, "padding", 0);
        long[] extra = a.longs(5, "output_padding", 0);
        int groups = a.axis(6, "groups", 1);
        long[] dilation = a.longs(7, "dilation", 1);
        return switch (n) {
            case 1 -> F.convTranspose1d(x, w, bias, stride, padding, extra, groups, dilation);
            case 2 -> F.convTranspose2d(x, w, bias, stride, padding, extra, groups, dilation);
            default -> F.convTranspose3d(x, w, bias, stride, padding, extra, groups, dilation);
        };
    }

    private static void normalizations(Registry r) {
        r.add(
                NN + "layer_norm",
                a -> F.layerNorm(
                        a.x(),
                        a.longs(1, "normalized_shape"),
                        a.optional(2, "weight"),
                        a.optional(3, "bias"),
                        a.number(4, "eps", 1e-5)));
        r.add(
                NN + "rms_norm",
                a -> F.rmsNorm(
                        a.x(),
                        a.longs(1, "normalized_shape"),
                        a.optional(2, "weight"),
                        a.number(3, "eps", Math.ulp(1.0f))));
        r.add(
                NN + "group_norm",
                a -> F.groupNorm(
                        a.x(),
                        a.axis(1, "num_groups"),
                        a.optional(2, "weight"),
                        a.optional(3, "bias"),
                        a.number(4, "eps", 1e-5)));
        r.add(
                NN + "batch_norm",
                a -> F.batchNorm(
                        a.x(),
                        copy(a.optional(1, "running_mean")),
                        copy(a.optional(2, "running_var")),
                        a.optional(3, "weight"),
                        a.optional(4, "bias"),
                        a.flag(5, "training", false),
                        a.number(6, "momentum", 0.1),
                        a.number(7, "eps", 1e-5)));
        r.add(NN + "instance_norm", a -> {
            Tensor mean = copy(a.optional(1, "running_mean"));
            Tensor var = copy(a.optional(2, "running_var"));
            a.number(6, "momentum", 0.1); // of the running statistics, which are no result
            if (!a.flag(5, "use_input_stats", true)) {
                return F.batchNorm(
                        a.x(),
                        mean,
                        var,
                        a.optional(3, "weight"),
                        a.optional(4, "bias"),
                        false,
                        0.1,
                        a.number(7, "eps", 1e-5));
            }
            return F.instanceNorm(a.x(), a.optional(3, "weight"), a.optional(4, "bias"), a.number(7, "eps", 1e-5));
        });
        r.add(
                NN + "normalize",
                a -> F.normalize(a.x(), a.number(1, "p", 2), a.axis(2, "dim", 1), a.number(3, "eps", 1e-12)));
        r.add(
                NN + "local_response_norm",
                a -> F.localResponseNorm(
                        a.x(),
                        a.axis(1, "size"),
                        a.number(2, "alpha", 1e-4),
                        a.number(3, "beta", 0.75),
                        a.number(4, "k", 1)));
    }

    /** PyTorch's internal forms, which return the statistics too. */
    private static void withStatistics(Registry r) {
        r.add("native_layer_norm", a -> {
            long[] shape = a.longs(1, "normalized_shape");
            int[] axes = new int[shape.length];
            for (int i = 0; i < axes.length; i++) axes[i] = a.x().rank() - axes.length + i;
            double eps = a.number(4, "eps");
            Tensor y = F.layerNorm(a.x(), shape, a.optional(2, "weight"), a.optional(3, "bias"), eps);
            return List.of(
                    y, a.x().mean(axes, true), a.x().var(axes, 0, true).add(eps).rsqrt());
        });
        r.add("native_group_norm", a -> {
            int groups = a.axis(6, "group");
            double eps = a.number(7, "eps");
            Tensor rows = a.x().reshape(a.integer(3, "N"), groups, a.integer(4, "C") * a.integer(5, "HxW") / groups);
            Tensor y = F.groupNorm(a.x(), groups, a.optional(1, "weight"), a.optional(2, "bias"), eps);
            return List.of(
                    y,
                    rows.mean(-1, false),
                    rows.var(new int[] {-1}, 0, false).add(eps).rsqrt());
        });
        r.add("native_batch_norm", a -> {
            boolean training = a.flag(5, "training", false);
            double eps = a.number(7, "eps");
            Tensor y = F.batchNorm(
                    a.x(),
                    copy(a.optional(3, "running_mean")),
                    copy(a.optional(4, "running_var")),
                    a.optional(1, "weight"),
                    a.optional(2, "bias"),
                    training,
                    a.number(6, "momentum"),
                    eps);
            if (!training) return List.of(y, Tensor.zeros(0), Tensor.zeros(0));
            int[] axes = IntStream.range(0, a.x().rank()).filter(i -> i != 1).toArray();
            return List.of(
                    y,
                    a.x().mean(axes, false),
                    a.x().var(axes, 0, false).add(eps).rsqrt());
        });
    }

    /** Running statistics are written in place; the samples' own must stay. */
    private static Tensor copy(Tensor x) {
        return x == null ? null : x.clone();
    }
}
