// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.bits;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.copySign;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.eq;
import static io.sinter.ir.loop.Exprs.fma;
import static io.sinter.ir.loop.Exprs.gt;
import static io.sinter.ir.loop.Exprs.max;
import static io.sinter.ir.loop.Exprs.min;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sub;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim2;

/** Exponentials: x = n ln 2 + r with |r| ≤ ln(2)/2, and Taylor's series for e^r. */
final class ExponentialCode {
    private ExponentialCode() {}

    /**
     * @param n an integer of the width of the argument
     * @param em e^r - 1
     */
    private record Reduced(Expr n, Expr em) {}

    /** The shifter leaves n in the low bits of the sum. */
    private static Reduced reduce(Expr x) {
        boolean single = MathCode.isSingle(x);
        double shifter = single ? 0x1.8p23 : 0x1.8p52;
        Expr t = fma(x, c(x, 1 / Math.log(2)), c(x, shifter));
        Expr n = sub(bits(t), bits(c(x, shifter)));
        Expr nf = sub(t, c(x, shifter));
        // ln 2 in two pieces; the first has few enough bits that n times it is exact.
        double high = single ? 0.693359375 : 0x1.62e42feep-1;
        double low = single ? -2.12194440054690583e-4 : 0x1.a39ef35793c76p-33;
        Expr r = fma(nf, c(x, -low), fma(nf, c(x, -high), x));
        Expr tail = polynomial(r, taylor(single ? 7 : 13));
        return new Reduced(n, fma(mul(r, r), tail, r));
    }

    /** (e^r - 1 - r) / r² up to r^degree. */
    private static double[] taylor(int degree) {
        double[] t = new double[degree - 1];
        double factorial = 1;
        for (int k = 2; k <= degree; k++) t[k - 2] = 1 / (factorial *= k);
        return t;
    }

    /** Of f64: 2^n in two factors, each a normal number: together they reach into the subnormals and to infinity. */
    static Expr exp(Expr x) {
        Expr bounded = max(min(x, c(x, 710)), c(x, -746));
        Reduced q = reduce(bounded);
        Expr half = Expr.bin(Prim2.SHR, q.n, MathCode.integer(q.n, 1));
        Expr e = mul(mul(add(q.em, 1), MathCode.powerOf2(half)), MathCode.powerOf2(sub(q.n, half)));
        return select(MathCode.isNan(x), x, e);
    }

    /** e^x - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)): one rounding in the sum, no overflow before the result's. */
    static Expr expm1(Expr x) {
        boolean single = MathCode.isSingle(x);
        Expr bounded = max(min(x, c(x, single ? 89 : 710)), c(x, single ? -30 : -60));
        Reduced q = reduce(bounded);
        Expr scale = MathCode.powerOf2(sub(q.n, MathCode.integer(q.n, 1)));
        Expr y = mul(fma(scale, q.em, sub(scale, c(x, 0.5))), 2);
        return select(Expr.bin(Prim2.OR, eq(x, c(x, 0)), MathCode.isNan(x)), x, y);
    }

    /** (e^2a - 1) / (e^2a + 1) for a = |x|, with x's sign. */
    static Expr tanh(Expr x) {
        Expr a = abs(x);
        // 1 from 9.02 on in f32, from 19.1 on in f64.
        Expr twice = min(add(a, a), c(x, 40));
        Reduced q = reduce(twice);
        Expr scale = MathCode.powerOf2(q.n);
        Expr m = fma(scale, q.em, sub(scale, c(x, 1)));
        Expr y = copySign(div(m, add(m, 2)), x);
        return select(MathCode.isNan(x), x, y);
    }

    /** (m + m / (m + 1)) / 2 for m = e^a - 1; from 709 on from e^(a/2), whose square may be too large. */
    static Expr sinh(Expr x) {
        Expr a = abs(x);
        Expr large = gt(a, 709);
        Expr m = expm1(select(large, mul(a, 0.5), a));
        Expr small = mul(add(m, div(m, add(m, 1))), 0.5);
        Expr root = add(m, 1);
        return copySign(select(large, mul(mul(root, 0.5), root), small), x);
    }

    static Expr cosh(Expr x) {
        Expr a = abs(x);
        Expr large = gt(a, 709);
        Expr e = exp(select(large, mul(a, 0.5), a));
        return select(large, mul(mul(e, 0.5), e), mul(add(e, div(1, e)), 0.5));
    }

    /** exp(-a²), what rounding the square lost made good. */
    static Expr expMinusSquare(Expr a) {
        Expr square = mul(a, a);
        Expr rest = fma(a, a, sub(c(a, 0), square));
        Expr e = exp(sub(c(a, 0), square));
        return fma(sub(c(a, 0), e), rest, e);
    }
}
