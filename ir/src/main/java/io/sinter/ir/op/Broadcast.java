// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import java.util.List;

/** NumPy's broadcasting rule. */
public final class Broadcast {
    private Broadcast() {}

    /**
     * The common shape of two operands.
     *
     * @throws OpException if an axis has two different extents, neither of them 1
     */
    public static Shape shapes(String op, Type a, Type b) {
        Shape s = a.shape();
        Shape t = b.shape();
        if (s.equals(t)) return s;
        int rank = Math.max(s.rank(), t.rank());
        long[] d = new long[rank];
        for (int i = 0; i < rank; i++) {
            long x = i < rank - s.rank() ? 1 : s.dim(i - (rank - s.rank()));
            long y = i < rank - t.rank() ? 1 : t.dim(i - (rank - t.rank()));
            if (x != y && x != 1 && y != 1) {
                throw OpException.of(
                        op,
                        List.of(a, b),
                        "shapes do not broadcast: axis " + (i - rank) + " has extents " + x + " and " + y
                                + "; make them equal or one of them 1 (reshape or unsqueeze)");
            }
            d[i] = x == 1 ? y : x;
        }
        return Shape.of(d);
    }
}
