// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/**
 * Gradient of {@link Conv} with respect to its weight: {@code x[N,C,in…]}, {@code dy[N,O,out…]} to {@code
 * dw[O,C/groups,k…]}.
 *
 * @param weight shape of the convolution's weight, which is the result's
 */
public record ConvWeightGrad(Shape weight, long[] stride, long[] padLow, long[] padHigh, long[] dilation, int groups)
        implements Composite {
    private ConvGeometry geometry() {
        return new ConvGeometry(stride, padLow, padHigh, dilation, groups);
    }

    @Override
    public String name() {
        return "conv_weight_grad";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("weight", weight.toArray());
        geometry().attributes(out);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        Rule.sameDtype(this, in);
        Rule.isFloat(this, in, 0);
        Type x = in.get(0);
        Shape expected = geometry().output(this, in, x.shape(), weight);
        if (!in.get(1).shape().equals(expected)) {
            throw OpException.of(
                    name(),
                    in,
                    "a convolution of operand 0 with weight %s gives %s, not %s; operand 1 " + "must have that shape",
                    weight,
                    expected,
                    in.get(1).shape());
        }
        return List.of(x.with(weight));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        ConvGeometry g = geometry();
        V x = Composite.wide(e, in.get(0));
        V dy = Composite.wide(e, in.get(1));
        // [N,G,1,C/G,out…,k…] * [N,G,O/G,1,out…,1…], summed over N and out
        V factor = g.grouped(e, dy, false);
        for (int a = 0; a < g.spatial(); a++)
            factor = e.reshape(factor, e.type(factor).shape().insert(4 + g.spatial(), 1));
        V product = e.mul(g.grouped(e, g.windows(e, x, weight), true), factor);
        V sum = e.sum(product, ConvGeometry.axes(0, 4, g.spatial()));
        return List.of(Composite.as(e, e.reshape(sum, weight), in.get(0)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        V g = call.grad();
        Op dx = new ConvInputGrad(e.type(x).shape(), stride, padLow, padHigh, dilation, groups);
        return Arrays.asList(
                call.needs(0) ? e.apply(dx, call.in(1), g) : null,
                call.needs(1) ? e.apply(new Conv(stride, padLow, padHigh, dilation, groups), x, g) : null);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray dy = in.get(1);
        double[] dw = new double[(int) weight.numel()];
        geometry().forEachTap(x.shape(), weight, dy.shape(), (i, j, o) -> dw[j] += x.getDouble(i) * dy.getDouble(o));
        return List.of(RefArray.of(x.type().with(weight), i -> dw[i]));
    }

    @Override
    public List<Sample> samples() {
        return ConvGeometry.cases().stream().map(ConvWeightGrad::sample).toList();
    }

    private static Sample sample(ConvGeometry.Case c) {
        Conv v = c.conv();
        Type x = new Type(c.dtype(), c.x());
        Type dy = v.infer(List.of(x, new Type(c.dtype(), c.w()))).get(0);
        Op op = new ConvWeightGrad(c.w(), v.stride(), v.padLow(), v.padHigh(), v.dilation(), v.groups());
        return Sample.smooth(op, Sample.uniform(x, -1, 1, 5), Sample.uniform(dy, -1, 1, 6));
    }
}
