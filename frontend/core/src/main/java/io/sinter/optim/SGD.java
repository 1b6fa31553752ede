// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.ir.op.SgdStep;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
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
        boolean decays = group.is(WEIGHT_DECAY);
        boolean remembers = group.is(MOMENTUM);
        Tensor[] written = remembers ? new Tensor[] {p, state(state, "momentumBuffer", p)} : new Tensor[] {p};
        DType d = p.dtype().compute();
        Tensor[] numbers = scalars.once(d, () -> {
            List<Tensor> all = new ArrayList<>();
            all.add(scalars.of(d, LR));
            if (decays) all.add(scalars.of(d, WEIGHT_DECAY));
            if (remembers) {
                all.add(scalars.of(d, MOMENTUM));
                all.add(scalars.ofStep(d, DAMPENING, step -> step == 1 ? 1 : 1 - group.get(DAMPENING)));
            }
            return all.toArray(Tensor[]::new);
        });
        update(new SgdStep(decays, remembers, group.is(NESTEROV)), written, gradient, numbers);
    }
}
