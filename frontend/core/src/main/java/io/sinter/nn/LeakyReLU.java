// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** {@code x} where positive, else {@code slope · x} ({@code torch.nn.LeakyReLU}). */
public final class LeakyReLU extends Net {
    private final double slope;

    /** With slope 0.01. */
    public LeakyReLU() {
        this(0.01);
    }

    public LeakyReLU(double slope) {
        this.slope = slope;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.leakyRelu(x, slope);
    }

    @Override
    protected String describe() {
        return "slope=" + slope;
    }
}
