// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Unary;
import java.util.Set;

/** Rough costs of computing one element, in multiplications. A static table: a timed choice would change the bits from run to run. */
public final class Cost {
    private static final int EXPENSIVE = 8;
    private static final Set<Op> CHEAP_UNARY = Set.of(
            Unary.NEG, Unary.ABS, Unary.SIGN, Unary.RELU, Unary.NOT, Unary.ISNAN, Unary.ISINF, Unary.ISFINITE);
    private static final Set<Op> ROUNDINGS = Set.of(Unary.FLOOR, Unary.CEIL, Unary.ROUND, Unary.TRUNC);
    private static final Set<Op> ROOTS = Set.of(Unary.SQRT, Unary.RSQRT, Unary.RECIPROCAL);
    private static final Set<Op> DIVISIONS = Set.of(Binary.DIV, Binary.REMAINDER, Binary.FMOD, Binary.FLOORDIV);

    private Cost() {}

    static int of(Op op) {
        return switch (op) {
            case Unary u -> CHEAP_UNARY.contains(u) ? 1 : ROUNDINGS.contains(u) ? 2 : ROOTS.contains(u) ? 4 : 10;
            case Binary b -> b == Binary.POW || b == Binary.ATAN2 ? 20 : DIVISIONS.contains(b) ? 4 : 1;
            case RandomBits _ -> 40;
            case Reduce _ -> 2;
            default -> 1;
        };
    }

    /** Computing an element twice costs more than storing and loading it. */
    public static boolean expensive(Node n) {
        return of(n.op()) >= EXPENSIVE;
    }
}
