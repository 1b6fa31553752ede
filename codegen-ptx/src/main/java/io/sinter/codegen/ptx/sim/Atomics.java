// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.PtxType;

/** What atomic operations and reductions make of two values. */
final class Atomics {
    private Atomics() {}

    /**
     * The value that is stored.
     *
     * @param flush sums of f32 flush subnormals, as they do in global memory
     */
    static long next(Memory.AtomicOp op, PtxType t, long old, long b, long c, boolean flush) {
        long mask = IntOps.mask(t.bits());
        if (t.isFloat()) return floats(op, t, old, b, flush);
        long x = IntOps.extend(t, old);
        long y = IntOps.extend(t, b);
        boolean less = t.isSigned() ? y < x : Long.compareUnsigned(y, x) < 0;
        return switch (op) {
            case ADD -> old + b & mask;
            case MIN -> less ? b : old;
            case MAX -> less ? old : b;
            case INC -> Long.compareUnsigned(old, b) >= 0 ? 0 : old + 1 & mask;
            case DEC -> old == 0 || Long.compareUnsigned(old, b) > 0 ? b : old - 1;
            case AND -> old & b;
            case OR -> old | b;
            case XOR -> old ^ b;
            case EXCH -> b;
            case CAS -> old == b ? c : old;
        };
    }

    private static long floats(Memory.AtomicOp op, PtxType t, long old, long b, boolean flush) {
        Arithmetic.BinaryOp f =
                switch (op) {
                    case ADD -> Arithmetic.BinaryOp.ADD;
                    case MIN -> Arithmetic.BinaryOp.MIN;
                    case MAX -> Arithmetic.BinaryOp.MAX;
                    default -> throw new IllegalArgumentException("no atomic " + op + " of " + t);
                };
        FloatMode mode = flush && t == PtxType.F32 ? FloatMode.RN.withFtz() : FloatMode.RN;
        long[] x = new long[Warp.LANES];
        long[] y = new long[Warp.LANES];
        x[0] = old;
        y[0] = b;
        FloatOps.binary(f, mode, t).run(x, x, y);
        return x[0];
    }
}
