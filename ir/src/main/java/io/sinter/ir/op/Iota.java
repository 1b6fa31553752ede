// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** {@code i64[n]}: 0, 1, …, n-1. */
public record Iota(long n) implements Leaf {
    @Override
    public String name() {
        return "iota";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("n", n);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 0);
        if (n < 0) throw OpException.of(name(), in, "length " + n + " is negative");
        return List.of(Type.of(DType.I64, n));
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        return Op.noGradient(call);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        return List.of(RefArray.ofLongs(Type.of(DType.I64, n), i -> i));
    }

    @Override
    public List<Sample> samples() {
        return List.of(Sample.values(new Iota(7)), Sample.values(new Iota(1)), Sample.values(new Iota(0)));
    }
}
