// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;

/** Arithmetic on unsigned integers of 32 bits: threads' numbers and shared addresses. What is constant is computed at once. */
final class IntCode {
    private final KernelBuilder out;

    IntCode(KernelBuilder out) {
        this.out = out;
    }

    private static boolean is(Operand o, long value) {
        return o instanceof Operand.Int i && i.value() == value;
    }

    private static int log2(long n) {
        if (Long.bitCount(n) != 1) throw new IllegalArgumentException(n + " is no power of two");
        return Long.numberOfTrailingZeros(n);
    }

    Operand add(Operand a, Operand b) {
        if (a instanceof Operand.Int x && b instanceof Operand.Int y) return out.constant(x.value() + y.value());
        if (is(a, 0)) return b;
        if (is(b, 0)) return a;
        return a instanceof Reg ? out.add(PtxType.U32, a, b) : out.add(PtxType.U32, b, a);
    }

    Operand add(Operand a, long b) {
        return add(a, out.constant(b));
    }

    Operand mul(Operand a, long b) {
        if (a instanceof Operand.Int x) return out.constant(x.value() * b);
        if (b == 0) return out.constant(0);
        if (b == 1) return a;
        if (Long.bitCount(b) == 1) return out.shl(PtxType.B32, a, out.constant(log2(b)));
        return out.mul(PtxType.U32, a, out.constant(b));
    }

    /** By a power of two. */
    Operand div(Operand a, long b) {
        if (a instanceof Operand.Int x) return out.constant(x.value() / b);
        return b == 1 ? a : out.shr(PtxType.U32, a, out.constant(log2(b)));
    }

    /** Modulo a power of two. */
    Operand mod(Operand a, long b) {
        if (a instanceof Operand.Int x) return out.constant(x.value() % b);
        log2(b);
        return b == 1 ? out.constant(0) : out.and(PtxType.B32, a, out.constant(b - 1));
    }

    Operand xor(Operand a, Operand b) {
        if (a instanceof Operand.Int x && b instanceof Operand.Int y) return out.constant(x.value() ^ y.value());
        if (is(a, 0)) return b;
        if (is(b, 0)) return a;
        return a instanceof Reg ? out.xor(PtxType.B32, a, b) : out.xor(PtxType.B32, b, a);
    }

    /** {@code r += by}, and 0 instead where that reaches {@code end}. */
    void advance(Reg r, long by, long end) {
        out.add(new Arithmetic.Binary(Arithmetic.BinaryOp.ADD, FloatMode.DEFAULT, PtxType.U32, r, r, out.constant(by)));
        Reg over = out.setp(io.sinter.codegen.ptx.lang.Comparison.Relation.GE, PtxType.U32, r, out.constant(end));
        out.assign(PtxType.B32, r, out.selp(PtxType.B32, out.constant(0), r, over));
    }

    /** In 64 bits. */
    Operand wide(Operand a) {
        return a instanceof Operand.Int ? a : out.wide(a);
    }

    /** The low half of 64 bits. */
    Operand low(Operand a) {
        return a instanceof Operand.Int ? a : out.cvt(FloatMode.DEFAULT, PtxType.U32, PtxType.U64, a);
    }
}
