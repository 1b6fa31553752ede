// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.fuse;

import io.sinter.ir.Node;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.RandomBits;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.Unary;
import io.sinter.ir.op.View;
import io.sinter.ir.op.Window;
import java.util.Set;

/** Rough costs of computing one element, in multiplications. A static table: a timed choice would change the bits from run to run. */
public final class Cost {
    private static final int EXPENSIVE = 8;
    /** Code of a concatenation's part: where it begins and ends, a masked load, a choice. */
    private static final int PART = 12;

    private static final Set<Op> CHEAP_UNARY =
            Set.of(Unary.NEG, Unary.ABS, Unary.SIGN, Unary.RELU, Unary.NOT, Unary.ISNAN, Unary.ISINF, Unary.ISFINITE);
    private static final Set<Op> ROUNDINGS = Set.of(Unary.FLOOR, Unary.CEIL, Unary.ROUND, Unary.TRUNC);
    private static final Set<Op> ROOTS = Set.of(Unary.SQRT, Unary.RSQRT, Unary.RECIPROCAL);
    private static final Set<Op> DIVISIONS = Set.of(Binary.DIV, Binary.REMAINDER, Binary.FMOD, Binary.FLOORDIV);

    private Cost() {}

    static int of(Op op) {
        return switch (op) {
            case Unary u -> CHEAP_UNARY.contains(u) ? 1 : ROUNDINGS.contains(u) ? 2 : ROOTS.contains(u) ? 4 : 10;
            case Binary b -> b == Binary.POW || b == Binary.ATAN2 ? 20 : DIVISIONS.contains(b) ? 4 : 1;
            case RandomBits _ -> 40;
            case Reduce _, BlockReduce _ -> 2;
            default -> 1;
        };
    }

    /** Rough size of a node's code: its arithmetic, and the masks and offsets of the views through which it reads. */
    static int code(Node n) {
        int size = of(n.op());
        if (n.op() instanceof Concat) size += PART * n.inputs().size();
        for (Node in : n.inputs()) {
            for (Node v = in; v.op() instanceof View view; v = v.input(0)) size += code(view);
        }
        return size;
    }

    /** Of a concatenation that is stored part by part. */
    static int splitCode(Node concat) {
        return code(concat) - (PART - 2) * concat.inputs().size();
    }

    private static int code(View view) {
        return switch (view) {
            case Pad p -> {
                int masks = 0;
                for (int i = 0; i < p.low().length; i++) masks += (p.low()[i] > 0 ? 4 : 0) + (p.high()[i] > 0 ? 4 : 0);
                yield masks;
            }
            case Slice s -> s.live() ? 4 : 0;
            case Reshape _, Permute _, Expand _, Window _ -> 0;
        };
    }

    /** Computing an element twice costs more than storing and loading it. */
    public static boolean expensive(Node n) {
        return of(n.op()) >= EXPENSIVE;
    }
}
