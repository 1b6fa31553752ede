// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.Broadcast;
import io.sinter.ir.op.LayerNorm;
import io.sinter.ir.op.Take;
import java.util.Arrays;

/** Normalization, dropout, embedding and attention of {@link F}. */
abstract sealed class Normalizations extends Pooling permits Losses {
    Normalizations() {}

    /**
     * Normalizes over the last axes, of extents {@code shape} (Ba et al., 2016); weight and bias may be null.
     */
    public static Tensor layerNorm(Tensor x, long[] shape, Tensor weight, Tensor bias, double eps) {
        int n = shape.length;
        long[] s = x.shape();
        if (n == 0 || n > s.length || !Arrays.equals(s, s.length - n, s.length, shape, 0, n)) {
            throw Errors.argument("layerNorm", x, "the last extents must be " + Arrays.toString(shape));
        }
        return Trace.call(() -> {
            Tensor y = Dispatch.emitFirst(new LayerNorm(n, eps), x);
            if (weight != null) y = y.mul(weight);
            return bias == null ? y : y.add(bias);
        });
    }

    /** Divides by the root mean square over the last axes; weight may be null. */
    public static Tensor rmsNorm(Tensor x, long[] shape, Tensor weight, double eps) {
        return Trace.call(() -> {
            int[] axes = new int[shape.length];
            for (int i = 0; i < axes.length; i++) axes[i] = x.rank() - axes.length + i;
            Tensor y = x.mul(x.mul(x).mean(axes, true).add(eps).rsqrt());
            return weight == null ? y : y.mul(weight);
        });
    }

    /**
     * Normalizes each channel (axis 1) over the batch (Ioffe and Szegedy, 2015). While training, statistics
     * are those of the batch, and the running ones move towards them by {@code momentum}; else the running
     * ones are used. All tensors but x may be null.
     */
    public static Tensor batchNorm(
            Tensor x,
            Tensor runningMean,
            Tensor runningVar,
            Tensor weight,
            Tensor bias,
            boolean training,
            double momentum,
            double eps) {
        if (x.numel() == 0) return x.clone();
        if (x.rank() < 2) throw Errors.argument("batchNorm", x, "needs a batch and a channel axis");
        if (!training && (runningMean == null || runningVar == null)) {
            throw Errors.argument("batchNorm", x, "needs running statistics when not training");
        }
        return Trace.call(() -> {
            long[] s = new long[x.rank()];
            Arrays.fill(s, 1);
            s[1] = x.size(1);
            int[] axes = Arrays.stream(Axes.all(x.rank())).filter(a -> a != 1).toArray();
            Tensor mean;
            Tensor var;
            if (training) {
                long n = x.numel() / Math.max(1, x.size(1));
                mean = x.mean(axes, true);
                Tensor d = x.sub(mean);
                var = d.mul(d).mean(axes, true);
                if (runningMean != null) {
                    try (var _ = Sinter.noGrad()) {
                        runningMean.mul_(1 - momentum).add_(mean.reshape(-1).mul(momentum));
                        double unbiased = n > 1 ? (double) n / (n - 1) : 1;
                        Tensor u = Operators.number(x, momentum)
                                .mul(Dispatch.emit(io.sinter.ir.op.Constant.derived(x.dtype(), unbiased)));
                        runningVar.mul_(1 - momentum).add_(var.reshape(-1).mul(u));
                    }
                }
            } else {
                mean = runningMean.reshape(s);
                var = runningVar.reshape(s);
            }
            Tensor y = x.sub(mean).mul(var.add(Operators.constant(x, eps)).rsqrt());
            if (weight != null) y = y.mul(weight.reshape(s));
            return bias == null ? y : y.add(bias.reshape(s));
        });
    }

    /**
     * Normalizes over the channels (axis 1) of each of {@code groups} groups and all further axes (Wu and He,
     * 2018).
     */
    public static Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps) {
        if (x.rank() < 2 || groups < 1 || x.size(1) % groups != 0) {
            throw Errors.argument("groupNorm", x, "the channels (axis 1) must divide into " + groups + " groups");
        }
        return Trace.call(() -> {
            Tensor rows = x.reshape(x.size(0), groups, -1);
            Tensor y = Dispatch.emitFirst(new LayerNorm(1, eps), rows).reshape(x.shape());
            long[] s = new long[x.rank()];
            Arrays.fill(s, 1);
            s[1] = x.size(1);
            if (weight != null) y = y.mul(weight.reshape(s));
            return bias == null ? y : y.add(bias.reshape(s));
        });
    }

    /** Normalizes each channel of each sample over its positions. */
    public static Tensor instanceNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
        return groupNorm(x, Math.toIntExact(x.size(1)), weight, bias, eps);
    }

    /** Divides by the p-norm along an axis, at least {@code eps}. */
    public static Tensor normalize(Tensor x, double p, int axis, double eps) {
        return Trace.call(() -> x.div(x.norm(p, axis, true).clampMin(eps)));
    }

    /**
     * Zeroes elements with probability p and scales the others by 1 / (1 - p), while training; else returns
     * x.
     */
    public static Tensor dropout(Tensor x, double p, boolean training) {
        if (!(p >= 0 && p <= 1)) throw Errors.argument("dropout", x, "probability " + p + " is not in [0, 1]");
        if (!training || p == 0) return x;
        if (p == 1) return x.mul(x.zerosLike());
        return Trace.call(() -> Draws.keep(x.type().shape(), p).where(x.mul(1 / (1 - p)), Operators.constant(x, 0)));
    }

    /** Rows of {@code weight} [count, features] by number: indices of any shape. */
    public static Tensor embedding(Tensor indices, Tensor weight) {
        if (weight.rank() != 2)
            throw Errors.argument("embedding", indices, weight, "the weight must be [count, features]");
        return Dispatch.emit(new Take(0), weight, Indexing.Indices.whole("embedding", indices));
    }

    /** As {@link #embedding(Tensor, Tensor)}; row {@code paddingIndex} gets no gradient. */
    public static Tensor embedding(Tensor indices, Tensor weight, long paddingIndex) {
        return Trace.call(() -> {
            Tensor y = embedding(indices, weight);
            long padding = paddingIndex < 0 ? paddingIndex + weight.size(0) : paddingIndex;
            return indices.eq(padding).unsqueeze(-1).where(y.detach(), y);
        });
    }

    /**
     * 1 at the number in {@code x}, along a new last axis of extent {@code classes}: i64. Numbers outside
     * give zeros.
     */
    public static Tensor oneHot(Tensor x, long classes) {
        return Trace.call(() -> Indexing.Indices.whole("oneHot", x)
                .unsqueeze(-1)
                .eq(Operators.E.iota(classes))
                .to(DType.I64));
    }

    /**
     * As {@link #scaledDotProductAttention(Tensor, Tensor, Tensor, Tensor, double, boolean, double)} with
     * scale 1 / sqrt(features).
     */
    public static Tensor scaledDotProductAttention(
            Tensor q, Tensor k, Tensor v, Tensor mask, double dropout, boolean causal) {
        return scaledDotProductAttention(q, k, v, mask, dropout, causal, 1 / Math.sqrt(q.size(-1)));
    }

    /**
     * {@code softmax(q kᵀ scale + mask) v} (Vaswani et al., 2017) for q [batch…, T, D], k [batch…, S, D], v
     * [batch…, S, E]; batch axes broadcast.
     *
     * @param mask added to the scores, or (bool) true where a key is seen; broadcast to [batch…, T, S]; may
     *     be null
     * @param dropout probability that a weight is dropped
     * @param causal queries see no later keys
     */
    public static Tensor scaledDotProductAttention(
            Tensor q, Tensor k, Tensor v, Tensor mask, double dropout, boolean causal, double scale) {
        if (q.rank() < 2 || k.rank() < 2 || v.rank() < 2 || q.size(-1) != k.size(-1) || k.size(-2) != v.size(-2)) {
            throw new TensorException(
                    Errors.argument(
                                    "scaledDotProductAttention",
                                    java.util.List.of(q.type(), k.type(), v.type()),
                                    "needs q [batch, T, D], k [batch, S, D], v [batch, S, E]")
                            .getMessage(),
                    null);
        }
        return Trace.call(() -> {
            Shape batch = Broadcast.shapes("scaledDotProductAttention", lead(q), lead(k));
            batch = Broadcast.shapes("scaledDotProductAttention", lead(q).with(batch), lead(v));
            Tensor a = widen(q, batch);
            Tensor b = widen(k, batch);
            Tensor c = widen(v, batch);
            Shape scores = batch.insert(batch.rank(), q.size(-2)).insert(batch.rank() + 1, k.size(-2));
            Tensor bias = mask;
            if (mask == null) bias = Operators.constant(q, 0);
            else if (mask.dtype().isBool())
                bias = mask.where(Operators.constant(q, 0), Operators.constant(q, Double.NEGATIVE_INFINITY));
            bias = Operators.expand(bias.to(q.dtype()), scores);
            Tensor s = Operators.number(q, scale);
            if (dropout == 0) return Dispatch.emitFirst(new Attention(causal), a, b, c, bias, s);
            Tensor weights = a.matmul(b.mT()).mul(s).add(bias);
            if (causal) {
                Tensor rows = Operators.E.iota(q.size(-2)).unsqueeze(1);
                weights = Operators.E
                        .iota(k.size(-2))
                        .le(rows)
                        .where(weights, Operators.constant(q, Double.NEGATIVE_INFINITY));
            }
            return dropout(softmax(weights, -1), dropout, true).matmul(c);
        });
    }

    private static io.sinter.ir.Type lead(Tensor x) {
        return x.type().with(Shape.of(Arrays.copyOf(x.shape(), x.rank() - 2)));
    }

    private static Tensor widen(Tensor x, Shape batch) {
        return Operators.expand(x, batch.insert(batch.rank(), x.size(-2)).insert(batch.rank() + 1, x.size(-1)));
    }
}
