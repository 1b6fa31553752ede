// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;

import io.sinter.ir.DType;
import io.sinter.ir.op.Scan;
import java.util.Arrays;

/** Order statistics, running extremes, moments, and reductions that pass over NaN. */
public sealed interface Statistics permits Tensor {
    Tensor self();

    /** Least and greatest element along an axis (or of all, with {@code aminmax()}). */
    record Range(Tensor min, Tensor max) {}

    /** A measure of spread and the mean. */
    record Moments(Tensor spread, Tensor mean) {}

    default Range aminmax() {
        return new Range(self().amin(new int[0], false), self().amax(new int[0], false));
    }

    default Range aminmax(int axis, boolean keepdim) {
        int[] axes = {axis};
        return new Range(self().amin(axes, keepdim), self().amax(axes, keepdim));
    }

    /** Variance and mean. */
    default Moments varMean(int[] axes, double correction, boolean keepdim) {
        return new Moments(self().var(axes, correction, keepdim), self().mean(axes, keepdim));
    }

    /** Standard deviation and mean. */
    default Moments stdMean(int[] axes, double correction, boolean keepdim) {
        return new Moments(self().std(axes, correction, keepdim), self().mean(axes, keepdim));
    }

    /** Sum, with NaN as 0. */
    default Tensor nansum(int[] axes, boolean keepdim) {
        return Trace.call(() -> Ordering.withoutNan(self()).sum(axes, keepdim));
    }

    default Tensor nansum() {
        return nansum(new int[0], false);
    }

    /** Mean of the elements that are not NaN. */
    default Tensor nanmean(int[] axes, boolean keepdim) {
        Tensor x = self();
        return Trace.call(() -> {
            Tensor n = cast(x.isnan().logicalNot(), x.dtype()).sum(axes, keepdim);
            return x.nansum(axes, keepdim).div(n);
        });
    }

    default Tensor nanmean() {
        return nanmean(new int[0], false);
    }

    /** Running greatest elements and where they are: of equals the latest. */
    default ValuesAndIndices cummax(int axis) {
        return Ordering.running("cummax", Scan.Kind.MAX, self(), axis);
    }

    /** Running least elements and where they are: of equals the latest. */
    default ValuesAndIndices cummin(int axis) {
        return Ordering.running("cummin", Scan.Kind.MIN, self(), axis);
    }

    /**
     * Running {@code log(sum(exp(x)))}, without overflow, in log2(n) steps that double their reach (Hillis
     * and Steele, 1986).
     */
    default Tensor logcumsumexp(int axis) {
        Tensor x = self();
        int a = Axes.axis("logcumsumexp", x, axis);
        if (x.rank() == 0) return x.mul(1);
        return Trace.call(() -> {
            Tensor y = cast(x, Promotion.toFloat(x.dtype()));
            long n = x.size(a);
            for (long reach = 1; reach < n; reach *= 2) {
                long[] pad = new long[2 * (x.rank() - a)];
                pad[pad.length - 2] = reach;
                Tensor before = F.pad(Movement.Moving.part(y, a, 0, n - reach), pad, Double.NEGATIVE_INFINITY);
                y = y.logaddexp(before);
            }
            return y;
        });
    }

    /** The k-th smallest element (from 1) along an axis, and where it is. */
    default ValuesAndIndices kthvalue(long k, int axis, boolean keepdim) {
        Tensor x = self();
        int a = Axes.axis("kthvalue", x, axis);
        long n = x.rank() == 0 ? 1 : x.size(a);
        if (k < 1 || k > n) throw Errors.argument("kthvalue", x, "k = " + k + " is not in [1, " + n + "]");
        if (x.rank() == 0) return x.sort(0, false);
        ValuesAndIndices sorted = x.sort(a, false);
        return Ordering.at(sorted, a, Tensor.full(Ordering.one(x, a), k - 1, DType.I64), keepdim);
    }

    /** The middle element (the lower of two); NaN if there is one. Equal elements share the gradient. */
    default Tensor median() {
        return Ordering.middle(self(), false);
    }

    /** The middle elements along an axis (the lower of two) and where they are; NaN wins. */
    default ValuesAndIndices median(int axis, boolean keepdim) {
        return Ordering.middle("median", self(), axis, keepdim, false);
    }

    /** The middle of the elements that are not NaN. */
    default Tensor nanmedian() {
        return Ordering.middle(self(), true);
    }

    default ValuesAndIndices nanmedian(int axis, boolean keepdim) {
        return Ordering.middle("nanmedian", self(), axis, keepdim, true);
    }

    /** The most frequent elements along an axis (of several the least), and where one of them is. */
    default ValuesAndIndices mode(int axis, boolean keepdim) {
        Tensor x = self();
        int a = Axes.axis("mode", x, axis);
        if (x.rank() == 0) return x.sort(0, false);
        ValuesAndIndices sorted = x.sort(a, false);
        return Ordering.at(sorted, a, Ordering.mostFrequent(sorted.values().detach(), a), keepdim);
    }

    /**
     * Quantiles of all elements.
     *
     * @param q a number or a vector of numbers in [0, 1]
     */
    default Tensor quantile(Tensor q) {
        return Trace.call(() -> self().reshape(-1).quantile(q, 0, false, "linear"));
    }

    /**
     * Quantiles along an axis. With a vector of them, its axis comes first.
     *
     * @param interpolation "linear", "lower", "higher", "midpoint" or "nearest" between two elements
     */
    default Tensor quantile(Tensor q, int axis, boolean keepdim, String interpolation) {
        return Ordering.quantile(self(), q, axis, keepdim, interpolation, false);
    }

    /** As {@link #quantile(Tensor)}, of the elements that are not NaN. */
    default Tensor nanquantile(Tensor q) {
        return Trace.call(() -> self().reshape(-1).nanquantile(q, 0, false, "linear"));
    }

    default Tensor nanquantile(Tensor q, int axis, boolean keepdim, String interpolation) {
        return Ordering.quantile(self(), q, axis, keepdim, interpolation, true);
    }

    /** Sorted along the first axis. */
    default Tensor msort() {
        return self().sort(0, false).values();
    }

    /** The p-norm of the difference. */
    default Tensor dist(Tensor other, double p) {
        return Trace.call(() -> self().sub(other).norm(p));
    }

    /** Subtensors along {@code axis} scaled down to a p-norm of at most {@code maxnorm}. */
    default Tensor renorm(double p, int axis, double maxnorm) {
        Tensor x = self();
        int a = Axes.axis("renorm", x, axis);
        return Trace.call(() -> {
            int[] others = Arrays.stream(Axes.all(x.rank())).filter(i -> i != a).toArray();
            Tensor norm = x.norm(p, others, true);
            Tensor factor = norm.gt(maxnorm).where(norm.add(1e-7).reciprocal().mul(maxnorm), constant(x, 1));
            return x.mul(factor);
        });
    }

    /**
     * Covariance of the rows (variables), whose columns are observations; see {@link #cov(double, Tensor,
     * Tensor)}.
     */
    default Tensor cov() {
        return cov(1, null, null);
    }

    /**
     * Covariance of the rows.
     *
     * @param correction 1 divides by n - 1
     * @param fweights how often each observation counts: whole numbers, or null
     * @param aweights relative weights of the observations, or null
     */
    default Tensor cov(double correction, Tensor fweights, Tensor aweights) {
        Tensor x = self();
        if (x.rank() > 2) throw Errors.argument("cov", x, "needs a matrix [variables, observations] or a vector");
        return Trace.call(() -> {
            Tensor m = x.rank() == 2 ? x : x.reshape(1, -1);
            if (!m.dtype().isFloat()) m = m.toFloat();
            Tensor w = fweights;
            if (aweights != null) w = w == null ? aweights : w.mul(aweights);
            Tensor mean;
            Tensor n;
            Tensor weighted;
            if (w == null) {
                mean = m.mean(1, true);
                Tensor d = m.sub(mean);
                n = Tensor.full(new long[0], Math.max(0, m.size(1) - correction), m.dtype());
                return d.matmul(d.mT()).div(n).squeeze();
            }
            w = cast(w, m.dtype());
            Tensor total = w.sum();
            mean = m.mul(w).sum(1, true).div(total);
            Tensor d = m.sub(mean);
            weighted = d.mul(w);
            if (aweights == null) n = total.sub(correction);
            else
                n = total.sub(
                        w.mul(cast(aweights, m.dtype())).sum().mul(correction).div(total));
            return weighted.matmul(d.mT()).div(n.clampMin(0)).squeeze();
        });
    }

    /** Correlation coefficients of the rows. */
    default Tensor corrcoef() {
        return Trace.call(() -> {
            Tensor c = cov();
            if (c.rank() == 0) return c.div(c);
            Tensor s = c.diagonal().sqrt();
            return c.div(s.unsqueeze(1)).div(s.unsqueeze(0)).clamp(-1, 1);
        });
    }
}
