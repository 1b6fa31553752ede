// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** The largest element of each window of [N, channels, height, width] ({@code torch.nn.MaxPool2d}). */
public final class MaxPool2d extends Net {
    private final long kernel;
    private final long stride;
    private final long padding;

    /** Windows of {@code kernel} × {@code kernel}, side by side. */
    public MaxPool2d(long kernel) {
        this(kernel, kernel, 0);
    }

    public MaxPool2d(long kernel, long stride, long padding) {
        Check.positive("MaxPool2d: kernel", kernel);
        Check.positive("MaxPool2d: stride", stride);
        if (padding < 0 || 2 * padding > kernel) {
            throw new IllegalArgumentException(
                    "MaxPool2d: padding " + padding + " is more than half of the kernel, " + kernel);
        }
        this.kernel = kernel;
        this.stride = stride;
        this.padding = padding;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.maxPool2d(x, kernel, stride, padding);
    }

    @Override
    protected String describe() {
        return "kernel=" + kernel + ", stride=" + stride + ", padding=" + padding;
    }
}
