// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** Convolution over one axis ({@code torch.nn.Conv1d}): from [N, in, length] to [N, out, length]. */
public final class Conv1d extends ConvNd {
    /** Stride 1, no padding, with a bias. */
    public Conv1d(long in, long out, long kernel) {
        this(in, out, kernel, ConvOptions.of());
    }

    /** The same kernel extent on every axis. */
    public Conv1d(long in, long out, long kernel, ConvOptions options) {
        this(in, out, square(kernel, 1), options);
    }

    /**
     * A kernel of any extents.
     *
     * @throws IllegalArgumentException if {@code kernel} has not 1 extents, or a setting is impossible
     */
    public Conv1d(long in, long out, long[] kernel, ConvOptions options) {
        super(in, out, Check.count("Conv1d: kernel", kernel, 1), options, false);
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.conv1d(x, weight, bias, stride, padding, dilation, groups);
    }
}
