// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * The mean of each window, padding counted as zeros of [N, channels, height, width] ({@code
 * torch.nn.AvgPool2d}).
 */
public final class AvgPool2d extends Net {
    private final long kernel;
    private final long stride;
    private final long padding;

    /** Windows of {@code kernel} × {@code kernel}, side by side. */
    public AvgPool2d(long kernel) {
        this(kernel, kernel, 0);
    }

    public AvgPool2d(long kernel, long stride, long padding) {
        Check.positive("AvgPool2d: kernel", kernel);
        Check.positive("AvgPool2d: stride", stride);
        if (padding < 0 || 2 * padding > kernel) {
            throw new IllegalArgumentException(
                    "AvgPool2d: padding " + padding + " is more than half of the kernel, " + kernel);
        }
        this.kernel = kernel;
        this.stride = stride;
        this.padding = padding;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.avgPool2d(x, kernel, stride, padding);
    }

    @Override
    protected String describe() {
        return "kernel=" + kernel + ", stride=" + stride + ", padding=" + padding;
    }
}
