// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.op.CrossEntropy;
import java.util.Arrays;

/** Losses of {@link F}. Without a {@link Reduction} they are averaged. */
abstract sealed class Losses extends Normalizations permits Joins {
    Losses() {}

    /** What becomes of the losses of single elements. */
    public enum Reduction {
        NONE,
        MEAN,
        SUM;

        Tensor apply(Tensor loss) {
            return switch (this) {
                case NONE -> loss;
                case MEAN -> loss.mean();
                case SUM -> loss.sum();
            };
        }
    }

    /** Mean of {@code -log softmax(logits)[target]}: logits [N, C] or [C] and class numbers [N] or []. */
    public static Tensor crossEntropy(Tensor logits, Tensor target) {
        return crossEntropy(logits, target, Reduction.MEAN);
    }

    /** Logits [N, C, …] and class numbers [N, …], or (float) class probabilities like the logits. */
    public static Tensor crossEntropy(Tensor logits, Tensor target, Reduction reduction) {
        return Trace.call(() -> {
            if (target.dtype().isFloat()) return crossEntropy(logits, target, null, 0, reduction);
            checkClasses("crossEntropy", logits, target);
            Tensor rows = rows(logits);
            Tensor numbers = Indexing.Indices.whole("crossEntropy", target).reshape(-1);
            Tensor loss = Dispatch.emitFirst(new CrossEntropy(), rows, numbers);
            return reduction.apply(reduction == Reduction.NONE ? loss.reshape(target.shape()) : loss);
        });
    }

    /**
     * Cross-entropy with class probabilities, or with weights per class and label smoothing.
     *
     * @param weight one number per class, or null
     * @param smoothing share of the target's mass that is spread evenly over all classes
     */
    public static Tensor crossEntropy(
            Tensor logits, Tensor target, Tensor weight, double smoothing, Reduction reduction) {
        return crossEntropy(logits, target, weight, Long.MIN_VALUE, smoothing, reduction);
    }

    /**
     * As {@link #crossEntropy(Tensor, Tensor, Tensor, double, Reduction)}.
     *
     * @param ignoreIndex class numbers that do not count; {@code Long.MIN_VALUE} for none
     */
    public static Tensor crossEntropy(
            Tensor logits, Tensor target, Tensor weight, long ignoreIndex, double smoothing, Reduction reduction) {
        return Trace.call(() -> {
            int c = logits.rank() == 1 ? 0 : 1;
            long classes = logits.size(c);
            Tensor logp = logSoftmax(logits, c);
            if (target.dtype().isFloat()) {
                Tensor p = smoothing == 0 ? target : target.mul(1 - smoothing).add(smoothing / classes);
                Tensor loss = logp.mul(weight == null ? p : p.mul(perClass(weight, logits)))
                        .sum(c)
                        .neg();
                if (reduction != Reduction.MEAN) return reduction.apply(loss);
                return loss.sum().div((double) Math.max(1, loss.numel()));
            }
            Tensor nll = nllLoss(logp, target, weight, ignoreIndex, reduction);
            if (smoothing == 0) return nll;
            Tensor smooth = logp.mul(weight == null ? logp.onesLike() : perClass(weight, logits))
                    .sum(c)
                    .neg();
            Tensor counted = target.ne(ignoreIndex);
            smooth = counted.where(smooth, Operators.constant(smooth, 0));
            Tensor s;
            if (reduction == Reduction.MEAN) {
                Tensor share = counted.to(logp.dtype());
                Tensor at = counted.where(target, Operators.constantLong(target.dtype(), 0));
                if (weight != null)
                    share = share.mul(weight.gather(0, at.reshape(-1)).reshape(target.shape()));
                s = smooth.sum().div(share.sum());
            } else {
                s = reduction.apply(smooth);
            }
            return nll.mul(1 - smoothing).add(s.mul(smoothing / classes));
        });
    }

    /** Mean of {@code -logp[target]}: log-probabilities [N, C, …] and class numbers [N, …]. */
    public static Tensor nllLoss(Tensor logp, Tensor target) {
        return nllLoss(logp, target, null, Long.MIN_VALUE, Reduction.MEAN);
    }

    /**
     * @param weight one number per class, or null; the mean is weighted with it
     * @param ignoreIndex targets of this number do not count
     */
    public static Tensor nllLoss(Tensor logp, Tensor target, Tensor weight, long ignoreIndex, Reduction reduction) {
        checkClasses("nllLoss", logp, target);
        return Trace.call(() -> {
            int c = logp.rank() == 1 ? 0 : 1;
            Tensor t = Indexing.Indices.whole("nllLoss", target);
            Tensor ignored = ignoreIndex == Long.MIN_VALUE ? null : t.eq(ignoreIndex);
            Tensor at = ignored == null ? t : ignored.where(t.zerosLike(), t);
            Tensor loss = logp.gather(c, at.unsqueeze(c)).squeeze(c).neg();
            Tensor w = weight == null ? null : weight.gather(0, at.reshape(-1)).reshape(at.shape());
            if (w == null && ignored != null) w = Operators.cast(ignored.logicalNot(), logp.dtype());
            else if (ignored != null) w = ignored.where(w.zerosLike(), w);
            if (w == null) return reduction.apply(loss);
            loss = ignored == null ? loss.mul(w) : ignored.where(loss.zerosLike(), loss.mul(w));
            return reduction == Reduction.MEAN ? loss.sum().div(w.sum()) : reduction.apply(loss);
        });
    }

    private static void checkClasses(String name, Tensor x, Tensor target) {
        boolean fits = x.rank() == target.rank() + 1 && x.rank() >= 1;
        for (int i = 0, j = 0; fits && i < x.rank(); i++) {
            if (i == (x.rank() == 1 ? 0 : 1)) continue;
            fits = x.size(i) == target.size(j++);
        }
        if (!fits) {
            throw Errors.argument(
                    name,
                    x,
                    target,
                    "class numbers must have the shape of the input without its class axis (" + (x.rank() == 1 ? 0 : 1)
                            + ")");
        }
    }

    /** [N, C, …] as [N * …, C]. */
    private static Tensor rows(Tensor x) {
        if (x.rank() == 1) return x.unsqueeze(0);
        return x.rank() == 2 ? x : x.movedim(1, -1).reshape(-1, x.size(1));
    }

    private static Tensor perClass(Tensor weight, Tensor x) {
        long[] s = new long[x.rank()];
        Arrays.fill(s, 1);
        s[x.rank() == 1 ? 0 : 1] = weight.numel();
        return weight.reshape(s);
    }

    public static Tensor mseLoss(Tensor x, Tensor target) {
        return mseLoss(x, target, Reduction.MEAN);
    }

    /** Squared differences. */
    public static Tensor mseLoss(Tensor x, Tensor target, Reduction reduction) {
        return Trace.call(() -> reduction.apply(x.sub(target).square()));
    }

    public static Tensor l1Loss(Tensor x, Tensor target) {
        return l1Loss(x, target, Reduction.MEAN);
    }

    /** Absolute differences. */
    public static Tensor l1Loss(Tensor x, Tensor target, Reduction reduction) {
        return Trace.call(() -> reduction.apply(x.sub(target).abs()));
    }

    /** Half of the squared difference divided by beta below beta, else the difference minus half of beta. */
    public static Tensor smoothL1Loss(Tensor x, Tensor target, double beta, Reduction reduction) {
        return Trace.call(() -> {
            Tensor d = x.sub(target).abs();
            if (beta == 0) return reduction.apply(d);
            return reduction.apply(d.lt(beta).where(d.mul(d).mul(0.5 / beta), d.sub(0.5 * beta)));
        });
    }

    public static Tensor huberLoss(Tensor x, Tensor target, double delta, Reduction reduction) {
        return Trace.call(() -> {
            Tensor d = x.sub(target).abs();
            return reduction.apply(
                    d.le(delta).where(d.mul(d).mul(0.5), d.sub(0.5 * delta).mul(delta)));
        });
    }

    /** Cross-entropy of probabilities in (0, 1); logarithms are cut off at -100. */
    public static Tensor binaryCrossEntropy(Tensor x, Tensor target, Tensor weight, Reduction reduction) {
        return Trace.call(() -> {
            Tensor loss = target.mul(x.log().clampMin(-100))
                    .add(target.rsub(1).mul(x.neg().log1p().clampMin(-100)))
                    .neg();
            return reduction.apply(weight == null ? loss : loss.mul(weight));
        });
    }

    public static Tensor binaryCrossEntropyWithLogits(Tensor x, Tensor target) {
        return binaryCrossEntropyWithLogits(x, target, null, null, Reduction.MEAN);
    }

    /**
     * Cross-entropy of {@code sigmoid(x)}, without overflow.
     *
     * @param weight of each element, broadcast, or null
     * @param posWeight of positive targets, broadcast, or null
     */
    public static Tensor binaryCrossEntropyWithLogits(
            Tensor x, Tensor target, Tensor weight, Tensor posWeight, Reduction reduction) {
        return Trace.call(() -> {
            Tensor loss;
            if (posWeight == null) {
                loss = x.mul(target.rsub(1)).sub(logsigmoid(x));
            } else {
                Tensor w = posWeight.sub(1).mul(target).add(1);
                loss = target.rsub(1).mul(x).sub(w.mul(logsigmoid(x)));
            }
            return reduction.apply(weight == null ? loss : loss.mul(weight));
        });
    }

    /** {@code target * (log(target) - x)} for log-probabilities x. */
    public static Tensor klDiv(Tensor x, Tensor target, boolean logTarget, Reduction reduction) {
        return Trace.call(() -> {
            if (logTarget) return reduction.apply(target.exp().mul(target.sub(x)));
            Tensor zero = Operators.constant(target, 0);
            Tensor entropy = target.le(0).where(zero, target.mul(target.log()));
            return reduction.apply(entropy.sub(target.mul(x)));
        });
    }
}
