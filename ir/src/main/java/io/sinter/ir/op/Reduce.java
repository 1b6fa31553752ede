// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Reduces axes away. */
public record Reduce(Kind kind, int... axes) implements Op {
    /** What is computed, and its name in the text form. */
    public enum Kind {
        SUM("sum"),
        PROD("prod"),
        MAX("amax"),
        MIN("amin"),
        ARGMAX("argmax"),
        ARGMIN("argmin");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        /** True for the kinds that give positions. */
        public boolean isArg() {
            return this == ARGMAX || this == ARGMIN;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    @Override
    public String name() {
        return kind.text;
    }

    @Override
    public void attributes(Attrs out) {
        out.put("axes", axes);
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
