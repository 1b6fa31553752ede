// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/**
 * Cross-entropy of logits and class numbers, row by row: {@code logits[N,C], target i64[N] -> (loss[N],
 * lse[N])} with {@code loss = lse - logits[target]} and lse the row's log-sum-exp, f32 for f16 and bf16. A
 * target outside {@code [0, C)} ends the run in an {@link IndexOutOfBoundsException}.
 */
public record CrossEntropy() implements Composite {

    @Override
    public String name() {
        return "cross_entropy";
    }

    @Override
    public void attributes(Attrs out) {}

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 2);
        Rule.isFloat(this, in, 0);
        Rule.isIndex(this, in, 1);
        Type loss = rowType(this, in, in.get(0), in.get(1));
        return List.of(loss, Composite.statistics(loss));
    }

    /** {@code logits}' type without the classes, if {@code target} fits. */
    static Type rowType(Op op, List<Type> in, Type logits, Type target) {
        if (logits.rank() != 2 || logits.dim(1) < 1) {
            throw OpException.of(
                    op.name(),
                    in,
                    "logits must be [N,C] with at least one class, got %s; move the classes "
                            + "to the last axis and reshape",
                    logits.shape());
        }
        if (!target.shape().equals(Shape.of(logits.dim(0)))) {
            throw OpException.of(
                    op.name(),
                    in,
                    "targets must be class numbers of shape [%s], one for each row of logits " + "%s, got %s",
                    logits.dim(0),
                    logits.shape(),
                    target.shape());
        }
        return logits.with(target.shape());
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V x = Composite.wide(e, in.get(0));
        V lse = LogSumExp.of(e, x, 1);
        // A selection inside the row rather than a gather: it fuses with the rest.
        V picked = e.sum(e.where(isTarget(e, x, in.get(1)), x, e.constant(x, 0)), 1);
        return List.of(Composite.as(e, e.sub(lse, picked), in.get(0)), lse);
    }

    /** bool[N,C]: the class is the row's target; targets are checked. Compared in i32, the width of f32. */
    static <V> V isTarget(Emitter<V> e, V logits, V target) {
        Shape s = e.type(logits).shape();
        Op check = new CheckIndex(s.dim(1), false, "cross_entropy");
        V checked = e.cast(e.apply(check, target), DType.I32);
        V classes = e.cast(e.iota(s.dim(1)), DType.I32);
        return e.binary(
                Binary.EQ, e.reshape(classes, Shape.of(1, s.dim(1))), e.reshape(checked, Shape.of(s.dim(0), 1)));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        V x = call.in(0);
        V dx = call.flows(0)
                ? e.apply(new CrossEntropyGrad(), call.grad(0), x, call.in(1), call.out(1))
                : e.zerosLike(x);
        if (call.flows(1)) {
            Shape column = Shape.of(e.type(x).dim(0), 1);
            V softmax = e.exp(e.sub(Composite.wide(e, x), e.reshape(call.out(1), column)));
            dx = e.add(dx, Composite.as(e, e.mul(softmax, e.reshape(call.grad(1), column)), x));
        }
        return Arrays.asList(dx, null);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray target = in.get(1);
        List<Type> types = infer(List.of(x.type(), target.type()));
        Lines rows = Lines.of(x.shape(), 1);
        RefArray loss = RefArray.zeros(types.get(0));
        RefArray lse = RefArray.zeros(types.get(1));
        for (int n = 0; n < rows.count(); n++) {
            double[] v = rows.get(x, n);
            double all = LogSumExp.of(v);
            loss.set(n, all - v[CheckIndex.check(name(), target.getLong(n), v.length, false)]);
            lse.set(n, all);
        }
        return List.of(loss, lse);
    }

    @Override
    public List<Sample> samples() {
        return List.of(
                Sample.smooth(this, Sample.uniform(Type.of(DType.F64, 3, 5), -2, 2, 1), targets(3, 5)),
                Sample.smooth(this, Sample.uniform(Type.of(DType.F64, 4, 2), -2, 2, 2), targets(4, 2)),
                Sample.smooth(this, Sample.uniform(Type.of(DType.F32, 9, 10), -4, 4, 3), targets(9, 10)),
                Sample.smooth(this, Sample.uniform(Type.of(DType.F32, 5, 131), -4, 4, 4), targets(5, 131)),
                Sample.values(this, Sample.uniform(Type.of(DType.F32, 3, 1), -4, 4, 5), targets(3, 1)),
                Sample.values(this, Sample.uniform(Type.of(DType.F32, 3, 7), -3000, 3000, 6), targets(3, 7)),
                Sample.values(this, RefArray.zeros(Type.of(DType.F32, 0, 7)), targets(0, 7)),
                Sample.values(
                        this,
                        RefArray.of(
                                DType.F32,
                                Shape.of(2, 3),
                                0,
                                Double.NEGATIVE_INFINITY,
                                1,
                                2,
                                0,
                                Double.NEGATIVE_INFINITY),
                        RefArray.ofLongs(DType.I64, Shape.of(2), 1, 0)),
                Sample.values(this, Sample.uniform(Type.of(DType.F16, 3, 50), -4, 4, 7), targets(3, 50)),
                Sample.values(this, Sample.uniform(Type.of(DType.BF16, 3, 50), -4, 4, 8), targets(3, 50)));
    }

    private static RefArray targets(long rows, long classes) {
        return Sample.uniform(Type.of(DType.I64, rows), 0, classes, 9);
    }
}
