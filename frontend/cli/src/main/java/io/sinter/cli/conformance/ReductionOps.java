// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.util.Arrays;
import java.util.List;

/** Reductions, scans and statistics. */
final class ReductionOps {
    private static final int[] ALL = {};

    private ReductionOps() {}

    /** A reduction over several axes. */
    private interface OverAxes {
        Tensor call(Tensor x, int[] axes, boolean keepdim);
    }

    /** The argument {@code dtype}: the operand is converted first. */
    private static Tensor converted(Args a) {
        DType d = a.dtype();
        return d == null ? a.x() : a.x().to(d);
    }

    private static void reduction(Registry r, String name, OverAxes f) {
        r.add(name, a -> f.call(converted(a), a.axes(1, "dim"), a.flag(2, "keepdim", false)));
    }

    static void register(Registry r) {
        reduction(r, "sum", Tensor::sum);
        reduction(r, "mean", Tensor::mean);
        reduction(r, "nansum", Tensor::nansum);
        reduction(r, "nanmean", Tensor::nanmean);
        reduction(r, "amax", Tensor::amax);
        reduction(r, "amin", Tensor::amin);
        reduction(r, "logsumexp", Tensor::logsumexp);
        reduction(r, "all", Tensor::all);
        reduction(r, "any", Tensor::any);
        r.add(
                "prod",
                a -> a.given(1, "dim")
                        ? converted(a).prod(a.axis(1, "dim"), a.flag(2, "keepdim", false))
                        : converted(a).prod());
        r.add("count_nonzero", a -> a.x().countNonzero(a.axes(1, "dim")));
        moments(r);
        extremes(r);
        r.add("cumsum", a -> converted(a).cumsum(a.axis(1, "dim")));
        r.add("cumprod", a -> converted(a).cumprod(a.axis(1, "dim")));
        r.add("cummax", a -> a.x().cummax(a.axis(1, "dim")));
        r.add("cummin", a -> a.x().cummin(a.axis(1, "dim")));
        r.add("logcumsumexp", a -> a.x().logcumsumexp(a.axis(1, "dim")));
        r.gradientTolerance(
                "logcumsumexp",
                4e-2,
                1e-5,
                "PyTorch computes the gradient from f32 logarithms, whose spacing at the samples' 1e4 is 1e-3; ours agrees with f64");
        r.add("norm", a -> {
            Object p = a.value(1, "p");
            if (p instanceof String s && !s.equals("fro")) throw new Unsupported("norm '" + s + "'");
            return converted(a)
                    .norm(
                            p == null || p instanceof String ? 2 : a.number(1, "p"),
                            a.axes(2, "dim"),
                            a.flag(3, "keepdim", false));
        });
        r.add("linalg.vector_norm", a -> converted(a)
                .norm(a.number(1, "ord", 2), a.axes(2, "dim"), a.flag(3, "keepdim", false)));
        r.add("dist", a -> a.x().dist(a.tensor(1, "other"), a.number(2, "p", 2)));
        r.add("renorm", a -> a.x().renorm(a.number(1, "p"), a.axis(2, "dim"), a.number(3, "maxnorm")));
        r.add("cov", a -> a.x().cov(
                        a.number(-1, "correction", 1), a.optional(-1, "fweights"), a.optional(-1, "aweights")));
        r.unary("corrcoef", Tensor::corrcoef);
    }

    private static void moments(Registry r) {
        r.add("var", a -> a.x().var(axes(a), correction(a), a.flag(3, "keepdim", false)));
        r.add("std", a -> a.x().std(axes(a), correction(a), a.flag(3, "keepdim", false)));
        r.add("var_mean", a -> a.x().varMean(axes(a), correction(a), a.flag(3, "keepdim", false)));
        r.add("std_mean", a -> a.x().stdMean(axes(a), correction(a), a.flag(3, "keepdim", false)));
    }

    /** {@code var(unbiased)} and {@code var(dim, …)} differ by the first argument's type. */
    private static int[] axes(Args a) {
        return a.value(1, "dim") instanceof Boolean ? ALL : a.axes(1, "dim");
    }

    private static double correction(Args a) {
        if (a.value(1, "dim") instanceof Boolean unbiased) return unbiased ? 1 : 0;
        if (a.value(2, "unbiased") instanceof Boolean unbiased) return unbiased ? 1 : 0;
        return a.number(-1, "correction", 1);
    }

    private static void extremes(Registry r) {
        r.add("max", a -> {
            if (a.isTensor(1, "other")) return a.x().maximum(a.tensor(1, "other"));
            return a.given(1, "dim") ? a.x().max(a.axis(1, "dim"), a.flag(2, "keepdim", false)) : a.x().max();
        });
        r.add("min", a -> {
            if (a.isTensor(1, "other")) return a.x().minimum(a.tensor(1, "other"));
            return a.given(1, "dim") ? a.x().min(a.axis(1, "dim"), a.flag(2, "keepdim", false)) : a.x().min();
        });
        r.add(
                "aminmax",
                a -> a.given(-1, "dim")
                        ? a.x().aminmax(a.axis(-1, "dim"), a.flag(-1, "keepdim", false))
                        : a.x().aminmax());
        r.add(
                "argmax",
                a -> a.given(1, "dim") ? a.x().argmax(a.axis(1, "dim"), a.flag(2, "keepdim", false)) : a.x().argmax());
        r.add(
                "argmin",
                a -> a.given(1, "dim") ? a.x().argmin(a.axis(1, "dim"), a.flag(2, "keepdim", false)) : a.x().argmin());
        r.add(
                "median",
                a -> a.given(1, "dim") ? a.x().median(a.axis(1, "dim"), a.flag(2, "keepdim", false)) : a.x().median());
        r.add(
                "nanmedian",
                a -> a.given(1, "dim")
                        ? a.x().nanmedian(a.axis(1, "dim"), a.flag(2, "keepdim", false))
                        : a.x().nanmedian());
        r.add("mode", a -> a.x().mode(a.axis(1, "dim", -1), a.flag(2, "keepdim", false)));
        r.add("kthvalue", a -> a.x().kthvalue(a.integer(1, "k"), a.axis(2, "dim", -1), a.flag(3, "keepdim", false)));
        for (String name : List.of("quantile", "nanquantile")) {
            boolean nan = name.startsWith("nan");
            r.add(name, a -> {
                Tensor q = a.tensor(1, "q").to(a.x().dtype());
                String mode = a.text(-1, "interpolation", "linear");
                boolean keepdim = a.flag(3, "keepdim", false);
                boolean flat = !a.given(2, "dim");
                Tensor x = flat ? a.x().reshape(-1) : a.x();
                int axis = a.axis(2, "dim", 0);
                Tensor y = nan
                        ? x.nanquantile(q, axis, keepdim && !flat, mode)
                        : x.quantile(q, axis, keepdim && !flat, mode);
                if (!flat || !keepdim) return y;
                long[] s = new long[a.x().rank() + q.rank()];
                Arrays.fill(s, 1);
                if (q.rank() == 1) s[0] = q.numel();
                return y.reshape(s);
            });
        }
    }
}
