// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import java.util.Collection;
import java.util.Map;

/**
 * What {@link Adam} and {@link AdamW} share (Kingma and Ba, 2015; amsgrad: Reddi et al., 2018). With {@code
 * t} the number of the step:
 *
 * <pre>
 * m ← m + (1 − beta1) · (g − m)
 * v ← beta2 · v + (1 − beta2) · g²
 * u ← amsgrad ? (x ← max(x, v)) : v
 * p ← p − lr / (1 − beta1ᵗ) · m / (√u / √(1 − beta2ᵗ) + eps)
 * </pre>
 */
abstract sealed class AdamBase extends Optimizer permits Adam, AdamW {
    static final String BETA1 = "beta1";
    static final String BETA2 = "beta2";
    static final String EPS = "eps";
    static final String WEIGHT_DECAY = "weightDecay";
    static final String AMSGRAD = "amsgrad";

    AdamBase(Collection<Tensor> parameters, double lr, double weightDecay) {
        super(
                parameters,
                Map.of(
                        LR,
                        lr,
                        BETA1,
                        0.9,
                        BETA2,
                        0.999,
                        EPS,
                        1e-8,
                        WEIGHT_DECAY,
                        weightDecay,
                        AMSGRAD,
                        0.0,
                        MAXIMIZE,
                        0.0));
    }

    @Override
    void check(ParamGroup group) {
        for (String beta : new String[] {BETA1, BETA2}) {
            if (group.get(beta) >= 1)
                throw new IllegalArgumentException(beta + " must be below 1, not " + group.get(beta));
        }
    }

    /** The moments' and the parameter's update, after weight decay has been dealt with. */
    final void adam(ParamGroup group, Tensor p, Tensor g, ParamState state, Scalars scalars) {
        Tensor m = state(state, "expAvg", p);
        Tensor v = state(state, "expAvgSq", p);
        m.copy_(m.add(g.sub(m).mul(scalars.of(p, "1-beta1", () -> 1 - group.get(BETA1)))));
        v.copy_(v.mul(scalars.of(p, BETA2)).add(g.square().mul(scalars.of(p, "1-beta2", () -> 1 - group.get(BETA2)))));
        Tensor u = v;
        if (group.is(AMSGRAD)) {
            Tensor most = state(state, "maxExpAvgSq", p);
            most.copy_(most.maximum(v));
            u = most;
        }
        Tensor rate = scalars.ofStep(p, "rate", t -> group.lr() / (1 - Math.pow(group.get(BETA1), t)));
        Tensor correction = scalars.ofStep(p, "correction", t -> Math.sqrt(1 - Math.pow(group.get(BETA2), t)));
        Tensor denominator = u.sqrt().div(correction).add(scalars.of(p, EPS));
        p.copy_(p.sub(m.div(denominator).mul(rate)));
    }
}
