// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Cross-entropy of logits and class numbers. */
public record CrossEntropy() implements Composite {

    @Override
    public String name() {
        return "cross_entropy";
    }

    @Override
    public void attributes(Attrs out) {

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
