// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim2;

/**
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) as loop-IR code: element {@code e} is word
 * {@code e mod 4} of the block at counter {@code offset + e / 4}.
 */
final class Philox {
    private static final int M0 = 0xD2511F53;
    private static final int M1 = 0xCD9E8D57;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;

    private Philox() {}

    /** The i32 word for element {@code e}; all three operands i64. */
    static Expr word(Expr key, Expr offset, Expr e) {
        Expr block = op(Prim2.ADD, offset, op(Prim2.USHR, e, i64(2)));
        Expr c0 = low(block);
        Expr c1 = high(block);
        Expr c2 = i32(0);
        Expr c3 = i32(0);
        Expr k0 = low(key);
        Expr k1 = high(key);
        for (int round = 0; round < 10; round++) {
            Expr h0 = op(Prim2.UMULHI, c0, i32(M0));
            Expr l0 = op(Prim2.MUL, c0, i32(M0));
            Expr h1 = op(Prim2.UMULHI, c2, i32(M1));
            Expr l1 = op(Prim2.MUL, c2, i32(M1));
            c0 = op(Prim2.XOR, op(Prim2.XOR, h1, c1), k0);
            c2 = op(Prim2.XOR, op(Prim2.XOR, h0, c3), k1);
            c1 = l1;
            c3 = l0;
            k0 = op(Prim2.ADD, k0, i32(W0));
            k1 = op(Prim2.ADD, k1, i32(W1));
        }
        Expr w = low(op(Prim2.AND, e, i64(3)));
        Expr even = new Expr.Select(op(Prim2.EQ, w, i32(0)), c0, c2);
        Expr odd = new Expr.Select(op(Prim2.EQ, w, i32(1)), c1, c3);
        return new Expr.Select(op(Prim2.EQ, op(Prim2.AND, w, i32(1)), i32(0)), even, odd);
    }

    private static Expr op(Prim2 p, Expr a, Expr b) {
        return new Expr.Bin(p, a, b);
    }

    private static Expr i32(int v) {
        return Expr.Const.ofLong(DType.I32, v);
    }

    private static Expr i64(long v) {
        return Expr.Const.ofLong(DType.I64, v);
    }

    private static Expr low(Expr x) {
        return new Expr.Convert(DType.I32, x);
    }

    private static Expr high(Expr x) {
        return low(op(Prim2.USHR, x, i64(32)));
    }
}
