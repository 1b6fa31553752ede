// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.and;
import static io.sinter.ir.loop.Exprs.bits;
import static io.sinter.ir.loop.Exprs.bitsType;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.convert;
import static io.sinter.ir.loop.Exprs.copySign;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.eq;
import static io.sinter.ir.loop.Exprs.exp;
import static io.sinter.ir.loop.Exprs.fma;
import static io.sinter.ir.loop.Exprs.gt;
import static io.sinter.ir.loop.Exprs.log;
import static io.sinter.ir.loop.Exprs.log1p;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.max;
import static io.sinter.ir.loop.Exprs.min;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.neg;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sqrt;
import static io.sinter.ir.loop.Exprs.sub;
import static io.sinter.ir.loop.Exprs.unbits;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;

/**
 * Scalar code of the unary functions that are not primitives, for f32 and f64. Each has one
 * expensive primitive at most (two in one loop can cost a JIT its registers), is accurate in both
 * tails, and needs no branch: values that a formula cannot take are replaced before it.
 */
final class UnaryCode {
    private static final double LN2 = Math.log(2);

    private UnaryCode() {}

    /** -1, 0, 1; NaN gives 0. */
    static Expr sign(Expr x) {
        return select(gt(x, 0), c(x, 1), select(lt(x, 0), c(x, -1), c(x, 0)));
    }

    /** exp(-|x|) never overflows: sigmoid = (x < 0 ? e : 1) / (1 + e). */
    static Expr sigmoid(Expr x) {
        Expr e = exp(neg(abs(x)));
        return div(select(lt(x, 0), e, c(x, 1)), add(e, 1));
    }

    /**
     * 2^x = 2^n · exp(f ln 2) with n = rint(x), |f| ≤ 1/2; 2^n in two factors, so that it reaches
     * the subnormals.
     */
    static Expr exp2(Expr x) {
        boolean single = x.dtype() == DType.F32;
        double limit = single ? 250 : 2040;
        Expr t = max(min(x, c(x, limit)), c(x, -limit));
        Expr n = Expr.un(Prim1.RINT, t);
        Expr k = convert(bitsType(x.dtype()), n);
        Expr k1 = Expr.bin(Prim2.SHR, k, integer(k, 1));
        Expr k2 = sub(k, k1);
        return mul(mul(exp(mul(sub(t, n), LN2)), powerOf2(k1)), powerOf2(k2));
    }

    /** 2^k for k within the normal range. */
    private static Expr powerOf2(Expr k) {
        boolean single = k.dtype() == DType.I32;
        return unbits(Expr.bin(Prim2.SHL, add(k, integer(k, single ? 127 : 1023)), integer(k, single ? 23 : 52)));
    }

    private static Expr integer(Expr like, long v) {
        return Expr.Const.ofLong(like.dtype(), v);
    }

    static Expr log10(Expr x) {
        return mul(log(x), 1 / Math.log(10));
    }

    static Expr isInfinite(Expr x) {
        return eq(abs(x), c(x, Double.POSITIVE_INFINITY));
    }

    static Expr isFinite(Expr x) {
        return lt(abs(x), Double.POSITIVE_INFINITY);
    }

    /** log2(m · 2^e) = e + log(m) / ln 2 with m in [√½, √2): exact at powers of two. */
    static Expr log2(Expr x) {
        boolean single = x.dtype() == DType.F32;
        double smallestNormal = single ? Float.MIN_NORMAL : Double.MIN_NORMAL;
        int mantissa = single ? 23 : 52;
        Expr regular = and(gt(x, 0), lt(x, Double.POSITIVE_INFINITY));
        Expr tiny = lt(x, smallestNormal);
        Expr scaled = bits(select(tiny, mul(x, Math.scalb(1.0, mantissa + 2)), x));
        long root = single ? Float.floatToRawIntBits((float) Math.sqrt(.5)) : Double.doubleToRawLongBits(Math.sqrt(.5));
        Expr e = Expr.bin(Prim2.SHR, sub(scaled, integer(scaled, root)), integer(scaled, mantissa));
        Expr m = unbits(sub(scaled, Expr.bin(Prim2.SHL, e, integer(e, mantissa))));
        Expr exponent = add(convert(x.dtype(), e), select(tiny, c(x, -(mantissa + 2)), c(x, 0)));
        return fma(log(select(regular, m, x)), c(x, 1 / LN2), select(regular, exponent, c(x, 0)));
    }

    /**
     * sign(x) · log1p(a + a²/(1 + √(a²+1))), a = |x|; beyond 2^30 log(2a), where the square would
     * overflow.
     */
    static Expr asinh(Expr x) {
        Expr a = abs(x);
        Expr square = mul(a, a);
        Expr big = gt(a, 0x1p30);
        Expr inner = add(a, div(square, add(sqrt(add(square, 1)), 1)));
        return copySign(add(log1p(select(big, a, inner)), select(big, c(x, LN2), c(x, 0))), x);
    }

    /** log1p(t + √(t(t+2))), t = x - 1; beyond 2^30 log(2x); NaN below 1. */
    static Expr acosh(Expr x) {
        Expr big = gt(x, 0x1p30);
        Expr t = select(lt(x, 1), c(x, Double.NaN), sub(x, c(x, 1)));
        Expr inner = add(t, sqrt(mul(t, add(t, 2))));
        return add(log1p(select(big, x, inner)), select(big, c(x, LN2), c(x, 0)));
    }

    /** ½ log1p(2a / (1-a)), a = |x|, with x's sign. */
    static Expr atanh(Expr x) {
        Expr a = abs(x);
        return copySign(mul(log1p(div(add(a, a), sub(c(x, 1), a))), 0.5), x);
    }

    /**
     * exp(-a²) · t · Q(2t-1), a = |x|, t = 2/(2+a): relatively accurate to the last tail. Q is the
     * Chebyshev interpolant of exp(a²) erfc(a) / t on [0, ∞), truncated at a relative error of
     * 1.2e-8 (f32) and 1.4e-16 (f64).
     */
    static Expr erfc(Expr x) {
        boolean single = x.dtype() == DType.F32;
        Expr a = min(abs(x), c(x, single ? 12 : 30)); // where the result is 0, and no square overflows
        Expr t = div(2, add(a, 2));
        Expr q = polynomial(sub(add(t, t), c(x, 1)), single ? ERFC_F32 : ERFC_F64);
        Expr square = mul(a, a);
        Expr rest = fma(a, a, neg(square)); // what rounding the square lost
        Expr e = exp(neg(square));
        Expr tail = mul(mul(fma(neg(e), rest, e), t), q);
        return select(lt(x, 0), sub(c(x, 2), tail), tail);
    }

    private static final double[] ERFC_F32 = {
        0.5107913569,
        0.3435803187,
        0.1397357335,
        0.01822166943,
        -0.01075162619,
        -0.003243451918,
        0.001529157161,
        0.0004306704884,
        -0.0002993827121,
        -3.660187694e-5,
        4.21611972e-5
    };
    private static final double[] ERFC_F64 = {
        0.51079135262101152502,
        0.3435803422069051367,
        0.13973604627801475144,
        0.018221115753459039907,
        -0.010755330944036531378,
        -0.0032395925345820674644,
        0.0015453060141013286867,
        0.00041864804327911113001,
        -0.00033153657669014612407,
        -0.000017185831874889751496,
        0.000072234188295048068032,
        -0.000017073781133818914395,
        -0.00001084298532996441017,
        8.0578758671473404027e-6,
        -5.7764236115114267533e-7,
        -1.8150355080541665643e-6,
        1.0305699215291105379e-6,
        -1.3754508233185945131e-8,
        -3.2624609352966720074e-7,
        1.7867229479168534543e-7,
        3.6000845292079934437e-8,
        -6.9658429434091383088e-8,
        6.5204346144015395798e-9,
        1.3216325517632648636e-8,
        -1.9111737286078939413e-9,
        -1.0590333143571798631e-9
    };

    /**
     * The derivative of digamma, composed of operators: eight steps of ψ'(z) = 1/z² + ψ'(z+1), then
     * the asymptotic series (Abramowitz and Stegun 6.4.12); below ½ by reflection, ψ'(x) =
     * π²/sin²(πx) - ψ'(1-x). About 1e-13 relative.
     */
    static Val trigamma(Val x) {
        Val reflect = x.is(Binary.LT, 0.5);
        Val z = reflect.then(x.from(1), x);
        Val sum = z.square().under(1);
        for (int k = 1; k < 8; k++) sum = sum.plus(z.plus(k).square().under(1));
        Val r = z.plus(8).under(1);
        Val r2 = r.square();
        // B(2k) for k = 1 … 6
        double[] b = {1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730};
        Val series = r2.times(b[b.length - 1]);
        for (int k = b.length - 2; k >= 0; k--) series = series.plus(b[k]).times(r2);
        Val up = sum.plus(r.times(series.plus(r.times(.5)).plus(1)));
        Val s = x.times(Math.PI).apply(Unary.SIN);
        return reflect.then(s.square().under(Math.PI * Math.PI).minus(up), up);
    }
}
