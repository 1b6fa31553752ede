// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * Normalization of groups of channels together with the axes after them ({@code torch.nn.GroupNorm}; Wu and
 * He, 2018): input [N, channels, …].
 */
public final class GroupNorm extends Net {
    /** [channels], ones at first. */
    public final Tensor weight;

    /** [channels], zeros at first. */
    public final Tensor bias;

    private final int groups;
    private final double eps;

    /** With eps 1e-5. */
    public GroupNorm(int groups, long channels) {
        this(groups, channels, 1e-5);
    }

    public GroupNorm(int groups, long channels, double eps) {
        Check.divides("GroupNorm: channels and groups", groups, channels);
        this.groups = groups;
        this.eps = eps;
        weight = parameter(Fill.constant(1, channels));
        bias = parameter(Fill.constant(0, channels));
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.groupNorm(x, groups, weight, bias, eps);
    }

    @Override
    protected String describe() {
        return groups + ", " + weight.size(0) + ", eps=" + eps;
    }
}
