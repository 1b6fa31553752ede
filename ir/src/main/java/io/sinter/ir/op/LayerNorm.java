// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Layer normalization (Ba et al. 2016) over the last {@code axes} axes, without the affine part, which is a
 * multiplication and an addition that fuse: {@code x[outer…, inner…] -> (y, mean[outer…], rstd[outer…])} with
 * {@code y = (x - mean)·rstd} and {@code rstd = 1/sqrt(variance + eps)}, the variance without Bessel's
 * correction. The statistics are f32 for f16 and bf16.
 *
 * @param axes how many trailing axes are normalized over, at least 1
 * @param eps added to the variance
 */
public record LayerNorm(int axes, double eps) implements Composite {

    @Override
    public String name() {
        return "layer_norm";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axes", axes);
        out.put("eps", eps);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.isFloat(this, in, 0);
        Type statistics = statisticsType(this, in, in.get(0), axes);
        return List.of(in.get(0), statistics, statistics);
    }

    /** Type of mean and rstd of {@code x}. */
    static Type statisticsType(Op op, List<Type> in, Type x, int axes) {
        if (axes < 1 || axes > x.rank()) {
            throw OpException.of(
                    op.name(),
                    in,
                    "cannot normalize over the last %s axes of %s; the number must be 1 to %s",
                    axes,
                    x.shape(),
                    x.rank());
        }
        return Composite.statistics(x.with(x.shape().without(inner(x.shape(), axes))));
    }

    /** The last {@code axes} axes. */
    static int[] inner(Shape shape, int axes) {
        return IntStream.range(shape.rank() - axes, shape.rank()).toArray();
    }

    /** {@code v[outer…]} with the inner axes of {@code shape} added with extent 1. */
    static <V> V keep(Emitter<V> e, V v, Shape shape, int axes) {
        Shape kept = shape;
        for (int a : inner(shape, axes)) kept = kept.with(a, 1);
        return e.reshape(v, kept);
    }

    /** Elements that are normalized together. */
    static long count(Shape shape, int axes) {
        return Arrays.stream(inner(shape, axes)).mapToLong(shape::dim).reduce(1, (a, b) -> a * b);
    }

    /** The mean over the inner axes, kept with extent 1. */
    static <V> V mean(Emitter<V> e, V v, int axes) {
        Shape s = e.type(v).shape();
        return e.div(e.sumKeep(v, inner(s, axes)), e.extentConstant(v, count(s, axes)));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V x = Composite.wide(e, in.get(0));
        Shape shape = e.type(x).shape();
        V mean = mean(e, x, axes);
        V centred = e.sub(x, mean);
        // Two passes over the row: the difference of squares would cancel.
        V variance = mean(e, e.mul(centred, centred), axes);
        V rstd = e.unary(Unary.RSQRT, e.add(variance, eps));
        Shape outer = shape.without(inner(shape, axes));
        return List.of(
                Composite.as(e, e.mul(centred, rstd), in.get(0)), e.reshape(mean, outer), e.reshape(rstd, outer));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        Shape shape = e.type(x).shape();
        V dx = call.flows(0)
                ? e.apply(new LayerNormGrad(axes), call.grad(0), x, call.out(1), call.out(2))
                : e.zerosLike(x);
        if (!call.flows(1) && !call.flows(2)) return List.of(dx);
        // d mean / dx = 1/n and d rstd / dx = -rstd³ (x - mean) / n
        V wide = Composite.wide(e, x);
        V mean = keep(e, call.out(1), shape, axes);
        V rstd = keep(e, call.out(2), shape, axes);
        V cubed = e.mul(rstd, e.mul(rstd, rstd));
        V viaRstd = e.mul(e.mul(keep(e, call.grad(2), shape, axes), cubed), e.sub(wide, mean));
        V statistics =
                e.div(e.sub(keep(e, call.grad(1), shape, axes), viaRstd), e.extentConstant(wide, count(shape, axes)));
        return List.of(e.add(dx, Composite.as(e, statistics, x)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        List<Type> types = infer(List.of(x.type()));
        RefArray y = RefArray.zeros(types.get(0));
        RefArray means = RefArray.zeros(types.get(1));
        RefArray rstds = RefArray.zeros(types.get(2));
        int n = (int) count(x.shape(), axes);
        for (int row = 0; row < means.size(); row++) {
            double[] v = IntStream.range(row * n, row * n + n)
                    .mapToDouble(x::getDouble)
                    .toArray();
            double mean = Arrays.stream(v).sum() / n;
            double rstd = 1
                    / Math.sqrt(
                            Arrays.stream(v).map(a -> (a - mean) * (a - mean)).sum() / n + eps);
            for (int i = 0; i < n; i++) y.set(row * n + i, (v[i] - mean) * rstd);
            means.set(row, mean);
            rstds.set(row, rstd);
        }
        return List.of(y, means, rstds);
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.smooth(new LayerNorm(1, 1e-5), Sample.uniform(Type.of(DType.F64, 3, 5), -2, 2, 1)),
                Sample.smooth(new LayerNorm(2, 0.5), Sample.uniform(Type.of(DType.F64, 2, 3, 4), -2, 2, 2)),
                Sample.smooth(new LayerNorm(1, 1e-5), Sample.uniform(Type.of(DType.F64, 6), -2, 2, 3)),
                Sample.smooth(new LayerNorm(1, 1e-5), Sample.uniform(Type.of(DType.F32, 5, 129), 9, 11, 4)),
                Sample.smooth(new LayerNorm(1, 1e-5), Sample.uniform(Type.of(DType.F32, 2, 3, 64), -2, 2, 5)),
                Sample.smooth(new LayerNorm(3, 1e-5), Sample.uniform(Type.of(DType.F32, 2, 3, 5, 7), -2, 2, 6)),
                Sample.values(new LayerNorm(1, 1e-5), Sample.uniform(Type.of(DType.F32, 4, 1), -2, 2, 7)),
                Sample.values(new LayerNorm(1, 1e-5), RefArray.zeros(Type.of(DType.F32, 0, 5))),
                Sample.values(new LayerNorm(1, 1e-5), Sample.uniform(Type.of(DType.F16, 3, 50), -2, 2, 8)),
                Sample.values(new LayerNorm(1, 1e-5), Sample.uniform(Type.of(DType.BF16, 3, 50), -2, 2, 9)));
    }
}
