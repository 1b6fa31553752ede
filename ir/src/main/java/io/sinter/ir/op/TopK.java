// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** The k largest or smallest, sorted: values and i64 positions. */
public record TopK(int axis, long k, boolean largest) implements Op {

    @Override
    public String name() {
        return "topk";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("k", k);
        out.put("largest", largest);
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
