// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/**
 * Division by the root of the mean square over the last axis, times {@code weight} ({@code torch.nn.RMSNorm};
 * Zhang and Sennrich, 2019).
 */
public final class RMSNorm extends Net {
    /** [features], ones at first. */
    public final Tensor weight;

    private final double eps;

    /** With eps 1e-6. */
    public RMSNorm(long features) {
        this(features, 1e-6);
    }

    public RMSNorm(long features, double eps) {
        Check.positive("RMSNorm: features", features);
        this.eps = eps;
        weight = parameter(Fill.constant(1, features));
    }

    @Override
    public Tensor forward(Tensor x) {
        Check.extent("RMSNorm", x, -1, weight.size(0));
        return x.mul(x.square().mean(-1, true).add(eps).rsqrt()).mul(weight);
    }

    @Override
    protected String describe() {
        return weight.size(0) + ", eps=" + eps;
    }
}
