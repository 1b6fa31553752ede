// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.List;

/**
 * Functions of tensors that are no methods of {@link Tensor}: PyTorch's {@code torch.nn.functional}, and what
 * joins several tensors.
 */
public final class F extends Specials {
    private F() {}

    /** Joins along an axis; dtypes are promoted. */
    public static Tensor cat(List<Tensor> parts, int axis) {
        return Combining.cat(axis, parts.toArray(Tensor[]::new));
    }

    /** Joins along a new axis. */
    public static Tensor stack(List<Tensor> parts, int axis) {
        return Combining.stack(axis, parts.toArray(Tensor[]::new));
    }

    /** Elements where {@code condition} is true from {@code a}, else from {@code b}; all three broadcast. */
    public static Tensor where(Tensor condition, Tensor a, Tensor b) {
        return Operators.where(condition, a, b);
    }
}
