// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Sinter;
import io.sinter.Tensor;
import java.util.Collection;

/** Limits on gradients, between {@code backward()} and the optimizer's step ({@code torch.nn.utils}). */
public final class Clip {
    private Clip() {}

    /**
     * Scales all gradients by one factor so that their norm together, √Σ g², is at most {@code maxNorm}
     * ({@code clip_grad_norm_}). Nothing is computed or read here: the scaling is a part of the step's
     * program.
     *
     * @return the norm before, 0-dimensional
     * @throws IllegalArgumentException if no parameter has a gradient, or {@code maxNorm} is not positive
     */
    public static Tensor clipGradNorm_(Collection<Tensor> parameters, double maxNorm) {
        if (!(maxNorm > 0))
            throw new IllegalArgumentException("clipGradNorm_: maxNorm " + maxNorm + " is not positive");
        try (var _ = Sinter.noGrad()) {
            Tensor total = null;
            for (Tensor p : parameters) {
                if (p.grad() == null) continue;
                Tensor squares = p.grad().square().sum();
                total = total == null ? squares : total.add(squares);
            }
            if (total == null)
                throw new IllegalArgumentException("clipGradNorm_: no parameter has a gradient; call backward() first");
            Tensor norm = total.sqrt();
            Tensor factor = norm.add(1e-6).reciprocal().mul(maxNorm).clampMax(1);
            for (Tensor p : parameters) {
                if (p.grad() != null) p.grad().mul_(factor);
            }
            return norm;
        }
    }

    /** Moves every element of every gradient into ±{@code limit} ({@code clip_grad_value_}). */
    public static void clipGradValue_(Collection<Tensor> parameters, double limit) {
        if (!(limit >= 0)) throw new IllegalArgumentException("clipGradValue_: limit " + limit + " is negative");
        try (var _ = Sinter.noGrad()) {
            for (Tensor p : parameters) {
                if (p.grad() != null) p.grad().clamp_(-limit, limit);
            }
        }
    }
}
