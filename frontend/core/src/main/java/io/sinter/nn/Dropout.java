// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * While training, zeroes elements with probability p and divides the others by 1 - p; otherwise the identity
 * ({@code torch.nn.Dropout}; Srivastava et al., 2014).
 */
public final class Dropout extends Net {
    private final double p;

    public Dropout(double p) {
        Check.probability("Dropout", p);
        this.p = p;
    }

    @Override
    public Tensor forward(Tensor x) {
        return F.dropout(x, p, isTraining());
    }

    @Override
    protected String describe() {
        return "p=" + p;
    }
}
