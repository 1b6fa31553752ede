// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Linear systems ({@code torch.linalg}): operands are batches of matrices [batch…, n, n]. Elimination is
 * unrolled into one step a column and computed in f64, which suits matrices of up to some hundred columns;
 * results have the operand's dtype. Gradients follow from the steps. Singular matrices give infinities or NaN
 * rather than an error.
 */
public final class Linalg {
    private Linalg() {}

    /** Sign and logarithm of the absolute value of a determinant. */
    public record SignAndLog(Tensor sign, Tensor logabsdet) {}

    private static void square(String name, Tensor a) {
        if (a.rank() < 2 || a.size(-1) != a.size(-2) || !a.dtype().isFloat()) {
            throw Errors.argument(name, a, "needs floating-point matrices [batch, n, n]");
        }
    }

    /** Numbers 0 … n - 1 of the rows, as a column. */
    private static Tensor rows(long n) {
        return Operators.E.iota(n).unsqueeze(-1);
    }

    /**
     * {@code m} with row k exchanged for the row, from k on, whose element in column k is the largest; and
     * where that was: [batch…, 1, 1].
     */
    private static Tensor[] pivoted(Tensor m, long k) {
        long n = m.size(-2);
        Tensor row = rows(n);
        Tensor column = m.narrow(-1, k, 1).detach().abs();
        Tensor at = row.ge(k).where(column, constant(column, -1)).argmax(-2, true);
        Tensor source = row.eq(k).where(at, row.eq(at).where(Operators.constantLong(DType.I64, k), row));
        return new Tensor[] {m.gather(-2, Operators.expand(source, m.type().shape())), at};
    }

    /** The triangular matrix of the elimination, and the sign of its permutation. */
    private static Tensor[] eliminated(Tensor a) {
        long n = a.size(-1);
        Tensor m = a;
        Tensor sign = Operators.expand(constant(a, 1), Shape.of(Arrays.copyOf(a.shape(), a.rank() - 2)));
        for (long k = 0; k < n; k++) {
            Tensor[] p = pivoted(m, k);
            m = p[0];
            sign = p[1].squeeze(-2, -1).eq(k).where(sign, sign.neg());
            if (k == n - 1) break;
            Tensor pivot = m.narrow(-2, k, 1);
            Tensor factor = m.narrow(-1, k, 1).div(pivot.narrow(-1, k, 1));
            m = m.sub(rows(n).gt(k).where(factor, constant(factor, 0)).mul(pivot));
        }
        return new Tensor[] {m.diagonal(0, -2, -1), sign};
    }

    /** Determinants. */
    public static Tensor det(Tensor a) {
        square("det", a);
        return Trace.call(() -> {
            Tensor[] e = eliminated(a.toDouble());
            return cast(e[0].prod(-1, false).mul(e[1]), a.dtype());
        });
    }

    /** Signs and logarithms of determinants, without overflow. */
    public static SignAndLog slogdet(Tensor a) {
        square("slogdet", a);
        Tensor[] e = eliminated(a.toDouble());
        Tensor sign = cast(e[0].detach().sign().prod(-1, false).mul(e[1]), a.dtype());
        return new SignAndLog(sign, cast(e[0].abs().log().sum(-1), a.dtype()));
    }

    /** Logarithms of determinants; NaN for negative ones. */
    public static Tensor logdet(Tensor a) {
        return Trace.call(() -> {
            SignAndLog s = slogdet(a);
            return s.sign().lt(0).where(constant(a, Double.NaN), s.logabsdet());
        });
    }

    /** Inverses. */
    public static Tensor inv(Tensor a) {
        square("inv", a);
        return Trace.call(() -> {
            Tensor identity = Operators.expand(
                    Tensor.eye(a.size(-1), a.size(-1), a.dtype()), a.type().shape());
            return jordan(a, identity);
        });
    }

    /**
     * Solves {@code a x = b} for b [batch…, n, k], or [batch…, n] where that is the shape of a without its
     * last axis. Batch axes broadcast.
     */
    public static Tensor solve(Tensor a, Tensor b) {
        square("solve", a);
        boolean vector = b.rank() == 1
                || b.rank() == a.rank() - 1
                        && b.type().shape().equals(a.type().shape().without(a.rank() - 1));
        Tensor right = vector ? b.unsqueeze(-1) : b;
        if (right.rank() < 2 || right.size(-2) != a.size(-1))
            throw Errors.argument("solve", a, b, "b needs as many rows as a has columns");
        return Trace.call(() -> {
            long[] batch = F.broadcastShapes(
                    Arrays.copyOf(a.shape(), a.rank() - 2), Arrays.copyOf(right.shape(), right.rank() - 2));
            Tensor x = jordan(a.expand(with(batch, a)), right.expand(with(batch, right)));
            return vector ? x.squeeze(-1) : x;
        });
    }

    private static long[] with(long[] batch, Tensor x) {
        long[] s = Arrays.copyOf(batch, batch.length + 2);
        s[batch.length] = x.size(-2);
        s[batch.length + 1] = x.size(-1);
        return s;
    }

    /** Gauss–Jordan elimination of [a | b] with row pivots. */
    private static Tensor jordan(Tensor a, Tensor b) {
        long n = a.size(-1);
        if (n == 0 || a.numel() == 0 || b.numel() == 0) return b.mul(1L);
        Tensor m = F.cat(List.of(a.toDouble(), b.toDouble()), -1);
        for (long k = 0; k < n; k++) {
            m = pivoted(m, k)[0];
            Tensor pivot = m.narrow(-2, k, 1);
            pivot = pivot.div(pivot.narrow(-1, k, 1));
            Tensor others = m.sub(m.narrow(-1, k, 1).mul(pivot));
            m = rows(n).eq(k).where(pivot, others);
        }
        return cast(m.narrow(-1, n, b.size(-1)), a.dtype());
    }

    /** Cholesky factors L of positive definite matrices L Lᵀ (of their symmetric parts). */
    public static Tensor cholesky(Tensor a, boolean upper) {
        square("cholesky", a);
        return Trace.call(() -> {
            long n = a.size(-1);
            if (a.numel() == 0) return a.mul(1L);
            Tensor m = a.toDouble();
            m = m.add(m.mT()).mul(0.5);
            List<Tensor> columns = new ArrayList<>();
            for (long k = 0; k < n; k++) {
                Tensor column = m.narrow(-1, k, 1);
                Tensor l = column.div(column.narrow(-2, k, 1).sqrt());
                l = rows(n).ge(k).where(l, constant(l, 0));
                columns.add(l);
                if (k < n - 1) m = m.sub(l.mul(l.mT()));
            }
            Tensor l = cast(F.cat(columns, -1), a.dtype());
            return upper ? l.mT() : l;
        });
    }

    /**
     * Solves {@code a x = b} (or {@code x a = b} if not {@code left}) with the upper or lower triangle of
     * {@code a}.
     *
     * @param unitriangular the diagonal counts as ones
     */
    public static Tensor solveTriangular(Tensor a, Tensor b, boolean upper, boolean left, boolean unitriangular) {
        square("solveTriangular", a);
        if (!left)
            return Trace.call(() ->
                    solveTriangular(a.mT(), b.mT(), !upper, true, unitriangular).mT());
        if (b.rank() < 2 || b.size(-2) != a.size(-1))
            throw Errors.argument("solveTriangular", a, b, "b needs as many rows as a has columns");
        return Trace.call(() -> {
            long n = a.size(-1);
            long[] batch =
                    F.broadcastShapes(Arrays.copyOf(a.shape(), a.rank() - 2), Arrays.copyOf(b.shape(), b.rank() - 2));
            Tensor m = a.expand(with(batch, a)).toDouble();
            Tensor rest = b.expand(with(batch, b)).toDouble();
            if (rest.numel() == 0) return rest.to(b.dtype());
            Tensor[] x = new Tensor[(int) n];
            for (long i = 0; i < n; i++) {
                long k = upper ? n - 1 - i : i;
                Tensor row = rest.narrow(-2, k, 1);
                x[(int) k] = unitriangular ? row : row.div(m.narrow(-2, k, 1).narrow(-1, k, 1));
                Tensor below = upper ? rows(n).lt(k) : rows(n).gt(k);
                Tensor column = m.narrow(-1, k, 1);
                if (i < n - 1)
                    rest = rest.sub(below.where(column, constant(column, 0)).mul(x[(int) k]));
            }
            return cast(Combining.cat(-2, x), b.dtype());
        });
    }

    /** Powers of square matrices; negative ones are those of the inverse. */
    public static Tensor matrixPower(Tensor a, long exponent) {
        return exponent >= 0 ? a.matrixPower(exponent) : Trace.call(() -> inv(a).matrixPower(-exponent));
    }

    /**
     * The inverse with respect to {@code tensordot} over the last axes: the first {@code ind} axes and the
     * others make a square matrix.
     */
    public static Tensor tensorinv(Tensor a, int ind) {
        long[] s = a.shape();
        long n = Arrays.stream(s).limit(ind).reduce(1, (x, y) -> x * y);
        long[] to = new long[s.length];
        System.arraycopy(s, ind, to, 0, s.length - ind);
        System.arraycopy(s, 0, to, s.length - ind, ind);
        return Trace.call(() -> inv(a.reshape(n, -1)).reshape(to));
    }

    /** Solves {@code tensordot(a, x, x.rank()) = b}; axes {@code moved} of {@code a} go to its end first. */
    public static Tensor tensorsolve(Tensor a, Tensor b, int... moved) {
        return Trace.call(() -> {
            int[] to = new int[moved.length];
            for (int i = 0; i < to.length; i++) to[i] = a.rank() - to.length + i;
            Tensor m = moved.length == 0 ? a : a.movedim(moved, to);
            long[] shape = Arrays.copyOfRange(m.shape(), b.rank(), m.rank());
            return solve(m.reshape(b.numel(), -1), b.reshape(-1)).reshape(shape);
        });
    }

    /**
     * The matrix exponential by scaling, Taylor's series and squaring. Reads the operand: the number of
     * squarings depends on its norm.
     */
    public static Tensor matrixExp(Tensor a) {
        square("matrixExp", a);
        if (a.numel() == 0) return a.mul(1L);
        double norm = a.detach().abs().sum(-2).max().item();
        int squarings = norm > 0.5 && Double.isFinite(norm) ? (int) Math.ceil(Math.log(norm / 0.5) / Math.log(2)) : 0;
        return Trace.call(() -> {
            Tensor x = a.toDouble().mul(Math.scalb(1.0, -squarings));
            Tensor sum = Operators.expand(
                    Tensor.eye(a.size(-1), a.size(-1), DType.F64), a.type().shape());
            Tensor term = sum;
            // 0.5^15 / 15! is below the precision of f64.
            for (int k = 1; k <= 14; k++) {
                term = term.matmul(x).div((double) k);
                sum = sum.add(term);
            }
            for (int i = 0; i < squarings; i++) sum = sum.matmul(sum);
            return cast(sum, a.dtype());
        });
    }

    /**
     * Norms of matrices over two axes.
     *
     * @param order "fro"; or "1", "-1", "inf", "-inf": the extreme sums of absolute values of columns (1) or
     *     rows (inf)
     */
    public static Tensor matrixNorm(Tensor a, String order, int axis1, int axis2, boolean keepdim) {
        int i = Axes.axis("matrixNorm", a, axis1);
        int j = Axes.axis("matrixNorm", a, axis2);
        if (i == j) throw Errors.argument("matrixNorm", a, "needs two different axes");
        return Trace.call(() -> {
            if (order.equals("fro")) return a.norm(2, new int[] {i, j}, keepdim);
            int summed = order.endsWith("1") ? i : j;
            Tensor sums = a.abs().sum(summed, true);
            int[] both = {i, j};
            return switch (order) {
                case "1", "inf" -> sums.amax(both, keepdim);
                case "-1", "-inf" -> sums.amin(both, keepdim);
                default ->
                    throw Errors.argument(
                            "matrixNorm", a, "unknown order '" + order + "'; known: fro, 1, -1, inf, -inf");
            };
        });
    }
}
