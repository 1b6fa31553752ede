// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

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
        throw new UnsupportedOperationException(name());
    }

    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        throw new UnsupportedOperationException(name());
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        throw new UnsupportedOperationException(name());
    }

    @Override
    public List<Sample> samples() {
        return List.of();
    }
}
