// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code exp(x) / sum(exp(x))} along an axis, computed stably. As in PyTorch a line is NaN if it holds NaN or
 * +inf, or nothing but -inf.
 */
public record Softmax(int axis) implements Composite {

    @Override
    public String name() {
        return "softmax";
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
        return List.of(in.get(0));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        if (e.type(in.get(0)).numel() == 0) return in;
        V x = Composite.wide(e, in.get(0));
        V exp = e.exp(e.sub(x, e.reduceKeep(Reduce.Kind.MAX, x, axis)));
        // One division a line instead of one an element.
        V scale = e.unary(Unary.RECIPROCAL, e.sumKeep(exp, axis));
        return List.of(Composite.as(e, e.mul(exp, scale), in.get(0)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V y = Composite.wide(e, call.out(0));
        V g = Composite.wide(e, call.grad());
        V dx = e.mul(e.sub(g, e.sumKeep(e.mul(g, y), axis)), y);
        return List.of(Composite.as(e, dx, call.in(0)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray r = RefArray.zeros(x.type());
        Lines lines = Lines.of(x.shape(), axis);
        for (int line = 0; line < lines.count(); line++) {
            double[] v = lines.get(x, line);
            boolean defined = Double.isFinite(LogSumExp.of(v));
            for (int i = 0; i < lines.n(); i++) {
                // 1 / sum over j of exp(x_j - x_i)
                double sum = 0;
                for (double w : v) sum += v[i] == w ? 1 : Math.exp(w - v[i]);
                r.set(lines.at(line, i), defined ? 1 / sum : Double.NaN);
            }
        }
        return List.of(r);
    }

    @Override
    public List<Sample> samples() {
        return samples(Softmax::new);
    }

    /** Samples for operators along an axis of a float operand. */
    static List<Sample> samples(java.util.function.IntFunction<Op> on) {
        List<Sample> s = new ArrayList<>();
        s.add(Sample.smooth(on.apply(1), Sample.uniform(Type.of(DType.F64, 3, 5), -2, 2, 1)));
        s.add(Sample.smooth(on.apply(0), Sample.uniform(Type.of(DType.F64, 4, 3), -2, 2, 2)));
        s.add(Sample.smooth(on.apply(1), Sample.uniform(Type.of(DType.F64, 2, 3, 2), -2, 2, 3)));
        s.add(Sample.smooth(on.apply(0), Sample.uniform(Type.of(DType.F32, 37), -5, 5, 4)));
        s.add(Sample.smooth(on.apply(1), Sample.uniform(Type.of(DType.F32, 5, 131), -5, 5, 5)));
        s.add(Sample.smooth(on.apply(2), Sample.uniform(Type.of(DType.F32, 2, 3, 1), -5, 5, 6)));
        s.add(Sample.values(on.apply(1), Sample.uniform(Type.of(DType.F32, 0, 3), -5, 5, 7)));
        s.add(Sample.values(on.apply(1), Sample.uniform(Type.of(DType.F32, 3, 0), -5, 5, 8)));
        s.add(Sample.values(on.apply(1), Sample.uniform(Type.of(DType.F32, 2, 9), -3000, 3000, 9)));
        double inf = Double.POSITIVE_INFINITY;
        double nan = Double.NaN;
        double[] edges = {1, -inf, 2, -inf, -inf, -inf, 0, inf, 3, inf, inf, -inf, 1, nan, -inf, -inf, 5, -inf};
        s.add(Sample.values(on.apply(1), RefArray.of(DType.F64, Shape.of(6, 3), edges)));
        s.add(Sample.values(on.apply(1), RefArray.of(DType.F32, Shape.of(6, 3), edges)));
        for (DType t : List.of(DType.F16, DType.BF16)) {
            s.add(Sample.values(on.apply(1), Sample.uniform(Type.of(t, 3, 50), -4, 4, 10)));
        }
        return s;
    }
}
