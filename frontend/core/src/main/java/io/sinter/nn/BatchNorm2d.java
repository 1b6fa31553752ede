// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** {@link BatchNorm} of [N, channels, height, width] ({@code torch.nn.BatchNorm2d}). */
public final class BatchNorm2d extends BatchNorm {
    /** PyTorch's defaults: eps 1e-5, momentum 0.1. */
    public BatchNorm2d(long channels) {
        this(channels, 1e-5, 0.1);
    }

    public BatchNorm2d(long channels, double eps, double momentum) {
        super(channels, eps, momentum);
    }

    @Override
    void check(Tensor x) {
        Check.rank("BatchNorm2d", x, 4, 4);
        Check.extent("BatchNorm2d", x, 1, weight.size(0));
    }
}
