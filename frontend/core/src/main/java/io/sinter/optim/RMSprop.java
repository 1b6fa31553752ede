// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import java.util.Collection;
import java.util.Map;

/**
 * RMSprop ({@code torch.optim.RMSprop}; Tieleman and Hinton, 2012):
 *
 * <pre>
 * g ← g + weightDecay · p
 * v ← alpha · v + (1 − alpha) · g²
 * b ← momentum · b + g / (√v + eps)
 * p ← p − lr · b
 * </pre>
 */
public final class RMSprop extends Optimizer {
    private static final String ALPHA = "alpha";
    private static final String EPS = "eps";
    private static final String MOMENTUM = "momentum";
    private static final String WEIGHT_DECAY = "weightDecay";

    /** With PyTorch's defaults: alpha 0.99, eps 1e-8, no momentum, no weight decay. */
    public RMSprop(Collection<Tensor> parameters, double lr) {
        super(parameters, Map.of(LR, lr, ALPHA, 0.99, EPS, 1e-8, MOMENTUM, 0.0, WEIGHT_DECAY, 0.0, MAXIMIZE, 0.0));
    }

    public RMSprop alpha(double value) {
        setAll(ALPHA, value);
        return this;
    }

    public RMSprop eps(double value) {
        setAll(EPS, value);
        return this;
    }

    public RMSprop momentum(double value) {
        setAll(MOMENTUM, value);
        return this;
    }

    public RMSprop weightDecay(double value) {
        setAll(WEIGHT_DECAY, value);
        return this;
    }

    @Override
    void check(ParamGroup group) {}

    @Override
    void update(ParamGroup group, Tensor p, Tensor gradient, ParamState state, Scalars scalars) {
        Tensor g = gradient;
        if (group.is(WEIGHT_DECAY)) g = g.add(p.mul(scalars.of(p, WEIGHT_DECAY)));
        Tensor v = state(state, "squareAvg", p);
        v.copy_(v.mul(scalars.of(p, ALPHA)).add(g.square().mul(scalars.of(p, "1-alpha", () -> 1 - group.get(ALPHA)))));
        Tensor step = g.div(v.sqrt().add(scalars.of(p, EPS)));
        if (group.is(MOMENTUM)) {
            Tensor b = state(state, "momentumBuffer", p);
            b.copy_(b.mul(scalars.of(p, MOMENTUM)).add(step));
            step = b;
        }
        p.copy_(p.sub(step.mul(scalars.of(p, LR))));
    }
}
