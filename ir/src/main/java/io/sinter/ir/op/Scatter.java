// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** PyTorch's scatter and scatter_reduce. */
public record Scatter(int axis, Put.Mode mode) implements Indexed {

    @Override
    public String name() {
        return "scatter";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("mode", mode.toString());
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
