// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** {@code 1 / (1 + exp(-x))} ({@code torch.nn.Sigmoid}). */
public final class Sigmoid extends Net {
    @Override
    public Tensor forward(Tensor x) {
        return x.sigmoid();
    }
}
