// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Writes slices of src at positions idx of an axis. */
public record Put(int axis, Mode mode) implements Indexed {
    /** How a value meets what is there. */
    public enum Mode {
        SET,
        ADD,
        MUL,
        MAX,
        MIN;

        /** As in the text form. */
        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        /** The mode of the text form's name. */
        public static Mode parse(String text) {
            return valueOf(text.toUpperCase(java.util.Locale.ROOT));
        }
    }

    @Override
    public String name() {
        return "put";
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
