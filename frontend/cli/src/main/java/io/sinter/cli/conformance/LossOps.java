// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Tensor;

/** Losses. */
final class LossOps {
    private static final String NN = "nn.functional.";

    private LossOps() {}

    private static F.Reduction reduction(Args a) {
        return switch (a.text(-1, "reduction", "mean")) {
            case "none" -> F.Reduction.NONE;
            case "mean" -> F.Reduction.MEAN;
            case "sum" -> F.Reduction.SUM;
            default -> throw new Unsupported("reduction '" + a.text(-1, "reduction", "") + "'");
        };
    }

    private static Tensor target(Args a) {
        return a.tensor(1, "target");
    }

    static void register(Registry r) {
        elementwise(r);
        classes(r);
        r.add(
                NN + "margin_ranking_loss",
                a -> F.marginRankingLoss(
                        a.x(), a.tensor(1, "input2"), a.tensor(2, "target"), a.number(3, "margin", 0), reduction(a)));
        r.add(
                NN + "hinge_embedding_loss",
                a -> F.hingeEmbeddingLoss(a.x(), target(a), a.number(2, "margin", 1), reduction(a)));
        r.add(
                NN + "cosine_embedding_loss",
                a -> F.cosineEmbeddingLoss(
                        a.x(), a.tensor(1, "input2"), a.tensor(2, "target"), a.number(3, "margin", 0), reduction(a)));
        r.add(NN + "soft_margin_loss", a -> F.softMarginLoss(a.x(), target(a), reduction(a)));
        r.add(
                NN + "triplet_margin_loss",
                a -> F.tripletMarginLoss(
                        a.x(),
                        a.tensor(1, "positive"),
                        a.tensor(2, "negative"),
                        a.number(3, "margin", 1),
                        a.number(4, "p", 2),
                        a.number(5, "eps", 1e-6),
                        a.flag(6, "swap", false),
                        reduction(a)));
        r.add(
                NN + "poisson_nll_loss",
                a -> F.poissonNllLoss(
                        a.x(),
                        target(a),
                        a.flag(2, "log_input", true),
                        a.flag(3, "full", false),
                        a.number(5, "eps", 1e-8),
                        reduction(a)));
        r.add(
                NN + "gaussian_nll_loss",
                a -> F.gaussianNllLoss(
                        a.x(),
                        target(a),
                        a.tensor(2, "var"),
                        a.flag(3, "full", false),
                        a.number(4, "eps", 1e-6),
                        reduction(a)));
    }

    private static void elementwise(Registry r) {
        r.add(NN + "mse_loss", a -> F.mseLoss(a.x(), target(a), reduction(a)));
        r.add(NN + "l1_loss", a -> F.l1Loss(a.x(), target(a), reduction(a)));
        r.add(NN + "smooth_l1_loss", a -> F.smoothL1Loss(a.x(), target(a), a.number(-1, "beta", 1), reduction(a)));
        r.add(NN + "huber_loss", a -> F.huberLoss(a.x(), target(a), a.number(-1, "delta", 1), reduction(a)));
        r.add(
                NN + "binary_cross_entropy",
                a -> F.binaryCrossEntropy(a.x(), target(a), a.optional(2, "weight"), reduction(a)));
        r.add(
                NN + "binary_cross_entropy_with_logits",
                a -> F.binaryCrossEntropyWithLogits(
                        a.x(), target(a), a.optional(2, "weight"), a.optional(-1, "pos_weight"), reduction(a)));
        r.add(NN + "kl_div", a -> {
            boolean log = a.flag(-1, "log_target", false);
            return a.text(-1, "reduction", "mean").equals("batchmean")
                    ? F.klDivBatchmean(a.x(), target(a), log)
                    : F.klDiv(a.x(), target(a), log, reduction(a));
        });
    }

    private static void classes(Registry r) {
        r.add(NN + "cross_entropy", a -> {
            Tensor weight = a.optional(2, "weight");
            double smoothing = a.number(-1, "label_smoothing", 0);
            long ignore = a.integer(-1, "ignore_index", -100);
            // The short form is the one that models are trained with.
            return weight == null && smoothing == 0 && !a.given(-1, "ignore_index")
                    ? F.crossEntropy(a.x(), target(a), reduction(a))
                    : F.crossEntropy(a.x(), target(a), weight, ignore, smoothing, reduction(a));
        });
        r.add(
                NN + "linear_cross_entropy",
                a -> F.linearCrossEntropy(a.x(), a.tensor(1, "weight"), a.tensor(2, "target"), reduction(a)));
        r.add(
                NN + "nll_loss",
                a -> F.nllLoss(
                        a.x(), target(a), a.optional(2, "weight"), a.integer(-1, "ignore_index", -100), reduction(a)));
        r.add(
                NN + "multi_margin_loss",
                a -> F.multiMarginLoss(
                        a.x(),
                        target(a),
                        a.integer(-1, "p", 1),
                        a.number(-1, "margin", 1),
                        a.optional(-1, "weight"),
                        reduction(a)));
        r.add(NN + "multilabel_margin_loss", a -> F.multilabelMarginLoss(a.x(), target(a), reduction(a)));
        r.add(
                NN + "multilabel_soft_margin_loss",
                a -> F.multilabelSoftMarginLoss(a.x(), target(a), a.optional(2, "weight"), reduction(a)));
    }
}
