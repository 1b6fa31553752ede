// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import java.util.Collection;

/**
 * Adam with decoupled weight decay ({@code torch.optim.AdamW}; Loshchilov and Hutter, 2019): {@code p ← p ·
 * (1 − lr · weightDecay)}, then Adam's update ({@link AdamBase}) with the plain gradient.
 */
public final class AdamW extends AdamBase {
    /** With PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8, weight decay 0.01. */
    public AdamW(Collection<Tensor> parameters, double lr) {
        super(parameters, lr, 0.01);
    }

    public AdamW betas(double beta1, double beta2) {
        setAll(BETA1, beta1);
        setAll(BETA2, beta2);
        return this;
    }

    public AdamW eps(double value) {
        setAll(EPS, value);
        return this;
    }

    public AdamW weightDecay(double value) {
        setAll(WEIGHT_DECAY, value);
        return this;
    }

    /** Divides by the largest second moment so far. */
    public AdamW amsgrad(boolean on) {
        setAll(AMSGRAD, on ? 1 : 0);
        return this;
    }

    /** Ascends instead. */
    public AdamW maximize(boolean on) {
        setAll(MAXIMIZE, on ? 1 : 0);
        return this;
    }

    @Override
    void update(ParamGroup group, Tensor p, Tensor gradient, ParamState state, Scalars scalars) {
        adam(group, p, gradient, () -> 1 - group.lr() * group.get(WEIGHT_DECAY), state, scalars);
    }
}
