// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** Exponentials over their sum along an axis ({@code torch.nn.Softmax}). */
public final class Softmax extends Net {
    private final int axis;

    /** @param axis negative ones count from the end */
    public Softmax(int axis) {
        this.axis = axis;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.softmax(x, axis);
    }

    @Override
    protected String describe() {
        return "axis=" + axis;
    }
}
