// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import io.sinter.ir.DType;

/**
 * Short names for building {@link Expr}s, so that scalar code reads as formulas. Import statically.
 */
public final class Exprs {
    private Exprs() {}

    /** The constant {@code v} in the type of {@code like}. */
    public static Expr c(Expr like, double v) {
        return Expr.Const.of(like.dtype(), v);
    }

    public static Expr add(Expr a, Expr b) {
        return Expr.bin(Prim2.ADD, a, b);
    }

    public static Expr add(Expr a, double b) {
        return add(a, c(a, b));
    }

    public static Expr sub(Expr a, Expr b) {
        return Expr.bin(Prim2.SUB, a, b);
    }

    public static Expr mul(Expr a, Expr b) {
        return Expr.bin(Prim2.MUL, a, b);
    }

    public static Expr mul(Expr a, double b) {
        return mul(a, c(a, b));
    }

    public static Expr div(Expr a, Expr b) {
        return Expr.bin(Prim2.DIV, a, b);
    }

    public static Expr div(double a, Expr b) {
        return div(c(b, a), b);
    }

    public static Expr neg(Expr a) {
        return Expr.un(Prim1.NEG, a);
    }

    public static Expr abs(Expr a) {
        return Expr.un(Prim1.ABS, a);
    }

    public static Expr sqrt(Expr a) {
        return Expr.un(Prim1.SQRT, a);
    }

    public static Expr exp(Expr a) {
        return Expr.un(Prim1.EXP, a);
    }

    public static Expr log(Expr a) {
        return Expr.un(Prim1.LOG, a);
    }

    public static Expr log1p(Expr a) {
        return Expr.un(Prim1.LOG1P, a);
    }

    /** {@code a * b + c}, rounded once. */
    public static Expr fma(Expr a, Expr b, Expr c) {
        return new Expr.Fma(a, b, c);
    }

    public static Expr max(Expr a, Expr b) {
        return Expr.bin(Prim2.MAX, a, b);
    }

    public static Expr min(Expr a, Expr b) {
        return Expr.bin(Prim2.MIN, a, b);
    }

    public static Expr and(Expr a, Expr b) {
        return Expr.bin(Prim2.AND, a, b);
    }

    public static Expr or(Expr a, Expr b) {
        return Expr.bin(Prim2.OR, a, b);
    }

    public static Expr eq(Expr a, Expr b) {
        return Expr.bin(Prim2.EQ, a, b);
    }

    public static Expr ne(Expr a, Expr b) {
        return Expr.bin(Prim2.NE, a, b);
    }

    public static Expr lt(Expr a, Expr b) {
        return Expr.bin(Prim2.LT, a, b);
    }

    public static Expr lt(Expr a, double b) {
        return lt(a, c(a, b));
    }

    public static Expr gt(Expr a, double b) {
        return Expr.bin(Prim2.GT, a, c(a, b));
    }

    /** {@code cond ? a : b}. */
    public static Expr select(Expr cond, Expr a, Expr b) {
        return new Expr.Select(cond, a, b);
    }

    public static Expr convert(DType to, Expr a) {
        return a.dtype() == to ? a : new Expr.Convert(to, a);
    }

    /** The integer type as wide as a float register type. */
    public static DType bitsType(DType floating) {
        return switch (floating) {
            case F32 -> DType.I32;
            case F64 -> DType.I64;
            case F16, BF16, I64, I32, I16, I8, U8, BOOL ->
                throw new IllegalArgumentException(floating + " has no bits type");
        };
    }

    /** The bits of a float as an integer. */
    public static Expr bits(Expr a) {
        return new Expr.Bits(bitsType(a.dtype()), a);
    }

    /** An integer's bits as the float of its width. */
    public static Expr unbits(Expr a) {
        return new Expr.Bits(a.dtype() == DType.I32 ? DType.F32 : DType.F64, a);
    }

    /** {@code magnitude} (not negative) with the sign of {@code sign}, zeros and NaN too. */
    public static Expr copySign(Expr magnitude, Expr sign) {
        Expr signs = bits(sign);
        Expr mask = Expr.Const.ofLong(signs.dtype(), signs.dtype() == DType.I32 ? Integer.MIN_VALUE : Long.MIN_VALUE);
        return unbits(or(bits(magnitude), and(signs, mask)));
    }

    /** {@code c[0] + c[1] x + c[2] x² + …} by Horner's scheme. */
    public static Expr polynomial(Expr x, double... c) {
        Expr r = c(x, c[c.length - 1]);
        for (int i = c.length - 2; i >= 0; i--) r = fma(r, x, c(x, c[i]));
        return r;
    }

    /**
     * Wraps {@code a} (a register value) to the memory type {@code to} where that is a narrow
     * integer. Floats stay as they are: f16 and bf16 round when stored.
     */
    public static Expr wrap(DType to, Expr a) {
        return to.isInt() && to.bytes() < 4 ? new Expr.Narrow(to, a) : a;
    }
}
