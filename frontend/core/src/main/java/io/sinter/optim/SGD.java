// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import java.util.Collection;
import java.util.Map;

/**
 * Stochastic gradient descent with momentum ({@code torch.optim.SGD}; Sutskever et al., 2013):
 *
 * <pre>
 * g ← g + weightDecay · p
 * b ← momentum · b + (1 − dampening) · g        (the first step: b ← g)
 * p ← p − lr · (nesterov ? g + momentum · b : b)
 * </pre>
 */
public final class SGD extends Optimizer {
    private static final String MOMENTUM = "momentum";
    private static final String DAMPENING = "dampening";
    private static final String WEIGHT_DECAY = "weightDecay";
    private static final String NESTEROV = "nesterov";

    /** Plain descent with a learning rate. */
    public SGD(Collection<Tensor> parameters, double lr) {
        super(
                parameters,
                Map.of(LR, lr, MOMENTUM, 0.0, DAMPENING, 0.0, WEIGHT_DECAY, 0.0, NESTEROV, 0.0, MAXIMIZE, 0.0));
    }

    public SGD momentum(double value) {
        setAll(MOMENTUM, value);
        return this;
    }

    public SGD dampening(double value) {
        setAll(DAMPENING, value);
        return this;
    }

    /** An L2 penalty, added to the gradient. */
    public SGD weightDecay(double value) {
        setAll(WEIGHT_DECAY, value);
        return this;
    }

    /** Nesterov's momentum. */
    public SGD nesterov(boolean on) {
        setAll(NESTEROV, on ? 1 : 0);
        return this;
    }

    /** Ascends instead. */
    public SGD maximize(boolean on) {
        setAll(MAXIMIZE, on ? 1 : 0);
        return this;
    }

    @Override
    void check(ParamGroup group) {
        if (group.is(NESTEROV) && (!group.is(MOMENTUM) || group.is(DAMPENING))) {
            throw new IllegalArgumentException("Nesterov's momentum needs a momentum and no dampening");
        }
    }

    @Override
    void update(ParamGroup group, Tensor p, Tensor gradient, ParamState state, Scalars scalars) {
        Tensor g = gradient;
        if (group.is(WEIGHT_DECAY)) g = g.add(p.mul(scalars.of(p, WEIGHT_DECAY)));
        if (group.is(MOMENTUM)) {
            Tensor momentum = scalars.of(p, MOMENTUM);
            Tensor b = state(state, "momentumBuffer", p);
            Tensor added = g;
            if (group.is(DAMPENING)) {
                added = g.mul(scalars.ofStep(p.dtype(), DAMPENING, step -> step == 1 ? 1 : 1 - group.get(DAMPENING)));
            }
            b.copy_(b.mul(momentum).add(added));
            g = group.is(NESTEROV) ? g.add(b.mul(momentum)) : b;
        }
        p.copy_(p.sub(g.mul(scalars.of(p, LR))));
    }
}
