// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** {@code tanh(x)} ({@code torch.nn.Tanh}). */
public final class Tanh extends Net {
    @Override
    public Tensor forward(Tensor x) {
        return x.tanh();
    }
}
