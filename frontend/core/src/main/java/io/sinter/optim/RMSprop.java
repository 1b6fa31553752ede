// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.ir.op.RmspropStep;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * RMSprop ({@code torch.optim.RMSprop}; Tieleman and Hinton, 2012):
 *
 * <pre>
 * g ← g + weightDecay · p
 * v ← alpha · v + (1 − alpha) · g²
 * m ← m + (1 − alpha) · (g − m)                 (centered)
 * b ← momentum · b + g / (√(v − m²) + eps)      (not centered: √v)
 * p ← p − lr · b
 * </pre>
 */
public final class RMSprop extends Optimizer {
    private static final String ALPHA = "alpha";
    private static final String EPS = "eps";
    private static final String MOMENTUM = "momentum";
    private static final String WEIGHT_DECAY = "weightDecay";
    private static final String CENTERED = "centered";

    /** With PyTorch's defaults: alpha 0.99, eps 1e-8, no momentum, no weight decay, not centered. */
    public RMSprop(Collection<Tensor> parameters, double lr) {
        super(
                parameters,
                Map.of(LR, lr, ALPHA, 0.99, EPS, 1e-8, MOMENTUM, 0.0, WEIGHT_DECAY, 0.0, CENTERED, 0.0, MAXIMIZE, 0.0));
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

    /** Divides by an estimate of the gradient's standard deviation (Graves, 2013), rather than by the root of its second moment. */
    public RMSprop centered(boolean on) {
        setAll(CENTERED, on ? 1 : 0);
        return this;
    }

    /** Ascends instead. */
    public RMSprop maximize(boolean on) {
        setAll(MAXIMIZE, on ? 1 : 0);
        return this;
    }

    @Override
    void check(ParamGroup group) {}

    @Override
    void update(ParamGroup group, Tensor p, Tensor gradient, ParamState state, Scalars scalars) {
        boolean decays = group.is(WEIGHT_DECAY);
        boolean centered = group.is(CENTERED);
        boolean remembers = group.is(MOMENTUM);
        List<Tensor> written = new ArrayList<>(List.of(p, state(state, "squareAvg", p)));
        if (centered) written.add(state(state, "gradAvg", p));
        if (remembers) written.add(state(state, "momentumBuffer", p));
        DType d = p.dtype().compute();
        Tensor[] numbers = scalars.once(d, () -> {
            List<Tensor> all = new ArrayList<>();
            all.add(scalars.of(d, LR));
            all.add(scalars.of(d, ALPHA));
            all.add(scalars.of(d, "1-alpha", () -> 1 - group.get(ALPHA)));
            all.add(scalars.of(d, EPS));
            if (decays) all.add(scalars.of(d, WEIGHT_DECAY));
            if (remembers) all.add(scalars.of(d, MOMENTUM));
            return all.toArray(Tensor[]::new);
        });
        update(new RmspropStep(decays, centered, remembers), written.toArray(Tensor[]::new), gradient, numbers);
    }
}
