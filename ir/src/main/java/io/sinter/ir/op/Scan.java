// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.List;

/** Inclusive scan along an axis. */
public record Scan(Kind kind, int axis, boolean reverse) implements Op {
    /** What is accumulated, and its name in the text form. */
    public enum Kind {
        SUM("cumsum"),
        PROD("cumprod"),
        MAX("cummax"),
        MIN("cummin");

        private final String text;

        Kind(String text) {
            this.text = text;
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
        out.put("axis", axis);
        out.put("reverse", reverse);
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
