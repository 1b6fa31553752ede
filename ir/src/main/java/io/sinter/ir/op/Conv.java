// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/**
 * Convolution (cross-correlation, as in PyTorch), without bias: {@code x[N,C,in…]}, {@code w[O,C/groups,k…]}
 * to {@code y[N,O,out…]} with one to three spatial axes; {@code out = (in + padLow + padHigh - dilation·(k-1)
 * - 1) / stride + 1}, rounded down.
 *
 * @param stride step between windows, per spatial axis, at least 1
 * @param padLow zeros before each spatial axis
 * @param padHigh zeros after each spatial axis
 * @param dilation distance between the kernel's elements, at least 1
 * @param groups number of independent convolutions that the channels are split into
 */
public record Conv(long[] stride, long[] padLow, long[] padHigh, long[] dilation, int groups) implements Composite {
    ConvGeometry geometry() {
        return new ConvGeometry(stride, padLow, padHigh, dilation, groups);
    }

    @Override
    public String name() {
        return "conv";
    }

    @Override
    public void attributes(Attrs out) {
        geometry().attributes(out);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        Rule.sameDtype(this, in);
        Rule.isFloat(this, in, 0);
        Type x = in.get(0);
        return List.of(x.with(geometry().output(this, in, x.shape(), in.get(1).shape())));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        ConvGeometry g = geometry();
        V x = Composite.wide(e, in.get(0));
        V w = Composite.wide(e, in.get(1));
        Shape to = infer(List.of(e.type(in.get(0)), e.type(in.get(1)))).get(0).shape();
        // [N,G,1,C/G,out…,k…] * [1,G,O/G,C/G,1…,k…], summed over C/G and k
        V product = e.mul(g.grouped(e, g.windows(e, x, e.type(w).shape()), true), g.weight(e, w));
        V sum = e.sum(product, ConvGeometry.axes(3, 4 + g.spatial(), g.spatial()));
        return List.of(Composite.as(e, e.reshape(sum, to), in.get(0)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        V w = call.in(1);
        Op dx = new ConvInputGrad(e.type(x).shape(), stride, padLow, padHigh, dilation, groups);
        Op dw = new ConvWeightGrad(e.type(w).shape(), stride, padLow, padHigh, dilation, groups);
        return Arrays.asList(
                call.needs(0) ? e.apply(dx, call.grad(), w) : null, call.needs(1) ? e.apply(dw, x, call.grad()) : null);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray w = in.get(1);
        Type type = infer(List.of(x.type(), w.type())).get(0);
        double[] y = new double[(int) type.numel()];
        geometry().forEachTap(x.shape(), w.shape(), type.shape(), (i, j, o) -> y[o] += x.getDouble(i) * w.getDouble(j));
        return List.of(RefArray.of(type, i -> y[i]));
    }

    @Override
    public List<Sample> samples() {
        return ConvGeometry.cases().stream()
                .map(c -> Sample.smooth(
                        c.conv(),
                        Sample.uniform(new Type(c.dtype(), c.x()), -1, 1, 1),
                        Sample.uniform(new Type(c.dtype(), c.w()), -1, 1, 2)))
                .toList();
    }
}
