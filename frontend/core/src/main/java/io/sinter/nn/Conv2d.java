// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * Convolution over two axes ({@code torch.nn.Conv2d}): from [N, in, height, width] to [N, out, height,
 * width].
 */
public final class Conv2d extends ConvNd {
    /** Stride 1, no padding, with a bias. */
    public Conv2d(long in, long out, long kernel) {
        this(in, out, kernel, ConvOptions.of());
    }

    /** The same kernel extent on every axis. */
    public Conv2d(long in, long out, long kernel, ConvOptions options) {
        this(in, out, square(kernel, 2), options);
    }

    /**
     * A kernel of any extents.
     *
     * @throws IllegalArgumentException if {@code kernel} has not 2 extents, or a setting is impossible
     */
    public Conv2d(long in, long out, long[] kernel, ConvOptions options) {
        super(in, out, Check.count("Conv2d: kernel", kernel, 2), options, false);
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups);
    }
}
