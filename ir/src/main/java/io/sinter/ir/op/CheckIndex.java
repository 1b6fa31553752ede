// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Wraps negative indices and checks them against a bound. */
public record CheckIndex(long bound) implements Indexed {

    @Override
    public String name() {
        return "check_index";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("bound", bound);
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
