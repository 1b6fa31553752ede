// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** {@code x · sigmoid(x)} ({@code torch.nn.SiLU}). */
public final class SiLU extends Net {
    @Override
    public Tensor forward(Tensor x) {
        return F.silu(x);
    }
}
