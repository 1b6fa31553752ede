// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * A table of vectors, read by number ({@code torch.nn.Embedding}): from whole numbers [...] in [0, count) to
 * [..., features]. Standard normal at first.
 */
public final class Embedding extends Net {
    /** [count, features]. */
    public final Tensor weight;

    public Embedding(long count, long features) {
        Check.positive("Embedding: count", count);
        Check.positive("Embedding: features", features);
        weight = parameter(Fill.normal(1, count, features));
    }

    /** Numbers out of range are found when the value is computed: {@code IndexOutOfBoundsException}. */
    @Override
    public Tensor forward(Tensor indices) {
        return F.embedding(indices, weight);
    }

    @Override
    protected String describe() {
        return weight.size(0) + ", " + weight.size(1);
    }
}
