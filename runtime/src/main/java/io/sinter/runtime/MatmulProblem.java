// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.DType;
import io.sinter.ir.MatmulPrecision;

/**
 * A product of matrices as libraries know it: {@code c[m,n] = Σ_k a[m,k] · b[k,n]} for each of a batch, row-major, all of one type, sums in
 * {@link DType#compute}.
 *
 * @param dtype f64, f32, f16 or bf16
 * @param precision of f32's products
 * @param transposedA whether a lies as [k,m]
 * @param transposedB whether b lies as [n,k]
 * @param lda elements from one row of a, as it lies, to the next
 * @param strideA elements from one a of the batch to the next; 0 if all are the same
 * @param bias whether a vector of n elements is added to each row of c
 * @param activation what is done to each element of c last
 */
record MatmulProblem(
        DType dtype,
        MatmulPrecision precision,
        long batch,
        long m,
        long n,
        long k,
        boolean transposedA,
        boolean transposedB,
        long lda,
        long ldb,
        long ldc,
        long strideA,
        long strideB,
        long strideC,
        boolean bias,
        Activation activation) {
    /** A function of each element. */
    enum Activation {
        NONE,
        /** {@code max(x, 0)}; libraries may make 0 of NaN. */
        RELU,
        /** The approximation by tanh. */
        GELU,
        /** The same, and what it is applied to is a result, too, that lies as c does: gradients want it. */
        KEPT_GELU
    }

    /** Multiplications and additions. */
    double flops() {
        return 2.0 * batch * m * n * k;
    }

    /** Whether all extents and leading dimensions fit 32 bits, as the older calls of libraries want. */
    boolean fitsInts() {
        return Math.max(Math.max(Math.max(m, n), Math.max(k, batch)), Math.max(Math.max(lda, ldb), ldc))
                <= Integer.MAX_VALUE;
    }
}
