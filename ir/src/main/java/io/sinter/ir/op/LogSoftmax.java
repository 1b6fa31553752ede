// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** {@code x - log(sum(exp(x)))} along an axis, computed stably. A line is NaN where {@link Softmax}'s is. */
public record LogSoftmax(int axis) implements Composite {

    @Override
    public String name() {
        return "log_softmax";
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
        V shifted = e.sub(x, e.reduceKeep(Reduce.Kind.MAX, x, axis));
        V y = e.sub(shifted, e.log(e.sumKeep(e.exp(shifted), axis)));
        return List.of(Composite.as(e, y, in.get(0)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V y = Composite.wide(e, call.out(0));
        V g = Composite.wide(e, call.grad());
        V dx = e.sub(g, e.mul(e.exp(y), e.sumKeep(g, axis)));
        return List.of(Composite.as(e, dx, call.in(0)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray r = RefArray.zeros(x.type());
        Lines lines = Lines.of(x.shape(), axis);
        for (int line = 0; line < lines.count(); line++) {
            double lse = LogSumExp.of(lines.get(x, line));
            for (int i = 0; i < lines.n(); i++) {
                int at = lines.at(line, i);
                r.set(at, Double.isFinite(lse) ? x.getDouble(at) - lse : Double.NaN);
            }
        }
        return List.of(r);
    }

    @Override
    public List<Sample> samples() {
        return Softmax.samples(LogSoftmax::new);
    }
}
