// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.Arrays;

/**
 * Normalization over the last axes ({@code torch.nn.LayerNorm}; Ba et al., 2016): minus the mean, over the
 * standard deviation, times {@code weight} (ones at first), plus {@code bias} (zeros).
 */
public final class LayerNorm extends Net {
    /** Of the normalized shape. */
    public final Tensor weight;

    /** Of the normalized shape. */
    public final Tensor bias;

    private final long[] shape;
    private final double eps;

    /** Over the last axes, of extents {@code shape}, with eps 1e-5. */
    public LayerNorm(long... shape) {
        this(shape, 1e-5);
    }

    public LayerNorm(long[] shape, double eps) {
        if (shape.length == 0) throw new IllegalArgumentException("LayerNorm needs the extents of the last axes");
        this.shape = shape.clone();
        this.eps = eps;
        weight = parameter(Fill.constant(1, shape));
        bias = parameter(Fill.constant(0, shape));
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.layerNorm(x, shape, weight, bias, eps);
    }

    @Override
    protected String describe() {
        return Arrays.toString(shape) + ", eps=" + eps;
    }
}
