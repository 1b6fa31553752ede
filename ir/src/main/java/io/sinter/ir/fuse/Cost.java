// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Unary;

/** Rough costs of computing one element, in multiplications. A static table: a timed choice would change the bits from run to run. */
final class Cost {
    /** From this weight on, computing an element twice costs more than storing and loading it. */
    static final int EXPENSIVE = 8;

    private Cost() {}

    static int of(Op op) {
        return switch (op) {
            case Unary u -> switch (u) {
                case NEG, ABS, SIGN, RELU, NOT, ISNAN, ISINF, ISFINITE -> 1;
                case FLOOR, CEIL, ROUND, TRUNC -> 2;
                case SQRT, RSQRT, RECIPROCAL -> 4;
                default -> 10;
            };
            case Binary b -> switch (b) {
                case POW, ATAN2 -> 20;
                case DIV, REMAINDER, FMOD, FLOORDIV -> 4;
                default -> 1;
            };
            case RandomBits _ -> 40;
            case Reduce _ -> 2;
            default -> 1;
        };
    }

    static boolean expensive(Node n) {
        return of(n.op()) >= EXPENSIVE;
    }
}
