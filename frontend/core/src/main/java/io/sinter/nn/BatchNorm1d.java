// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** {@link BatchNorm} of [N, channels] or [N, channels, length] ({@code torch.nn.BatchNorm1d}). */
public final class BatchNorm1d extends BatchNorm {
    /** PyTorch's defaults: eps 1e-5, momentum 0.1. */
    public BatchNorm1d(long channels) {
        this(channels, 1e-5, 0.1);
    }

    public BatchNorm1d(long channels, double eps, double momentum) {
        super(channels, eps, momentum);
    }

    @Override
    void check(Tensor x) {
        Check.rank("BatchNorm1d", x, 2, 3);
        Check.extent("BatchNorm1d", x, 1, weight.size(0));
    }
}
