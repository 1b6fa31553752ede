// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.ir.op.AdamStep;
import java.util.Collection;
import java.util.Map;
import java.util.function.DoubleSupplier;

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

    /**
     * The moments' and the parameter's update.
     *
     * @param kept the part of the parameter that decay leaves
     */
    final void adam(ParamGroup group, Tensor p, Tensor g, DoubleSupplier kept, ParamState state, Scalars scalars) {
        boolean amsgrad = group.is(AMSGRAD);
        Tensor[] written = new Tensor[amsgrad ? 4 : 3];
        written[0] = p;
        written[1] = state(state, "expAvg", p);
        written[2] = state(state, "expAvgSq", p);
        if (amsgrad) written[3] = state(state, "maxExpAvgSq", p);
        DType d = p.dtype().compute();
        Tensor[] numbers = scalars.once(d, () -> numbers(group, d, kept, scalars));
        update(new AdamStep(amsgrad), written, g, numbers);
    }

    /** As {@link AdamStep} takes them. */
    private static Tensor[] numbers(ParamGroup group, DType d, DoubleSupplier kept, Scalars scalars) {
        return new Tensor[] {
            scalars.of(d, "kept", kept),
            scalars.ofStep(d, "rate", t -> group.lr() / (1 - Math.pow(group.get(BETA1), t))),
            scalars.ofStep(d, "correction", t -> Math.sqrt(1 - Math.pow(group.get(BETA2), t))),
            scalars.of(d, "1-beta1", () -> 1 - group.get(BETA1)),
            scalars.of(d, BETA2),
            scalars.of(d, "1-beta2", () -> 1 - group.get(BETA2)),
            scalars.of(d, EPS)
        };
    }
}
