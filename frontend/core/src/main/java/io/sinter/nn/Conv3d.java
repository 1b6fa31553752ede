// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * Convolution over three axes ({@code torch.nn.Conv3d}): from [N, in, depth, height, width] to [N, out,
 * depth, height, width].
 */
public final class Conv3d extends ConvNd {
    /** Stride 1, no padding, with a bias. */
    public Conv3d(long in, long out, long kernel) {
        this(in, out, kernel, ConvOptions.of());
    }

    /** The same kernel extent on every axis. */
    public Conv3d(long in, long out, long kernel, ConvOptions options) {
        this(in, out, square(kernel, 3), options);
    }

    /**
     * A kernel of any extents.
     *
     * @throws IllegalArgumentException if {@code kernel} has not 3 extents, or a setting is impossible
     */
    public Conv3d(long in, long out, long[] kernel, ConvOptions options) {
        super(in, out, Check.count("Conv3d: kernel", kernel, 3), options, false);
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.conv3d(x, weight, bias, stride, padding, dilation, groups);
    }
}
