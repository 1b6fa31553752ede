// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/** {@code log(1 + exp(x))} ({@code torch.nn.Softplus}). */
public final class Softplus extends Net {
    @Override
    public Tensor forward(Tensor x) {
        return F.softplus(x);
    }
}
