// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Part of one axis. */
public record Slice(int axis, long start, long size, long step, boolean live) implements View {

    @Override
    public String name() {
        return "slice";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axis", axis);
        out.put("start", start);
        out.put("size", size);
        out.put("step", step);
        out.put("live", live);
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
