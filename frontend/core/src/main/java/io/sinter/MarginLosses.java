// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.constant;

import java.util.Arrays;

/** Losses of rankings, margins and distributions: functions of {@link F}. */
abstract sealed class MarginLosses extends Products permits Resampling {
    MarginLosses() {}

    /**
     * {@code max(0, -target * (a - b) + margin)}: a should rank above b where the target is 1, below where it
     * is -1.
     */
    public static Tensor marginRankingLoss(Tensor a, Tensor b, Tensor target, double margin, Reduction reduction) {
        return Trace.call(
                () -> reduction.apply(target.neg().mul(a.sub(b)).add(margin).clampMin(0)));
    }

    /** x where the target is 1, {@code max(0, margin - x)} where it is -1. */
    public static Tensor hingeEmbeddingLoss(Tensor x, Tensor target, double margin, Reduction reduction) {
        return Trace.call(() -> {
            Tensor far = Products.zeroWhere(target.eq(1), x.rsub(margin).clampMin(0));
            Tensor near = Products.zeroWhere(target.eq(-1), x);
            return reduction.apply(far.add(near));
        });
    }

    /** {@code 1 - cos(a, b)} where the target is 1, {@code max(0, cos(a, b) - margin)} where it is -1. */
    public static Tensor cosineEmbeddingLoss(Tensor a, Tensor b, Tensor target, double margin, Reduction reduction) {
        return Trace.call(() -> {
            int axis = target.rank();
            double epsilon = 1e-12;
            Tensor dot = a.mul(b).sum(axis);
            Tensor norms = a.mul(a)
                    .sum(axis)
                    .add(epsilon)
                    .mul(b.mul(b).sum(axis).add(epsilon))
                    .sqrt();
            Tensor cos = dot.div(norms);
            Tensor near = Products.zeroWhere(target.ne(1), cos.rsub(1));
            Tensor far = Products.zeroWhere(target.ne(-1), cos.sub(margin).clampMin(0));
            return reduction.apply(near.add(far));
        });
    }

    /** {@code log(1 + exp(-target * x))}, without overflow. */
    public static Tensor softMarginLoss(Tensor x, Tensor target, Reduction reduction) {
        return Trace.call(() -> reduction.apply(logsigmoid(x.mul(target)).neg()));
    }

    /**
     * {@code max(0, d(anchor, positive) - d(anchor, negative) + margin)} with p-norms; {@code swap} as
     * Balntas et al. (2016).
     */
    public static Tensor tripletMarginLoss(
            Tensor anchor,
            Tensor positive,
            Tensor negative,
            double margin,
            double p,
            double eps,
            boolean swap,
            Reduction reduction) {
        return Trace.call(() -> {
            Tensor near = pairwiseDistance(anchor, positive, p, eps, false);
            Tensor far = pairwiseDistance(anchor, negative, p, eps, false);
            if (swap) far = far.minimum(pairwiseDistance(positive, negative, p, eps, false));
            return reduction.apply(near.sub(far).add(margin).clampMin(0));
        });
    }

    /**
     * Mean over classes of {@code max(0, margin - x[target] + x[i])^p}, i other than the target; x [N, C] or
     * [C].
     *
     * @param weight one number per class, or null
     */
    public static Tensor multiMarginLoss(
            Tensor x, Tensor target, long p, double margin, Tensor weight, Reduction reduction) {
        return Trace.call(() -> {
            Tensor rows = x.rank() < 2 ? x.reshape(1, x.numel()) : x;
            Tensor t = Indexing.Indices.whole("multiMarginLoss", target).reshape(-1, 1);
            Tensor z = rows.sub(rows.gather(1, t)).add(margin).clampMin(0);
            if (p == 2) z = z.mul(z);
            if (weight != null) z = z.mul(weight.gather(0, t.reshape(-1)).unsqueeze(1));
            Tensor other = Operators.E.iota(rows.size(1)).ne(t);
            Tensor loss = other.where(z, constant(z, 0)).sum(1).div((double) rows.size(1));
            return reduction.apply(x.rank() < 2 ? loss.reshape(new long[0]) : loss);
        });
    }

    /**
     * Mean over classes of {@code max(0, 1 - (x[target] - x[i]))} over targets, which end at the first -1,
     * and other classes.
     */
    public static Tensor multilabelMarginLoss(Tensor x, Tensor target, Reduction reduction) {
        return Trace.call(() -> {
            Tensor rows = x.rank() < 2 ? x.reshape(1, x.numel()) : x;
            Tensor t = Indexing.Indices.whole("multilabelMarginLoss", target).reshape(rows.shape());
            long classes = rows.size(1);
            Tensor valid = t.lt(0).toLong().cumsum(1).eq(0);
            Tensor at = valid.where(t, Operators.constantLong(t.dtype(), 0));
            // Which classes are targets: [N, C].
            Tensor isTarget = valid.unsqueeze(2)
                    .logicalAnd(at.unsqueeze(2).eq(Operators.E.iota(classes)))
                    .any(1, false);
            Tensor z = rows.unsqueeze(1)
                    .sub(rows.gather(1, at).unsqueeze(2))
                    .add(1)
                    .clampMin(0);
            Tensor counts = valid.unsqueeze(2).logicalAnd(isTarget.logicalNot().unsqueeze(1));
            Tensor loss =
                    counts.where(z, constant(z, 0)).sum(new int[] {1, 2}, false).div((double) classes);
            return reduction.apply(x.rank() < 2 ? loss.reshape(new long[0]) : loss);
        });
    }

    /** Mean over classes of the binary cross-entropies of logits; weight broadcasts and may be null. */
    public static Tensor multilabelSoftMarginLoss(Tensor x, Tensor target, Tensor weight, Reduction reduction) {
        return Trace.call(() -> {
            Tensor loss = target.mul(logsigmoid(x))
                    .add(target.rsub(1).mul(logsigmoid(x.neg())))
                    .neg();
            if (weight != null) loss = loss.mul(weight);
            return reduction.apply(loss.sum(-1).div((double) x.size(-1)));
        });
    }

    /**
     * Negative log-likelihood of Poisson distributions.
     *
     * @param logInput x is the logarithm of the rate
     * @param full add Stirling's approximation of the target's factorial
     */
    public static Tensor poissonNllLoss(
            Tensor x, Tensor target, boolean logInput, boolean full, double eps, Reduction reduction) {
        return Trace.call(() -> {
            Tensor loss = logInput
                    ? x.exp().sub(target.mul(x))
                    : x.sub(target.mul(x.add(eps).log()));
            if (full) {
                Tensor stirling = target.mul(target.log())
                        .sub(target)
                        .add(target.mul(2 * Math.PI).log().mul(0.5));
                loss = loss.add(Products.zeroWhere(target.le(1), stirling));
            }
            return reduction.apply(loss);
        });
    }

    /**
     * Negative log-likelihood of normal distributions.
     *
     * @param var variances, at least {@code eps}, of the input's shape, or with last extent 1, or without the
     *     last axis
     * @param full add the constant
     */
    public static Tensor gaussianNllLoss(
            Tensor x, Tensor target, Tensor var, boolean full, double eps, Reduction reduction) {
        return Trace.call(() -> {
            Tensor v = var.rank() == x.rank() - 1 && x.rank() > 1 ? var.unsqueeze(-1) : var;
            // The bound does not count for the gradient.
            Tensor shift;
            try (var _ = Sinter.noGrad()) {
                shift = v.clampMin(eps).sub(v);
            }
            v = v.add(shift);
            Tensor d = x.sub(target);
            Tensor loss = v.log().add(d.mul(d).div(v)).mul(0.5);
            return reduction.apply(full ? loss.add(0.5 * Math.log(2 * Math.PI)) : loss);
        });
    }

    /**
     * Cross-entropy of {@code linear(x, weight)} with class numbers or class probabilities; weight is
     * [classes, …, features].
     */
    public static Tensor linearCrossEntropy(Tensor x, Tensor weight, Tensor target, Reduction reduction) {
        return Trace.call(() -> {
            Tensor logits = linear(x, weight.flatten(0, -2), null);
            return crossEntropy(
                    logits.unflatten(-1, Arrays.copyOf(weight.shape(), weight.rank() - 1)), target, reduction);
        });
    }

    /** {@code target * (log(target) - x)}, summed and divided by the batch's extent. */
    public static Tensor klDivBatchmean(Tensor x, Tensor target, boolean logTarget) {
        return Trace.call(() ->
                klDiv(x, target, logTarget, Reduction.SUM).div((double) Math.max(1, x.rank() == 0 ? 1 : x.size(0))));
    }

    /**
     * Normalizes over neighbouring channels (Krizhevsky et al., 2012): {@code x / (k + alpha *
     * mean(x²))^beta} over {@code size} channels.
     */
    public static Tensor localResponseNorm(Tensor x, int size, double alpha, double beta, double k) {
        if (x.rank() < 2) throw Errors.argument("localResponseNorm", x, "needs a batch and a channel axis");
        return Trace.call(() -> {
            long[] padding = new long[2 * (x.rank() - 1)];
            padding[padding.length - 2] = size / 2;
            padding[padding.length - 1] = (size - 1) / 2;
            Tensor windows = pad(x.mul(x), padding).unfold(1, size, 1);
            Tensor mean = x.dtype().isFloat()
                    ? windows.mean(-1, false)
                    : windows.sum(-1).div(Tensor.scalar((long) size), "trunc");
            return x.div(mean.mul(alpha).add(k).pow(beta));
        });
    }
}
