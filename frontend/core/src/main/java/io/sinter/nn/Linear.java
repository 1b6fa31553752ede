// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * {@code y = x · weightᵀ + bias} ({@code torch.nn.Linear}): from [..., in] to [..., out]. Both parameters
 * begin uniform in ±1/√in.
 */
public final class Linear extends Net {
    /** [out, in]. */
    public final Tensor weight;

    /** [out], or null. */
    public final Tensor bias;

    public Linear(long in, long out) {
        this(in, out, true);
    }

    public Linear(long in, long out, boolean bias) {
        Check.positive("Linear: in", in);
        Check.positive("Linear: out", out);
        double bound = 1 / Math.sqrt(in);
        weight = parameter(Fill.uniform(bound, out, in));
        this.bias = bias ? parameter(Fill.uniform(bound, out)) : null;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.linear(x, weight, bias);
    }

    @Override
    protected String describe() {
        return "in=" + weight.size(1) + ", out=" + weight.size(0) + ", bias=" + (bias != null);
    }
}
