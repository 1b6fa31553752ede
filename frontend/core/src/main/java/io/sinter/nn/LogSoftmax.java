// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** Logarithm of the softmax along an axis ({@code torch.nn.LogSoftmax}). */
public final class LogSoftmax extends Net {
    private final int axis;

    /** @param axis negative ones count from the end */
    public LogSoftmax(int axis) {
        this.axis = axis;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.logSoftmax(x, axis);
    }

    @Override
    protected String describe() {
        return "axis=" + axis;
    }
}
