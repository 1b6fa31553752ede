// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Gaussian error linear unit. */
public record Gelu(boolean tanh) implements Composite {

    @Override
    public String name() {
        return "gelu";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("tanh", tanh);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        throw new UnsupportedOperationException(name());
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
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
