// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * Transposed convolution over two axes ({@code torch.nn.ConvTranspose2d}): from [N, in, height, width] to [N,
 * out, …], each extent {@code (n - 1) · stride - 2 · padding + dilation · (kernel - 1) + outputPadding + 1}.
 */
public final class ConvTranspose2d extends ConvNd {
    public ConvTranspose2d(long in, long out, long kernel) {
        this(in, out, kernel, ConvOptions.of());
    }

    /** The same kernel extent on every axis. */
    public ConvTranspose2d(long in, long out, long kernel, ConvOptions options) {
        this(in, out, square(kernel, 2), options);
    }

    /**
     * A kernel of any extents.
     *
     * @throws IllegalArgumentException if {@code kernel} has not 2 extents, or a setting is impossible
     */
    public ConvTranspose2d(long in, long out, long[] kernel, ConvOptions options) {
        super(in, out, Check.count("ConvTranspose2d: kernel", kernel, 2), options, true);
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.convTranspose2d(x, weight, bias, stride, padding, outputPadding, groups, dilation);
    }
}
