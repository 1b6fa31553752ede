// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.LogSumExp;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Sort;
import io.sinter.ir.op.TopK;

/**
 * Reductions and scans. Without axes all of them are reduced; {@code keepdim} keeps reduced axes with extent
 * 1. Sums and products of integers and bool are computed and returned in i64.
 */
public sealed interface Reductions permits Tensor {
    Tensor self();

    default Tensor sum() {
        return sum(new int[0], false);
    }

    default Tensor sum(int axis) {
        return sum(new int[] {axis}, false);
    }

    default Tensor sum(int axis, boolean keepdim) {
        return sum(new int[] {axis}, keepdim);
    }

    default Tensor sum(int[] axes, boolean keepdim) {
        Tensor x = cast(self(), Promotion.toSum(self().dtype()));
        return Reducing.apply("sum", Reduce.Kind.SUM, x, keepdim, axes);
    }

    default Tensor prod() {
        return Reducing.apply("prod", Reduce.Kind.PROD, cast(self(), Promotion.toSum(self().dtype())), false);
    }

    default Tensor prod(int axis, boolean keepdim) {
        return Reducing.apply("prod", Reduce.Kind.PROD, cast(self(), Promotion.toSum(self().dtype())), keepdim, axis);
    }

    default Tensor mean() {
        return mean(new int[0], false);
    }

    default Tensor mean(int axis) {
        return mean(new int[] {axis}, false);
    }

    default Tensor mean(int axis, boolean keepdim) {
        return mean(new int[] {axis}, keepdim);
    }

    /** Arithmetic mean of float elements. */
    default Tensor mean(int[] axes, boolean keepdim) {
        Tensor x = self();
        if (!x.dtype().isFloat())
            throw Errors.argument("mean", x, "needs floating-point elements; call toFloat() first");
        return Trace.call(() -> {
            int[] a = Axes.axes("mean", x, axes);
            return Reducing.scaled(x.sum(a, keepdim), Reducing.count(x, a));
        });
    }

    /** Variance with Bessel's correction (divides by n - 1). */
    default Tensor var() {
        return var(new int[0], 1, false);
    }

    default Tensor var(int axis, boolean keepdim) {
        return var(new int[] {axis}, 1, keepdim);
    }

    /** Variance: the sum of squared deviations divided by {@code max(0, n - correction)}. */
    default Tensor var(int[] axes, double correction, boolean keepdim) {
        Tensor x = self();
        if (!x.dtype().isFloat())
            throw Errors.argument("var", x, "needs floating-point elements; call toFloat() first");
        return Trace.call(() -> {
            int[] a = Axes.axes("var", x, axes);
            long n = Reducing.count(x, a);
            Tensor d = x.sub(x.mean(a, true));
            return Reducing.scaled(d.mul(d).sum(a, keepdim), Math.max(0, n - correction));
        });
    }

    default Tensor std() {
        return std(new int[0], 1, false);
    }

    default Tensor std(int axis, boolean keepdim) {
        return std(new int[] {axis}, 1, keepdim);
    }

    default Tensor std(int[] axes, double correction, boolean keepdim) {
        return Trace.call(() -> var(axes, correction, keepdim).sqrt());
    }

    /** The greatest element; NaN wins. */
    default Tensor max() {
        return amax(new int[0], false);
    }

    /** The least element; NaN wins. */
    default Tensor min() {
        return amin(new int[0], false);
    }

    /** The greatest elements along an axis and where they first occur. */
    default ValuesAndIndices max(int axis) {
        return max(axis, false);
    }

    default ValuesAndIndices max(int axis, boolean keepdim) {
        return Reducing.extreme("max", Reduce.Kind.ARGMAX, self(), axis, keepdim);
    }

    /** The least elements along an axis and where they first occur. */
    default ValuesAndIndices min(int axis) {
        return min(axis, false);
    }

    default ValuesAndIndices min(int axis, boolean keepdim) {
        return Reducing.extreme("min", Reduce.Kind.ARGMIN, self(), axis, keepdim);
    }

    /** Greatest elements; equal ones share the gradient. */
    default Tensor amax(int[] axes, boolean keepdim) {
        return Reducing.apply("amax", Reduce.Kind.MAX, self(), keepdim, axes);
    }

    default Tensor amin(int[] axes, boolean keepdim) {
        return Reducing.apply("amin", Reduce.Kind.MIN, self(), keepdim, axes);
    }

    /** Position of the greatest element in row-major order: i64 of shape []. */
    default Tensor argmax() {
        return Trace.call(() -> Reducing.apply("argmax", Reduce.Kind.ARGMAX, self().reshape(-1), false, 0));
    }

    default Tensor argmax(int axis) {
        return argmax(axis, false);
    }

    default Tensor argmax(int axis, boolean keepdim) {
        return Reducing.apply("argmax", Reduce.Kind.ARGMAX, self(), keepdim, axis);
    }

    default Tensor argmin() {
        return Trace.call(() -> Reducing.apply("argmin", Reduce.Kind.ARGMIN, self().reshape(-1), false, 0));
    }

    default Tensor argmin(int axis) {
        return argmin(axis, false);
    }

    default Tensor argmin(int axis, boolean keepdim) {
        return Reducing.apply("argmin", Reduce.Kind.ARGMIN, self(), keepdim, axis);
    }

    /** True where all elements along the axes are nonzero. */
    default Tensor all(int[] axes, boolean keepdim) {
        return Reducing.truth("all", Reduce.Kind.MIN, self(), keepdim, axes);
    }

    /** True where any element along the axes is nonzero. */
    default Tensor any(int[] axes, boolean keepdim) {
        return Reducing.truth("any", Reduce.Kind.MAX, self(), keepdim, axes);
    }

    /** True if all elements are nonzero. */
    default Tensor all() {
        return Reducing.truth("all", Reduce.Kind.MIN, self(), false);
    }

    default Tensor all(int axis, boolean keepdim) {
        return Reducing.truth("all", Reduce.Kind.MIN, self(), keepdim, axis);
    }

    default Tensor any() {
        return Reducing.truth("any", Reduce.Kind.MAX, self(), false);
    }

    default Tensor any(int axis, boolean keepdim) {
        return Reducing.truth("any", Reduce.Kind.MAX, self(), keepdim, axis);
    }

    default Tensor countNonzero(int... axes) {
        return Trace.call(() -> Operators.truth(self()).sum(axes, false));
    }

    /** {@code log(sum(exp(x)))} without overflow. */
    default Tensor logsumexp(int axis, boolean keepdim) {
        return logsumexp(new int[] {axis}, keepdim);
    }

    default Tensor logsumexp(int[] axes, boolean keepdim) {
        return Trace.call(() -> {
            Tensor x = cast(self(), Promotion.toFloat(self().dtype()));
            int[] a = Axes.axes("logsumexp", x, axes);
            if (x.rank() == 0) return x.mul(1);
            Tensor r = x;
            for (int i = a.length - 1; i >= 0; i--) r = Dispatch.emit(new LogSumExp(a[i]), r);
            return keepdim ? Reducing.keep(x, r, a) : r;
        });
    }

    /** Running sums along an axis. */
    default Tensor cumsum(int axis) {
        return Reducing.scan("cumsum", Scan.Kind.SUM, cast(self(), Promotion.toSum(self().dtype())), axis);
    }

    default Tensor cumprod(int axis) {
        return Reducing.scan("cumprod", Scan.Kind.PROD, cast(self(), Promotion.toSum(self().dtype())), axis);
    }

    /** The 2-norm of all elements. */
    default Tensor norm() {
        return norm(2);
    }

    /** The p-norm of all elements; p may be infinite or 0. The gradient at 0 is 0. */
    default Tensor norm(double p) {
        return norm(p, new int[0], false);
    }

    default Tensor norm(double p, int axis, boolean keepdim) {
        return norm(p, new int[] {axis}, keepdim);
    }

    default Tensor norm(double p, int[] axes, boolean keepdim) {
        return Trace.call(() -> {
            Tensor x = cast(self(), Promotion.toFloat(self().dtype()));
            if (p == 2) return Reducing.power(x.mul(x).sum(axes, keepdim), 0.5);
            Tensor a = x.abs();
            if (p == 1) return a.sum(axes, keepdim);
            if (p == Double.POSITIVE_INFINITY) return a.amax(axes, keepdim);
            if (p == Double.NEGATIVE_INFINITY) return a.amin(axes, keepdim);
            if (p == 0) return cast(x.ne(0), x.dtype()).sum(axes, keepdim);
            return Reducing.power(Reducing.power(a, p).sum(axes, keepdim), 1 / p);
        });
    }

    /** Sorted along an axis, stably, with the positions; NaN is greatest. */
    default ValuesAndIndices sort(int axis, boolean descending) {
        Tensor x = self();
        int a = Axes.axis("sort", x, axis);
        if (x.rank() == 0) return new ValuesAndIndices(x.clone(), Tensor.zeros(new long[0], DType.I64));
        return ValuesAndIndices.of(Dispatch.emitAll(new Sort(a, descending), x));
    }

    default ValuesAndIndices sort() {
        return sort(-1, false);
    }

    default Tensor argsort(int axis, boolean descending) {
        return sort(axis, descending).indices();
    }

    /** The k greatest (or least) along an axis, sorted, with their positions. */
    default ValuesAndIndices topk(long k, int axis, boolean largest) {
        Tensor x = self();
        int a = Axes.axis("topk", x, axis);
        if (x.rank() == 0) return new ValuesAndIndices(x.clone(), Tensor.zeros(new long[0], DType.I64));
        return ValuesAndIndices.of(Dispatch.emitAll(new TopK(a, k, largest), x));
    }

    default ValuesAndIndices topk(long k) {
        return topk(k, -1, true);
    }

    /** Helpers of this family. */
    final class Reducing {
        private Reducing() {}

        /**
         * A power of numbers that are not negative, whose gradient at 0 is 0: norms have the subgradient 0
         * there.
         */
        static Tensor power(Tensor x, double p) {
            Tensor zero = x.eq(Operators.constant(x, 0));
            Tensor one = Operators.constant(x, 1);
            Tensor y = zero.where(one, x);
            return zero.where(
                    Operators.constant(x, p < 0 ? Double.POSITIVE_INFINITY : 0), p == 0.5 ? y.sqrt() : y.pow(p));
        }

        static Tensor apply(String name, Reduce.Kind kind, Tensor x, boolean keepdim, int... axes) {
            int[] a = Axes.axes(name, x, axes);
            if (x.rank() == 0) {
                return kind.isArg()
                        ? Tensor.zeros(new long[0], DType.I64)
                        : x.dtype().isBool() ? x.bitwiseAnd(x) : x.mul(1);
            }
            Tensor r = Dispatch.emit(new Reduce(kind, a), x);
            return keepdim ? keep(x, r, a) : r;
        }

        static Tensor keep(Tensor x, Tensor r, int[] axes) {
            Shape s = x.type().shape();
            for (int a : axes) s = s.with(a, 1);
            return Operators.E.reshape(r, s);
        }

        static long count(Tensor x, int[] axes) {
            long n = 1;
            for (int a : axes) n *= x.rank() == 0 ? 1 : x.type().dim(a);
            return n;
        }

        /** {@code sum / n}, where n follows from extents. */
        static Tensor scaled(Tensor sum, double n) {
            return Operators.binary(Binary.DIV, sum, Dispatch.emit(Constant.derived(sum.dtype(), n)), sum.dtype());
        }

        static ValuesAndIndices extreme(String name, Reduce.Kind kind, Tensor x, int axis, boolean keepdim) {
            Trace t = Trace.current();
            int a = Axes.axis(name, x, axis);
            if (x.rank() == 0) return new ValuesAndIndices(x.clone(), Tensor.zeros(new long[0], DType.I64));
            Tensor index = Dispatch.emit(new Reduce(kind, a), x);
            Tensor kept = keep(x, index, new int[] {a});
            Tensor values = x.gather(a, kept);
            if (keepdim) return new ValuesAndIndices(values, kept);
            return new ValuesAndIndices(Operators.E.reshape(values, index.type().shape()), index);
        }

        static Tensor truth(String name, Reduce.Kind kind, Tensor x, boolean keepdim, int... axes) {
            return Trace.call(() -> {
                int[] a = Axes.axes(name, x, axes);
                Tensor b = Operators.truth(x);
                if (x.rank() == 0) return b.bitwiseAnd(b);
                if (count(x, a) == 0) {
                    // Of nothing, all are true and none is.
                    Tensor r = Tensor.full(
                            x.type().shape().without(a).toArray(), kind == Reduce.Kind.MIN ? 1 : 0, DType.BOOL);
                    return keepdim ? keep(x, r, a) : r;
                }
                return apply(name, kind, b, keepdim, a);
            });
        }

        static Tensor scan(String name, Scan.Kind kind, Tensor x, int axis) {
            int a = Axes.axis(name, x, axis);
            return x.rank() == 0 ? x.mul(1) : Dispatch.emit(new Scan(kind, a, false), x);
        }
    }
}
