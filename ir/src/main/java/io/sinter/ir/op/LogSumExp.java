// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/**
 * {@code log(sum(exp(x)))} along an axis, which is removed; computed stably. As in PyTorch nothing but -inf
 * gives -inf, a +inf gives +inf, and an axis of extent 0 gives -inf.
 */
public record LogSumExp(int axis) implements Composite {

    @Override
    public String name() {
        return "logsumexp";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        Rule.isFloat(this, in, 0);
        Rule.axis(this, in, 0, axis);
        Type x = in.get(0);
        return List.of(x.with(x.shape().without(axis)));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        Shape shape = e.type(in.get(0)).shape();
        if (shape.dim(axis) == 0) {
            return List.of(e.expand(e.constant(in.get(0), Double.NEGATIVE_INFINITY), shape.without(axis)));
        }
        V x = Composite.wide(e, in.get(0));
        return List.of(Composite.as(e, of(e, x, axis), in.get(0)));
    }

    /** The log-sum-exp of {@code x}, in its dtype, over an axis that has elements. */
    static <V> V of(Emitter<V> e, V x, int axis) {
        V max = e.reduce(Reduce.Kind.MAX, x, axis);
        // An infinite maximum would give inf - inf.
        V shift = e.where(e.unary(Unary.ISINF, max), e.constant(x, 0), max);
        V kept = e.reshape(shift, e.type(x).shape().with(axis, 1));
        return e.add(e.log(e.sum(e.exp(e.sub(x, kept)), axis)), shift);
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = Composite.wide(e, call.in(0));
        Shape kept = e.type(x).shape().with(axis, 1);
        V y = e.reshape(Composite.wide(e, call.out(0)), kept);
        V g = e.reshape(Composite.wide(e, call.grad()), kept);
        return List.of(Composite.as(e, e.mul(g, e.exp(e.sub(x, y))), call.in(0)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        Lines lines = Lines.of(x.shape(), axis);
        Type type = x.type().with(x.shape().without(axis));
        return List.of(RefArray.of(type, line -> of(lines.get(x, line))));
    }

    /** The log-sum-exp of plain numbers. */
    static double of(double[] v) {
        double max = Arrays.stream(v).reduce(Double.NEGATIVE_INFINITY, Math::max);
        if (Double.isInfinite(max)) return max;
        return max + Math.log(Arrays.stream(v).map(a -> Math.exp(a - max)).sum());
    }

    @Override
    public List<Sample> samples() {
        return Softmax.samples(LogSumExp::new);
    }
}
