// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Reshape;
import java.util.List;

/** Values that are one constant everywhere: a {@link Constant}, reshaped and expanded. */
final class Uniform {
    /** How many views are looked through; the canonical form has two. */
    private static final int MAX_VIEWS = 4;

    private Uniform() {}

    /** The constant that every element of {@code n} is, or null. */
    static Constant of(Node n) {
        for (int i = 0; i <= MAX_VIEWS; i++) {
            if (n.op() instanceof Constant c) return c;
            if (!(n.op() instanceof Reshape || n.op() instanceof Expand || n.op() instanceof Permute)) return null;
            n = n.input(0);
        }
        return null;
    }

    /**
     * The constant, if rules may look at its value. They may not where it was computed from
     * extents: then the rewritten program would depend on extents more than its key says.
     */
    static Constant known(Node n) {
        Constant c = of(n);
        return c == null || c.derived() ? null : c;
    }

    /**
     * Every element of {@code n} is {@code v}, and -0 is not 0. Integers compare by value, bool as
     * 0 and 1.
     */
    static boolean is(Node n, double v) {
        Constant c = known(n);
        if (c == null) return false;
        return c.dtype().isFloat()
                ? Double.compare(c.doubleValue(), v) == 0
                : c.bits() == (long) v && v == Math.rint(v);
    }

    /** The constant as a value of that shape. */
    static Node emit(Simplify e, Constant c, Shape shape) {
        return e.expand(e.emit(c, List.of()).get(0), shape);
    }
}
