// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** {@code x · Φ(x)}, Φ the normal distribution function ({@code torch.nn.GELU}). */
public final class GELU extends Net {
    @Override
    public Tensor forward(Tensor x) {
        return F.gelu(x);
    }
}
