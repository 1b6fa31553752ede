// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** All axes but the first in one ({@code torch.nn.Flatten}). */
public final class Flatten extends Net {
    @Override
    public Tensor forward(Tensor x) {
        return x.flatten(1, -1);
    }
}
