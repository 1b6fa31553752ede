// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;

import io.sinter.ir.Shape;
import java.util.Arrays;
import java.util.List;

/** Further products of matrices and vectors. */
public sealed interface MatrixProducts permits Tensor {
    Tensor self();

    /** {@code beta * self + alpha * (matrix @ vector)}. */
    default Tensor addmv(Tensor matrix, Tensor vector, double beta, double alpha) {
        return Trace.call(() -> Sums.scaled(self(), matrix.mv(vector), beta, alpha));
    }

    /** {@code beta * self + alpha * (a @ b)} of batches of matrices. */
    default Tensor baddbmm(Tensor a, Tensor b, double beta, double alpha) {
        return Trace.call(() -> Sums.scaled(self(), a.bmm(b), beta, alpha));
    }

    /** {@code beta * self + alpha * sum(a @ b)}: products of batches of matrices, summed over the batch. */
    default Tensor addbmm(Tensor a, Tensor b, double beta, double alpha) {
        return Trace.call(() -> Sums.scaled(self(), cast(a.bmm(b).sum(0), a.dtype()), beta, alpha));
    }

    /** {@code beta * self + alpha * outer(a, b)}. */
    default Tensor addr(Tensor a, Tensor b, double beta, double alpha) {
        return Trace.call(() -> Sums.scaled(self(), a.outer(b), beta, alpha));
    }

    /** Inner product of two vectors (of real numbers: the same as {@code dot}). */
    default Tensor vdot(Tensor other) {
        return self().dot(other);
    }

    /**
     * Products of the last axes, summed, for all pairs of the other axes; with a scalar, the plain product.
     */
    default Tensor inner(Tensor other) {
        Tensor x = self();
        if (x.rank() == 0 || other.rank() == 0) return x.mul(other);
        return F.tensordot(x, other, new int[] {-1}, new int[] {-1});
    }

    /** Kronecker product: each element of this times the whole of {@code other}. */
    default Tensor kron(Tensor other) {
        Tensor x = self();
        return Trace.call(() -> {
            int rank = Math.max(x.rank(), other.rank());
            long[] a = Sums.padded(x, rank);
            long[] b = Sums.padded(other, rank);
            long[] left = new long[2 * rank];
            long[] right = new long[2 * rank];
            long[] shape = new long[rank];
            Arrays.fill(left, 1);
            Arrays.fill(right, 1);
            for (int i = 0; i < rank; i++) {
                left[2 * i] = a[i];
                right[2 * i + 1] = b[i];
                shape[i] = a[i] * b[i];
            }
            Tensor p = Operators.E.reshape(x, Shape.of(left)).mul(Operators.E.reshape(other, Shape.of(right)));
            return Operators.E.reshape(p, Shape.of(shape));
        });
    }

    /** Cross product along an axis of extent 3; the others broadcast. */
    default Tensor cross(Tensor other, int axis) {
        Tensor[] both = Blending.Blend.broadcast("cross", self(), other);
        int a = Axes.axis("cross", both[0], axis);
        if (both[0].rank() == 0 || both[0].size(a) != 3)
            throw Errors.argument("cross", self(), other, "axis " + axis + " must have extent 3");
        // x_{i+1} y_{i+2} - x_{i+2} y_{i+1}
        return Trace.call(() -> {
            Tensor x = both[0];
            Tensor y = both[1];
            return x.roll(-1, a).mul(y.roll(-2, a)).sub(x.roll(-2, a).mul(y.roll(-1, a)));
        });
    }

    /** Sum of products along an axis; the others broadcast ({@code torch.linalg.vecdot} of real numbers). */
    default Tensor vecdot(Tensor other, int axis) {
        return Trace.call(() -> self().mul(other).sum(axis));
    }

    /** A power of square matrices, by repeated squaring; the exponent must not be negative. */
    default Tensor matrixPower(long exponent) {
        Tensor x = self();
        if (x.rank() < 2 || x.size(-1) != x.size(-2)) throw Errors.argument("matrixPower", x, "needs square matrices");
        if (exponent < 0)
            throw Errors.argument(
                    "matrixPower", x, "the exponent " + exponent + " is negative; invert the matrix first");
        return Trace.call(() -> {
            Tensor r = null;
            Tensor square = x;
            for (long e = exponent; e > 0; e >>= 1) {
                if ((e & 1) == 1) r = r == null ? square : r.matmul(square);
                if (e > 1) square = square.matmul(square);
            }
            if (r == null)
                return Operators.expand(
                                Tensor.eye(x.size(-1), x.size(-1), x.dtype()),
                                x.type().shape())
                        .clone();
            return exponent == 1 ? r.clone() : r;
        });
    }

    /** Helpers of this family. */
    final class Sums {
        private Sums() {}

        static Tensor scaled(Tensor x, Tensor product, double beta, double alpha) {
            boolean real = product.dtype().isFloat();
            // Factors of whole numbers are cut to whole ones, as in PyTorch.
            return add(x, product, real ? beta : (long) beta, real ? alpha : (long) alpha);
        }

        private static Tensor add(Tensor x, Tensor product, double beta, double alpha) {
            Tensor p = alpha == 1 ? product : times(product, alpha);
            // With beta 0, not even NaNs of x count.
            if (beta == 0) return Operators.expand(p, Rearranging.Rearrange.common("add", List.of(x, p)));
            return cast((beta == 1 ? x : times(x, beta)).add(p), p.dtype());
        }

        /** {@code factor * x} in x's dtype. */
        static Tensor times(Tensor x, double factor) {
            if (x.dtype().isFloat()) return x.mul(factor);
            if (factor == 1) return x;
            return cast(x.mul((long) factor), x.dtype());
        }

        static long[] padded(Tensor x, int rank) {
            long[] r = new long[rank];
            Arrays.fill(r, 1);
            System.arraycopy(x.shape(), 0, r, rank - x.rank(), x.rank());
            return r;
        }
    }
}
