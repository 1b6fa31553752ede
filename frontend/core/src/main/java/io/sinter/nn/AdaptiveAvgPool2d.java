// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * Means over windows chosen so that the result is [N, channels, height, width] ({@code
 * torch.nn.AdaptiveAvgPool2d}).
 */
public final class AdaptiveAvgPool2d extends Net {
    private final long height;
    private final long width;

    public AdaptiveAvgPool2d(long size) {
        this(size, size);
    }

    public AdaptiveAvgPool2d(long height, long width) {
        Check.positive("AdaptiveAvgPool2d: height", height);
        Check.positive("AdaptiveAvgPool2d: width", width);
        this.height = height;
        this.width = width;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.adaptiveAvgPool2d(x, height, width);
    }

    @Override
    protected String describe() {
        return height + ", " + width;
    }
}
