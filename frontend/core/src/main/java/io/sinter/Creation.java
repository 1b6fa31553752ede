// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;

/** New tensors like this one. */
public sealed interface Creation permits Tensor {
    Tensor self();

    /** Zeros of this tensor's type. */
    default Tensor zerosLike() {
        return Tensor.zeros(self().shape(), self().dtype());
    }

    default Tensor onesLike() {
        return Tensor.full(self().shape(), 1, self().dtype());
    }

    /** Every element is {@code value}. */
    default Tensor fullLike(double value) {
        return Tensor.full(self().shape(), value, self().dtype());
    }

    /** Zeros of this tensor's dtype. */
    default Tensor newZeros(long... shape) {
        return Tensor.zeros(shape, self().dtype());
    }

    default Tensor newOnes(long... shape) {
        return Tensor.ones(shape, self().dtype());
    }

    default Tensor newFull(long[] shape, double value) {
        return Tensor.full(shape, value, self().dtype());
    }

    /** Ones and zeros in {@code dtype} where this tensor is nonzero. */
    default Tensor asMask(DType dtype) {
        return Operators.cast(Operators.truth(self()), dtype);
    }
}
