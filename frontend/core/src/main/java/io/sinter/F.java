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

    /**
     * Runs {@code step} once for each element of the sequences' first axis, carrying a state from step to step ({@code jax.lax.scan}, {@code
     * torch.scan}): a loop of the compiled program. See {@link Scan}.
     *
     * @param state the state before the first step
     * @param sequences [steps, …] each; at least one
     * @throws TensorException if the sequences differ in length, or a step's state is not of the type of the state before it
     */
    public static Scan.Result scan(List<Tensor> state, List<Tensor> sequences, Scan.Step step) {
        return Scan.run(state, sequences, false, step);
    }

    /** As {@link #scan}, from the last step to the first; outputs are in the order of the sequences. */
    public static Scan.Result scanReverse(List<Tensor> state, List<Tensor> sequences, Scan.Step step) {
        return Scan.run(state, sequences, true, step);
    }

    /**
     * As {@link #scan}, of a step that is traced once for operands of the same types.
     *
     * @param weights what the cell is given at every step
     */
    public static Scan.Result scan(List<Tensor> state, List<Tensor> sequences, List<Tensor> weights, Scan.Cell cell) {
        return Scan.run(state, sequences, weights, false, cell);
    }

    /** As {@link #scan(List, List, List, Scan.Cell)}, from the last step to the first; outputs are in the order of the sequences. */
    public static Scan.Result scanReverse(
            List<Tensor> state, List<Tensor> sequences, List<Tensor> weights, Scan.Cell cell) {
        return Scan.run(state, sequences, weights, true, cell);
    }
}
