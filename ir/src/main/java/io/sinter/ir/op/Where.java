// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Exprs;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** {@code cond ? a : b}, element by element; cond is bool, a and b have one dtype. */
public final class Where implements Elementwise {
    public static final Where INSTANCE = new Where();

    private Where() {}

    @Override
    public String name() {
        return "where";
    }

    @Override
    public void attributes(Attrs out) {}

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 3);
        if (!in.get(0).dtype().isBool()) {
            throw OpException.of(
                    name(), in, "the condition must be bool, got " + in.get(0).dtype() + "; compare it with 0 first");
        }
        if (in.get(1).dtype() != in.get(2).dtype()) {
            throw OpException.of(
                    name(),
                    in,
                    "dtypes "
                            + in.get(1).dtype()
                            + " and "
                            + in.get(2).dtype()
                            + " differ; cast one to the other's dtype");
        }
        Rule.sameShape(this, in);
        return List.of(in.get(1));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        if (!call.e().type(call.in(1)).dtype().isFloat()) return Op.noGradient(call);
        Val cond = Val.of(call.e(), call.in(0));
        Val g = Val.of(call.e(), call.grad());
        return Arrays.asList(
                null,
                call.needs(1) ? cond.thenElseZero(g).<V>get() : null,
                call.needs(2) ? cond.thenZeroElse(g).<V>get() : null);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray y = RefArray.zeros(in.get(1).type());
        for (int i = 0; i < y.size(); i++) y.copy(i, in.get(0).getBoolean(i) ? in.get(1) : in.get(2), i);
        return List.of(y);
    }

    @Override
    public Expr scalar(List<Expr> operands, DType in, DType out) {
        return Exprs.select(operands.get(0), operands.get(1), operands.get(2));
    }

    @Override
    public List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        RefArray cond = RefArray.ofLongs(Type.of(DType.BOOL, 3, 4), i -> i % 3 == 0 || i == 7 ? 1 : 0);
        for (DType t : DType.values()) {
            RefArray a = Sample.uniform(Type.of(t, 3, 4), -3, 3, 21);
            RefArray b = Sample.uniform(Type.of(t, 3, 4), -3, 3, 22);
            samples.add(t.isFloat() ? Sample.smooth(this, cond, a, b) : Sample.values(this, cond, a, b));
        }
        RefArray nan = RefArray.of(DType.F32, cond.shape().without(0), Double.NaN, -0.0, 1, Double.POSITIVE_INFINITY);
        RefArray one = RefArray.of(DType.F32, nan.shape(), 1, 2, 3, 4);
        samples.add(Sample.values(this, RefArray.ofLongs(DType.BOOL, nan.shape(), 0, 1, 0, 1), nan, one));
        return samples;
    }

    @Override
    public String toString() {
        return name();
    }
}
