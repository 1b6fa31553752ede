// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** {@code max(x, 0)} ({@code torch.nn.ReLU}). */
public final class ReLU extends Net {
    @Override
    public Tensor forward(Tensor x) {
        return x.relu();
    }
}
