// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

/**
 * How exactly products of f32 matrices, and convolutions, multiply, as PyTorch's {@code torch.set_float32_matmul_precision} has it. Sums are f32 in
 * any case. Processors without such instructions multiply exactly always.
 */
public enum MatmulPrecision {
    /** Operands are f32: all 24 bits. */
    HIGHEST,
    /** Operands may be rounded to TF32, which has 11 bits. */
    HIGH,
    /** Operands may be rounded to bf16, which has 8 bits. As there is no such template, this is {@link #HIGH}. */
    MEDIUM;

    /**
     * The precision of a name: {@code highest}, {@code high} (or {@code tf32}), {@code medium}.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static MatmulPrecision parse(String name) {
        return switch (name) {
            case "highest" -> HIGHEST;
            case "high", "tf32" -> HIGH;
            case "medium" -> MEDIUM;
            default ->
                throw new IllegalArgumentException(
                        "no matmul precision '" + name + "'; known: highest, high (tf32), medium");
        };
    }
}
