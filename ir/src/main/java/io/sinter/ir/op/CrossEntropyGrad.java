// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/**
 * Gradient of {@link CrossEntropy}'s loss: {@code dloss[N], logits[N,C], target i64[N], lse[N] ->
 * dlogits[N,C]}, which is {@code (exp(logits - lse) - onehot(target))·dloss}.
 */
public record CrossEntropyGrad() implements Composite {

    @Override
    public String name() {
        return "cross_entropy_grad";
    }

    @Override
    public void attributes(Attrs out) {}

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 4);
        Rule.isFloat(this, in, 1);
        Rule.isIndex(this, in, 2);
        Type row = CrossEntropy.rowType(this, in, in.get(1), in.get(2));
        if (!in.get(0).equals(row) || !in.get(3).equals(Composite.statistics(row))) {
            throw OpException.of(
                    name(),
                    in,
                    "dloss must be %s and lse %s; pass the results of cross_entropy and the " + "gradient of its loss",
                    row,
                    Composite.statistics(row));
        }
        return List.of(in.get(1));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V x = Composite.wide(e, in.get(1));
        Shape column = Shape.of(e.type(x).dim(0), 1);
        V g = e.reshape(Composite.wide(e, in.get(0)), column);
        V softmax = e.exp(e.sub(x, e.reshape(in.get(3), column)));
        V onehot = e.cast(CrossEntropy.isTarget(e, x, in.get(2)), e.type(x).dtype());
        return List.of(Composite.as(e, e.mul(e.sub(softmax, onehot), g), in.get(1)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(1);
        int classes = (int) x.shape().dim(1);
        RefArray dx = RefArray.zeros(x.type());
        for (int n = 0; n < x.shape().dim(0); n++) {
            int target = CheckIndex.check("cross_entropy", in.get(2).getLong(n), classes, false);
            for (int c = 0; c < classes; c++) {
                int at = n * classes + c;
                double softmax = Math.exp(x.getDouble(at) - in.get(3).getDouble(n));
                dx.set(at, (c == target ? softmax - 1 : softmax) * in.get(0).getDouble(n));
            }
        }
        return List.of(dx);
    }

    @Override
    public List<Sample> samples() {
        return new CrossEntropy().samples().stream().map(this::sample).toList();
    }

    private Sample sample(Sample forward) {
        List<RefArray> out = forward.op().evaluate(forward.inputs());
        RefArray dloss = Sample.uniform(out.get(0).type(), -1, 1, 10);
        return new Sample(
                this, List.of(dloss, forward.inputs().get(0), forward.inputs().get(1), out.get(1)), forward.smooth());
    }
}
