// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Broadcast;
import io.sinter.ir.op.Matmul;
import java.util.Arrays;

/** Products of matrices and vectors. */
public sealed interface LinearAlgebra permits Tensor {
    Tensor self();

    /**
     * Matrix product with NumPy's rules: vectors count as a row on the left and a column on the right,
     * leading axes broadcast. Operands have one dtype; f16 and bf16 accumulate in f32.
     */
    default Tensor matmul(Tensor other) {
        Tensor a = self();
        if (a.rank() == 0 || other.rank() == 0)
            throw Errors.argument("matmul", a, other, "scalars have no rows or columns; use mul");
        if (a.dtype() != other.dtype())
            throw Errors.argument("matmul", a, other, "dtypes differ; cast one operand to the other's dtype");
        long inner = a.size(-1);
        long rows = other.rank() == 1 ? other.size(0) : other.size(-2);
        if (inner != rows) {
            throw Errors.argument(
                    "matmul",
                    a,
                    other,
                    "inner extents " + inner + " and " + rows + " differ; transpose or reshape one operand");
        }
        return Trace.call(() -> Products.product(a, other));
    }

    /** Product of two matrices. */
    default Tensor mm(Tensor other) {
        if (self().rank() != 2 || other.rank() != 2)
            throw Errors.argument("mm", self(), other, "needs two matrices; matmul broadcasts");
        return matmul(other);
    }

    /** Product of batches of matrices. */
    default Tensor bmm(Tensor other) {
        if (self().rank() != 3 || other.rank() != 3 || self().size(0) != other.size(0)) {
            throw Errors.argument("bmm", self(), other, "needs two batches of as many matrices; matmul broadcasts");
        }
        return matmul(other);
    }

    /** Product of a matrix and a vector. */
    default Tensor mv(Tensor vector) {
        if (self().rank() != 2 || vector.rank() != 1)
            throw Errors.argument("mv", self(), vector, "needs a matrix and a vector");
        return matmul(vector);
    }

    /** Inner product of two vectors. */
    default Tensor dot(Tensor other) {
        if (self().rank() != 1 || other.rank() != 1) throw Errors.argument("dot", self(), other, "needs two vectors");
        return matmul(other);
    }

    /** Outer product of two vectors. */
    default Tensor outer(Tensor other) {
        if (self().rank() != 1 || other.rank() != 1) throw Errors.argument("outer", self(), other, "needs two vectors");
        return Trace.call(() -> self().unsqueeze(1).mul(other));
    }

    /** {@code beta * self + alpha * (a @ b)}. */
    default Tensor addmm(Tensor a, Tensor b, double beta, double alpha) {
        return Trace.call(() -> MatrixProducts.Sums.scaled(self(), a.mm(b), beta, alpha));
    }

    default Tensor addmm(Tensor a, Tensor b) {
        return addmm(a, b, 1, 1);
    }

    /** Elements on and below the diagonal {@code k}; others are 0. */
    default Tensor tril(long k) {
        return Products.triangle(self(), k, true);
    }

    /** Elements on and above the diagonal {@code k}; others are 0. */
    default Tensor triu(long k) {
        return Products.triangle(self(), k, false);
    }

    /** Sum of the diagonal of a matrix. */
    default Tensor trace() {
        if (self().rank() != 2) throw Errors.argument("trace", self(), "needs a matrix");
        return Trace.call(() -> self().diagonal().sum());
    }

    /** Helpers of this family. */
    final class Products {
        private Products() {}

        static Tensor product(Tensor a, Tensor b) {
            DType d = a.dtype();
            if (!d.isFloat()) {
                // Integers: the matmul kernels are for floats; these are rare and small.
                Tensor x = a.rank() == 1 ? a.unsqueeze(0) : a;
                Tensor y = b.rank() == 1 ? b.unsqueeze(1) : b;
                Tensor p = x.unsqueeze(-1).mul(y.unsqueeze(-3)).sum(-2).to(d);
                return squeezed(p, a, b);
            }
            Tensor x = a.rank() == 1 ? Operators.E.reshape(a, Shape.of(1, a.size(0))) : a;
            Tensor y = b.rank() == 1 ? Operators.E.reshape(b, Shape.of(b.size(0), 1)) : b;
            if (y.rank() == 2 && x.rank() > 2) {
                // Leading axes of the left operand are rows: one product instead of a batch.
                long[] s = x.shape();
                long k = s[s.length - 1];
                long m = 1;
                for (int i = 0; i < s.length - 1; i++) m *= s[i];
                Tensor p = Dispatch.emit(new Matmul(), Operators.E.reshape(x, Shape.of(m, k)), y);
                s[s.length - 1] = y.size(1);
                return squeezed(Operators.E.reshape(p, Shape.of(s)), a, b);
            }
            int rank = Math.max(x.rank(), y.rank());
            if (rank > 2) {
                Shape batch = Broadcast.shapes("matmul", batch(x), batch(y));
                x = Operators.expand(x, batch.insert(batch.rank(), x.size(-2)).insert(batch.rank() + 1, x.size(-1)));
                y = Operators.expand(y, batch.insert(batch.rank(), y.size(-2)).insert(batch.rank() + 1, y.size(-1)));
            }
            return squeezed(Dispatch.emit(new Matmul(), x, y), a, b);
        }

        private static io.sinter.ir.Type batch(Tensor x) {
            return new io.sinter.ir.Type(x.dtype(), Shape.of(Arrays.copyOf(x.shape(), x.rank() - 2)));
        }

        private static Tensor squeezed(Tensor p, Tensor a, Tensor b) {
            if (a.rank() > 1 && b.rank() > 1) return p;
            Shape s = p.type().shape();
            if (b.rank() == 1) s = s.without(s.rank() - 1);
            if (a.rank() == 1) s = s.without(b.rank() == 1 ? s.rank() - 1 : s.rank() - 2);
            return Operators.E.reshape(p, s);
        }

        static Tensor triangle(Tensor x, long k, boolean lower) {
            if (x.rank() < 2) throw Errors.argument(lower ? "tril" : "triu", x, "needs at least two axes");
            return Trace.call(() -> {
                Tensor rows = Operators.E.iota(x.size(-2)).unsqueeze(1);
                Tensor columns = Operators.E.iota(x.size(-1)).sub(k);
                Tensor keep = lower ? columns.le(rows) : columns.ge(rows);
                return keep.where(x, Operators.constant(x, 0));
            });
        }
    }
}
