// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Exprs;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Converts elements to another dtype. To a float: to nearest even (f16, bf16 and f32 from f64 or
 * integers by way of f32). Float to integer: toward zero, saturating at the i32 or i64 range, NaN
 * to 0; to the narrow integers by way of i32, then wrapping. To bool: {@code != 0} (NaN is true).
 */
public record Cast(DType to) implements Elementwise {
    @Override
    public String name() {
        return "cast";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("to", to.toString());
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 1);
        return List.of(in.get(0).with(to));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        DType from = call.e().type(call.in(0)).dtype();
        if (!from.isFloat() || !to.isFloat()) return Collections.singletonList(null);
        return List.of(call.e().cast(call.grad(), from));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        RefArray x = in.get(0);
        RefArray y = RefArray.zeros(x.type().with(to));
        for (int i = 0; i < y.size(); i++) {
            if (x.dtype().isFloat()) convert(x.getDouble(i), y, i);
            else if (to == DType.F64 || !to.isFloat()) y.set(i, x.getLong(i));
            else y.set(i, (double) (float) x.getLong(i));
        }
        return List.of(y);
    }

    private void convert(double v, RefArray y, int i) {
        switch (to) {
            case F64, F32, F16, BF16, BOOL -> y.set(i, v);
            case I64 -> y.set(i, (long) v);
            case I32, I16, I8, U8 -> y.set(i, (long) (int) v);
        }
    }

    @Override
    public Expr scalar(List<Expr> operands, DType in, DType out) {
        Expr x = operands.get(0);
        if (to.bytes() == 2 && to.isFloat()) return new Expr.Narrow(to, Exprs.convert(DType.F32, x));
        return Exprs.wrap(to, Exprs.convert(to.compute(), x));
    }

    @Override
    public List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        for (DType from : DType.values()) {
            for (DType t : DType.values()) {
                Cast op = new Cast(t);
                samples.add(Sample.values(op, ElementSamples.edges(from)));
                if (from == DType.F64 && t == DType.F64) {
                    samples.add(Sample.smooth(op, Sample.uniform(Type.of(from, 3, 4), -3, 3, 31)));
                }
            }
        }
        return samples;
    }
}
