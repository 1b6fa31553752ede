// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;

/**
 * The exact floating-point remainder, C's fmod, with the sign of the dividend. A quotient that is rounded towards zero leaves a remainder
 * that is exact in one fused multiply-add, and each step takes a whole significand's bits off the quotient: at most 6 steps for
 * f32 (which is computed in f64), 41 for f64.
 */
final class Remainder {
    /** What a divisor is scaled by where the quotient could overflow. */
    private static final double SCALE = 0x1p600;

    private final KernelBuilder out;
    private final DType type;

    Remainder(KernelBuilder out, DType type) {
        this.out = out;
        this.type = type;
    }

    Operand of(Operand a, Operand b) {
        PtxType f64 = PtxType.F64;
        boolean single = type == DType.F32;
        Operand x = single ? out.cvt(FloatMode.DEFAULT, f64, PtxType.F32, a) : a;
        Operand y = single ? out.cvt(FloatMode.DEFAULT, f64, PtxType.F32, b) : b;
        Reg r = out.mov(f64, out.abs(f64, x));
        Reg by = out.abs(f64, y);
        if (!single) {
            // x mod by = (x mod (by · 2^k)) mod by: quotients stay finite.
            Reg once = out.mul(f64, by, out.constant(SCALE));
            reduce(r, out.mul(f64, once, out.constant(SCALE)));
            reduce(r, once);
        }
        reduce(r, by);
        Reg signed = out.register(f64);
        out.add(new Arithmetic.Binary(Arithmetic.BinaryOp.COPYSIGN, FloatMode.DEFAULT, f64, signed, x, r));
        // By an infinity the dividend stays. Of an infinity, by zero, and with NaN there is no remainder.
        Reg infinite = out.setp(Relation.EQ, f64, out.abs(f64, x), out.constant(Double.POSITIVE_INFINITY));
        Reg zero = out.setp(Relation.EQ, f64, by, out.constant(0.0));
        Reg unordered = out.setp(Relation.NAN, f64, x, y);
        Reg none = out.or(PtxType.PRED, out.or(PtxType.PRED, infinite, zero), unordered);
        Reg result = out.selp(f64, out.constant(Double.NaN), signed, none);
        return single ? out.cvt(FloatMode.RN, PtxType.F32, f64, result) : result;
    }

    /** {@code r = r mod by}, where both are finite and {@code by} is positive; else {@code r} is left as it is. */
    private void reduce(Reg r, Operand by) {
        PtxType f64 = PtxType.F64;
        String head = out.newLabel();
        String end = out.newLabel();
        Reg large = out.setp(Relation.EQ, f64, r, out.constant(Double.POSITIVE_INFINITY));
        out.branchIf(large, end);
        Reg positive = out.setp(Relation.GT, f64, by, out.constant(0.0));
        out.branchUnless(positive, end);
        out.label(head);
        Reg more = out.setp(Relation.GE, f64, r, by);
        out.branchUnless(more, end);
        Reg q = out.binary(Arithmetic.BinaryOp.DIV, FloatMode.RZ, f64, r, by);
        Reg whole = out.cvt(FloatMode.of(Rounding.RZI), f64, f64, q);
        out.add(new Arithmetic.Fma(FloatMode.RN, f64, r, out.neg(f64, whole), by, r));
        out.branch(head);
        out.label(end);
    }
}
