// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Gradient of the first result of {@link LayerNorm}: {@code dy, x, mean[outer…], rstd[outer…] -> dx}, with x'
 * = (x - mean)·rstd and means over the last {@code axes} axes: {@code dx = rstd·(dy - mean(dy) -
 * x'·mean(dy·x'))}.
 */
public record LayerNormGrad(int axes) implements Composite {

    @Override
    public String name() {
        return "layer_norm_grad";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axes", axes);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 4);
        Rule.isFloat(this, in, 1);
        Type x = in.get(1);
        Type statistics = LayerNorm.statisticsType(this, in, x, axes);
        if (!in.get(0).equals(x) || !in.get(2).equals(statistics) || !in.get(3).equals(statistics)) {
            throw OpException.of(
                    name(),
                    in,
                    "for x of type %s dy must be %s, and mean and rstd %s; pass the results " + "of layer_norm",
                    x,
                    x,
                    statistics);
        }
        return List.of(x);
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V dy = Composite.wide(e, in.get(0));
        V x = Composite.wide(e, in.get(1));
        Shape shape = e.type(x).shape();
        V mean = LayerNorm.keep(e, in.get(2), shape, axes);
        V rstd = LayerNorm.keep(e, in.get(3), shape, axes);
        V centred = e.sub(x, mean);
        // Not the mean of dy·x': this one needs no rstd, so it can be had in the pass over the row that computes rstd.
        V dot = e.mul(rstd, LayerNorm.mean(e, e.mul(dy, centred), axes));
        V along = e.mul(e.mul(centred, rstd), dot);
        V dx = e.mul(rstd, e.sub(e.sub(dy, LayerNorm.mean(e, dy, axes)), along));
        return List.of(Composite.as(e, dx, in.get(1)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray dy = in.get(0);
        RefArray x = in.get(1);
        RefArray dx = RefArray.zeros(x.type());
        int n = (int) LayerNorm.count(x.shape(), axes);
        for (int row = 0; row < in.get(2).size(); row++) {
            int from = row * n;
            double mean = in.get(2).getDouble(row);
            double rstd = in.get(3).getDouble(row);
            double[] normal = IntStream.range(from, from + n)
                    .mapToDouble(i -> (x.getDouble(i) - mean) * rstd)
                    .toArray();
            double sum = 0;
            double dot = 0;
            for (int i = 0; i < n; i++) {
                sum += dy.getDouble(from + i);
                dot += dy.getDouble(from + i) * normal[i];
            }
            for (int i = 0; i < n; i++) {
                dx.set(from + i, rstd * (dy.getDouble(from + i) - sum / n - normal[i] * dot / n));
            }
        }
        return List.of(dx);
    }

    @Override
    public List<Sample> samples() {
        return new LayerNorm(1, 1e-5)
                .samples().stream().map(LayerNormGrad::sample).toList();
    }

    private static Sample sample(Sample forward) {
        RefArray x = forward.inputs().get(0);
        List<RefArray> out = forward.op().evaluate(forward.inputs());
        Op op = new LayerNormGrad(((LayerNorm) forward.op()).axes());
        return new Sample(
                op, List.of(Sample.uniform(x.type(), -1, 1, 10), x, out.get(1), out.get(2)), forward.smooth());
    }
}
