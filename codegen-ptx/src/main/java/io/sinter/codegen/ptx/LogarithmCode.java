// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.bits;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.convert;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.eq;
import static io.sinter.ir.loop.Exprs.fma;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.or;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sub;
import static io.sinter.ir.loop.Exprs.unbits;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim2;

/** Logarithms: x = 2^e m with m in [√½, √2), and the series of the inverse hyperbolic tangent of s = f / (2 + f), f = m - 1. */
final class LogarithmCode {
    private LogarithmCode() {}

    /**
     * A positive number taken apart.
     *
     * @param e the exponent as a float
     */
    record Parts(Expr e, Expr m) {}

    static Parts split(Expr x) {
        boolean single = MathCode.isSingle(x);
        int mantissa = single ? 23 : 52;
        // Subnormals are scaled up first.
        Expr tiny = lt(x, single ? Float.MIN_NORMAL : Double.MIN_NORMAL);
        Expr b = bits(select(tiny, mul(x, Math.scalb(1.0, mantissa + 2)), x));
        long root = single ? Float.floatToRawIntBits((float) Math.sqrt(.5)) : Double.doubleToRawLongBits(Math.sqrt(.5));
        Expr e = Expr.bin(Prim2.SHR, sub(b, MathCode.integer(b, root)), MathCode.integer(b, mantissa));
        Expr m = unbits(sub(b, Expr.bin(Prim2.SHL, e, MathCode.integer(e, mantissa))));
        DType f = x.dtype();
        return new Parts(sub(convert(f, e), select(tiny, c(x, mantissa + 2), c(x, 0))), m);
    }

    /** 2/3, 2/5, 2/7, …: the series of 2 artanh(s) / s - 2 in s², without its first factor s². */
    static double[] series(int terms) {
        double[] t = new double[terms];
        for (int k = 0; k < terms; k++) t[k] = 2.0 / (2 * k + 3);
        return t;
    }

    /** log m = f - (f²/2 - s (f²/2 + R(s²))). */
    static Expr log(Expr x) {
        boolean single = MathCode.isSingle(x);
        Parts p = split(x);
        Expr f = sub(p.m, c(x, 1));
        Expr s = div(f, add(f, 2));
        Expr z = mul(s, s);
        Expr tail = mul(z, polynomial(z, series(single ? 4 : 11)));
        Expr h = mul(mul(f, f), 0.5);
        // ln 2 in two pieces, the large one exact in products with e.
        double high = single ? 0.693359375 : 0x1.62e42feep-1;
        double low = single ? -2.12194440054690583e-4 : 0x1.a39ef35793c76p-33;
        Expr small = fma(p.e, c(x, low), mul(s, add(h, tail)));
        Expr y = fma(p.e, c(x, high), sub(f, sub(h, small)));
        return edges(x, y);
    }

    /** What a logarithm is at 0, below it, at infinity and at NaN. */
    private static Expr edges(Expr x, Expr y) {
        Expr atZero = select(eq(x, c(x, 0)), c(x, Double.NEGATIVE_INFINITY), y);
        Expr real = select(lt(x, 0), c(x, Double.NaN), atZero);
        Expr passes = or(eq(x, c(x, Double.POSITIVE_INFINITY)), MathCode.isNan(x));
        return select(passes, x, real);
    }

    /** log(1 + x) = log(u) + (x - (u - 1)) / u for u = 1 + x rounded: what rounding lost comes back to first order. */
    static Expr log1p(Expr x) {
        Expr u = add(x, 1);
        Expr l = log(u);
        Expr lost = sub(x, sub(u, c(x, 1)));
        Expr plain = or(eq(u, c(x, 0)), eq(u, c(x, Double.POSITIVE_INFINITY)));
        Expr y = select(plain, l, add(l, div(lost, u)));
        double small = MathCode.isSingle(x) ? 0x1p-25 : 0x1p-54;
        return select(lt(abs(x), small), x, y);
    }
}
