// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import java.util.Collection;

/**
 * Adam ({@code torch.optim.Adam}): moments as in {@link AdamBase}; weight decay is an L2 penalty, added to
 * the gradient.
 */
public final class Adam extends AdamBase {
    /** With PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8, no weight decay. */
    public Adam(Collection<Tensor> parameters, double lr) {
        super(parameters, lr, 0);
    }

    public Adam betas(double beta1, double beta2) {
        setAll(BETA1, beta1);
        setAll(BETA2, beta2);
        return this;
    }

    public Adam eps(double value) {
        setAll(EPS, value);
        return this;
    }

    public Adam weightDecay(double value) {
        setAll(WEIGHT_DECAY, value);
        return this;
    }

    /** Divides by the largest second moment so far. */
    public Adam amsgrad(boolean on) {
        setAll(AMSGRAD, on ? 1 : 0);
        return this;
    }

    /** Ascends instead. */
    public Adam maximize(boolean on) {
        setAll(MAXIMIZE, on ? 1 : 0);
        return this;
    }

    @Override
    void update(ParamGroup group, Tensor p, Tensor gradient, ParamState state, Scalars scalars) {
        Tensor g = gradient;
        if (group.is(WEIGHT_DECAY)) g = g.add(p.mul(scalars.of(p.dtype(), WEIGHT_DECAY)));
        adam(group, p, g, () -> 1, state, scalars);
    }
}
