// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.and;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.eq;
import static io.sinter.ir.loop.Exprs.fma;
import static io.sinter.ir.loop.Exprs.gt;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.max;
import static io.sinter.ir.loop.Exprs.min;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.neg;
import static io.sinter.ir.loop.Exprs.or;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sub;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;

/** C's pow in f64: exp(y log |x|) with the logarithm and the product in pairs of numbers (Dekker 1971, with fused multiply-adds). */
final class PowerCode {
    private PowerCode() {}

    /** The unevaluated sum of two numbers, the second below the first's last place. */
    private record Pair(Expr high, Expr low) {}

    private static Pair quickSum(Expr a, Expr b) {
        Expr s = add(a, b);
        return new Pair(s, sub(b, sub(s, a)));
    }

    private static Pair sum(Expr a, Expr b) {
        Expr s = add(a, b);
        Expr t = sub(s, a);
        return new Pair(s, add(sub(a, sub(s, t)), sub(b, t)));
    }

    private static Pair product(Expr a, Expr b) {
        Expr p = mul(a, b);
        return new Pair(p, fma(a, b, neg(p)));
    }

    private static Pair plus(Pair a, Pair b) {
        Pair s = sum(a.high, b.high);
        return quickSum(s.high, add(s.low, add(a.low, b.low)));
    }

    private static Pair times(Pair a, Pair b) {
        Pair p = product(a.high, b.high);
        return quickSum(p.high, add(p.low, fma(a.high, b.low, mul(a.low, b.high))));
    }

    private static Pair constant(Expr like, double high, double low) {
        return new Pair(c(like, high), c(like, low));
    }

    /** log of a positive number, to about 100 bits. */
    private static Pair log(Expr x) {
        LogarithmCode.Parts p = LogarithmCode.split(x);
        Expr f = sub(p.m(), c(x, 1)); // exact
        // s = f / (2 + f)
        Pair d = sum(c(x, 2), f);
        Expr q = div(f, d.high);
        Expr r = fma(neg(q), d.high, f);
        r = fma(neg(q), d.low, r);
        Pair s = quickSum(q, div(r, d.high));
        Pair z = times(s, s);
        // 2 artanh s = 2s + s z (2/3 + z (2/5 + …)): the first terms in pairs, the rest is small.
        double[] t = LogarithmCode.series(16);
        double[] rest = java.util.Arrays.copyOfRange(t, 3, t.length);
        Expr tail = polynomial(z.high, rest);
        Pair w = plus(constant(x, 2.0 / 7, 1.5860328923216521e-17), product(tail, z.high));
        w = plus(constant(x, 2.0 / 5, -2.2204460492503132e-17), times(w, z));
        w = plus(constant(x, 2.0 / 3, 3.7007434154171886e-17), times(w, z));
        w = times(times(w, z), s);
        Pair m = plus(new Pair(mul(s.high, 2), mul(s.low, 2)), w);
        Pair e = times(new Pair(p.e(), c(x, 0)), constant(x, Math.log(2), 2.3190468138462996e-17));
        return plus(e, m);
    }

    static Expr pow(Expr x, Expr y) {
        Expr a = abs(x);
        Pair l = log(a);
        // Beyond this every result is 0, 1 or infinite, and no product of the pairs is infinite before it.
        Expr exponent = max(min(y, c(y, 1e20)), c(y, -1e20));
        Pair p = times(l, new Pair(exponent, c(y, 0)));
        // exp(h + l) = exp(h) (1 + l)
        Expr e = ExponentialCode.exp(p.high);
        Expr finite = lt(e, Double.POSITIVE_INFINITY);
        Expr r = select(finite, fma(e, p.low, e), e);

        Expr zero = c(x, 0);
        Expr one = c(x, 1);
        Expr inf = c(x, Double.POSITIVE_INFINITY);
        Expr whole = eq(Expr.un(Prim1.TRUNC, y), y);
        Expr half = mul(y, 0.5);
        Expr odd = and(and(whole, lt(abs(y), 0x1p53)), Expr.bin(Prim2.NE, Expr.un(Prim1.TRUNC, half), half));
        Expr negative = lt(x, 0);
        // |x| = 0 or infinite: 0 or infinity by the sign of y.
        Expr extreme = or(eq(a, zero), eq(a, inf));
        Expr toInfinity = Expr.bin(Prim2.EQ, eq(a, zero), lt(y, 0));
        r = select(extreme, select(toInfinity, inf, zero), r);
        // y infinite: by |x| against 1.
        Expr yInfinite = eq(abs(y), inf);
        Expr grows = Expr.bin(Prim2.EQ, gt(a, 1), gt(y, 0));
        r = select(yInfinite, select(eq(a, one), one, select(grows, inf, zero)), r);
        Expr signed = select(and(odd, or(negative, lt(div(1, x), 0))), neg(r), r);
        Expr noReal = and(and(negative, Expr.bin(Prim2.NE, a, inf)), Expr.un(Prim1.NOT, or(whole, yInfinite)));
        signed = select(noReal, c(x, Double.NaN), signed);
        signed = select(or(MathCode.isNan(x), MathCode.isNan(y)), c(x, Double.NaN), signed);
        return select(or(eq(y, zero), eq(x, one)), one, signed);
    }
}
