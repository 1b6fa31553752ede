// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.convert;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Rewriter;

/**
 * Spells out the functions that PTX lacks, or has only roughly, as arithmetic of the loop IR: what remains of {@link Prim1} and
 * {@link Prim2} is exact or correctly rounded in PTX, but for exponentials of f32, whose bound is {@link Exponential}'s. The
 * others are within 4 units in the last place, like every generator's.
 *
 * <p>Frequent functions of f32 are polynomials in f32; the rare ones are computed in f64.
 */
public final class MathCode extends Rewriter {
    @Override
    protected Expr replacement(Expr e) {
        return switch (e) {
            case Expr.Un u when u.dtype().isFloat() -> unary(u.op(), expr(u.a()));
            case Expr.Bin b when b.dtype().isFloat() && b.op() == Prim2.POW -> inF64(b, expr(b.a()), expr(b.b()));
            case Expr.Bin b when b.dtype().isFloat() && b.op() == Prim2.ATAN2 -> inF64(b, expr(b.a()), expr(b.b()));
            default -> null;
        };
    }

    private static Expr inF64(Expr.Bin e, Expr a, Expr b) {
        Expr x = convert(DType.F64, a);
        Expr y = convert(DType.F64, b);
        return convert(e.dtype(), e.op() == Prim2.POW ? PowerCode.pow(x, y) : InverseCode.atan2(x, y));
    }

    private static Expr unary(Prim1 op, Expr x) {
        boolean single = x.dtype() == DType.F32;
        return switch (op) {
            case NEG, ABS, SQRT, FLOOR, CEIL, RINT, TRUNC, NOT, ISNAN -> Expr.un(op, x);
            case EXP -> single ? Expr.un(op, x) : ExponentialCode.exp(x);
            case EXPM1 -> ExponentialCode.expm1(x);
            case TANH -> ExponentialCode.tanh(x);
            case LOG -> LogarithmCode.log(x);
            case LOG1P -> LogarithmCode.log1p(x);
            case SIN, COS, TAN -> AngleCode.of(op, x);
            case ERF -> single ? ErrorCode.erfSingle(x) : ErrorCode.erf(x);
            case SINH, COSH, ASIN, ACOS, ATAN, LGAMMA, DIGAMMA, ERFINV -> {
                Expr d = convert(DType.F64, x);
                Expr y =
                        switch (op) {
                            case SINH -> ExponentialCode.sinh(d);
                            case COSH -> ExponentialCode.cosh(d);
                            case ASIN -> InverseCode.asin(d);
                            case ACOS -> InverseCode.acos(d);
                            case ATAN -> InverseCode.atan(d);
                            case LGAMMA -> GammaCode.lgamma(d);
                            case DIGAMMA -> GammaCode.digamma(d);
                            case ERFINV -> ErrorCode.erfinv(d);
                            default -> throw new AssertionError(op);
                        };
                yield convert(x.dtype(), y);
            }
        };
    }

    // ---- what the functions have in common

    /** An integer constant of the type of {@code like}. */
    static Expr integer(Expr like, long v) {
        return Expr.Const.ofLong(like.dtype(), v);
    }

    static boolean isSingle(Expr x) {
        return x.dtype() == DType.F32;
    }

    /** 2^n for a normal power, n an integer of the width of the result. */
    static Expr powerOf2(Expr n) {
        boolean single = n.dtype() == DType.I32;
        Expr biased = Expr.bin(Prim2.ADD, n, integer(n, single ? 127 : 1023));
        return new Expr.Bits(single ? DType.F32 : DType.F64, Expr.bin(Prim2.SHL, biased, integer(n, single ? 23 : 52)));
    }

    /** Whether |x| is infinite. */
    static Expr isInfinite(Expr x) {
        return Expr.bin(Prim2.EQ, abs(x), Expr.Const.of(x.dtype(), Double.POSITIVE_INFINITY));
    }

    static Expr isNan(Expr x) {
        return Expr.un(Prim1.ISNAN, x);
    }
}
