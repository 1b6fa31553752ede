// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/**
 * Gradient of {@link Conv} with respect to its input: {@code dy[N,O,out…]}, {@code w[O,C/groups,k…]} to
 * {@code dx[N,C,in…]}. It is also transposed convolution (PyTorch's conv_transpose, whose weight is {@code w}
 * and whose output padding chooses among the possible inputs).
 *
 * @param input shape of the convolution's input, which is the result's
 */
public record ConvInputGrad(Shape input, long[] stride, long[] padLow, long[] padHigh, long[] dilation, int groups)
        implements Composite {
    private ConvGeometry geometry() {
        return new ConvGeometry(stride, padLow, padHigh, dilation, groups);
    }

    @Override
    public String name() {
        return "conv_input_grad";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("input", input.toArray());
        geometry().attributes(out);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        Rule.sameDtype(this, in);
        Rule.isFloat(this, in, 0);
        Type dy = in.get(0);
        Shape expected = geometry().output(this, in, input, in.get(1).shape());
        if (!dy.shape().equals(expected)) {
            throw OpException.of(
                    name(),
                    in,
                    "a convolution of input %s with this weight gives %s, not %s; operand 0 "
                            + "must have that shape, or the input shape must fit",
                    input,
                    expected,
                    dy.shape());
        }
        return List.of(dy.with(input));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        ConvGeometry g = geometry();
        V dy = Composite.wide(e, in.get(0));
        V w = Composite.wide(e, in.get(1));
        // [N,G,O/G,1,in…,k…] * [1,G,O/G,C/G,1…,k…], summed over O/G and k
        V product =
                e.mul(g.grouped(e, g.transposedWindows(e, dy, input, e.type(w).shape()), false), g.weight(e, w));
        V sum = e.sum(product, ConvGeometry.axes(2, 4 + g.spatial(), g.spatial()));
        return List.of(Composite.as(e, e.reshape(sum, input), in.get(0)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V w = call.in(1);
        V g = call.grad();
        Op dw = new ConvWeightGrad(e.type(w).shape(), stride, padLow, padHigh, dilation, groups);
        return Arrays.asList(
                call.needs(0) ? e.apply(new Conv(stride, padLow, padHigh, dilation, groups), g, w) : null,
                call.needs(1) ? e.apply(dw, g, call.in(0)) : null);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray dy = in.get(0);
        RefArray w = in.get(1);
        double[] dx = new double[(int) input.numel()];
        geometry().forEachTap(input, w.shape(), dy.shape(), (i, j, o) -> dx[i] += dy.getDouble(o) * w.getDouble(j));
        return List.of(RefArray.of(dy.type().with(input), i -> dx[i]));
    }

    @Override
    public List<Sample> samples() {
        return ConvGeometry.cases().stream().map(ConvInputGrad::sample).toList();
    }

    private static Sample sample(ConvGeometry.Case c) {
        Conv v = c.conv();
        Type w = new Type(c.dtype(), c.w());
        Type dy = v.infer(List.of(new Type(c.dtype(), c.x()), w)).get(0);
        Op op = new ConvInputGrad(c.x(), v.stride(), v.padLow(), v.padHigh(), v.dilation(), v.groups());
        return Sample.smooth(op, Sample.uniform(dy, -1, 1, 3), Sample.uniform(w, -1, 1, 4));
    }
}
