// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.and;
import static io.sinter.ir.loop.Exprs.bits;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.convert;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.fma;
import static io.sinter.ir.loop.Exprs.gt;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.neg;
import static io.sinter.ir.loop.Exprs.or;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sub;
import static io.sinter.ir.loop.Exprs.unbits;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;

/**
 * Sine, cosine and tangent. The multiple of π/2 is taken off in three pieces of π/2; from large angles with as many bits of 2/π as their
 * exponent asks for (Payne and Hanek, 1983).
 */
final class AngleCode {
    private AngleCode() {}

    /**
     * An angle within π/4 of 0.
     *
     * @param quadrant how many right angles were taken off; its two low bits count
     */
    private record Reduced(Expr quadrant, Expr r) {}

    static Expr of(Prim1 op, Expr x) {
        boolean single = MathCode.isSingle(x);
        double limit = single ? 48000 : 0x1p20;
        Expr large = gt(abs(x), limit);
        Reduced near = small(select(large, c(x, 0), x));
        Reduced far = large(select(large, convert(DType.F64, x), Expr.Const.of(DType.F64, limit)));
        // In f32 the far angle is rounded once more.
        Expr r = select(large, convert(x.dtype(), far.r), near.r);
        Expr quadrant = select(large, convert(near.quadrant.dtype(), far.quadrant), near.quadrant);
        Expr y = atQuadrant(op, quadrant, r);
        // Small angles are their own sine and tangent, -0 included.
        if (op != Prim1.COS) y = select(lt(abs(x), single ? 0x1p-13 : 0x1p-27), x, y);
        return select(Expr.bin(Prim2.LT, abs(x), c(x, Double.POSITIVE_INFINITY)), y, c(x, Double.NaN));
    }

    private static Reduced small(Expr x) {
        boolean single = MathCode.isSingle(x);
        double shifter = single ? 0x1.8p23 : 0x1.8p52;
        Expr t = fma(x, c(x, 2 / Math.PI), c(x, shifter));
        Expr n = neg(sub(t, c(x, shifter)));
        double high = single ? (float) (Math.PI / 2) : Math.PI / 2;
        double middle = single ? (float) (Math.PI / 2 - high) : 6.123233995736766e-17;
        double low = single ? (float) (6.123233995736766e-17 + (Math.PI / 2 - high - middle)) : -1.4973849048591833e-33;
        Expr r = fma(n, c(x, low), fma(n, c(x, middle), fma(n, c(x, high), x)));
        return new Reduced(bits(t), r);
    }

    private static Expr atQuadrant(Prim1 op, Expr quadrant, Expr r) {
        Expr z = mul(r, r);
        Expr sine = fma(mul(z, r), polynomial(z, sineSeries(MathCode.isSingle(r) ? 4 : 8)), r);
        // 1 - z/2 first, whose rounding error is known.
        Expr half = mul(z, 0.5);
        Expr w = sub(c(r, 1), half);
        Expr lost = sub(sub(c(r, 1), w), half);
        Expr rest = mul(mul(z, z), polynomial(z, cosineSeries(MathCode.isSingle(r) ? 4 : 8)));
        Expr cosine = add(w, add(lost, rest));
        Expr one = MathCode.integer(quadrant, 1);
        Expr odd = Expr.bin(Prim2.NE, and(quadrant, one), MathCode.integer(quadrant, 0));
        int top = MathCode.isSingle(r) ? 31 : 63;
        if (op == Prim1.TAN) {
            Expr ratio = div(select(odd, cosine, sine), select(odd, sine, cosine));
            return flip(ratio, Expr.bin(Prim2.SHL, quadrant, MathCode.integer(quadrant, top)));
        }
        Expr value = op == Prim1.SIN ? select(odd, cosine, sine) : select(odd, sine, cosine);
        Expr turns = op == Prim1.SIN ? quadrant : add(quadrant, one);
        Expr sign = Expr.bin(Prim2.SHL, Expr.bin(Prim2.SHR, turns, one), MathCode.integer(quadrant, top));
        return flip(value, sign);
    }

    private static Expr flip(Expr v, Expr sign) {
        return unbits(Expr.bin(Prim2.XOR, bits(v), sign));
    }

    /** (sin r - r) / r³ in r². */
    private static double[] sineSeries(int terms) {
        double[] t = new double[terms];
        double f = 1;
        for (int k = 0; k < terms; k++) {
            f *= (2 * k + 2) * (2 * k + 3);
            t[k] = (k % 2 == 0 ? -1 : 1) / f;
        }
        return t;
    }

    /** (cos r - 1 + r²/2) / r⁴ in r². */
    private static double[] cosineSeries(int terms) {
        double[] t = new double[terms];
        double f = 2;
        for (int k = 0; k < terms; k++) {
            f *= (2 * k + 3) * (2 * k + 4);
            t[k] = (k % 2 == 0 ? 1 : -1) / f;
        }
        return t;
    }

    // ---- large angles

    /** 2/π in words of 32 bits: word k holds the bits of weight 2^-(32k+1) to 2^-(32k+32). */
    private static final long[] TWO_OVER_PI = twoOverPi(40);

    private static long[] twoOverPi(int words) {
        MathContext mc = new MathContext(words * 10 + 20);
        // Machin: π = 16 atan(1/5) - 4 atan(1/239).
        BigDecimal pi = atanInverse(5, mc)
                .multiply(BigDecimal.valueOf(16))
                .subtract(atanInverse(239, mc).multiply(BigDecimal.valueOf(4)));
        BigInteger scaled = BigDecimal.valueOf(2)
                .divide(pi, mc)
                .multiply(new BigDecimal(BigInteger.TWO.pow(32 * words)))
                .toBigInteger();
        long[] w = new long[words];
        for (int k = 0; k < words; k++)
            w[k] = scaled.shiftRight(32 * (words - 1 - k)).longValue() & 0xffffffffL;
        return w;
    }

    private static BigDecimal atanInverse(int n, MathContext mc) {
        BigDecimal sum = BigDecimal.ZERO;
        BigDecimal power = BigDecimal.ONE.divide(BigDecimal.valueOf(n), mc);
        BigDecimal square = BigDecimal.valueOf((long) n * n);
        BigDecimal least = BigDecimal.ONE.scaleByPowerOfTen(-mc.getPrecision() - 2);
        for (int k = 0; power.compareTo(least) > 0; k++) {
            BigDecimal term = power.divide(BigDecimal.valueOf(2L * k + 1), mc);
            sum = k % 2 == 0 ? sum.add(term) : sum.subtract(term);
            power = power.divide(square, mc);
        }
        return sum;
    }

    /**
     * x 2/π mod 4 for x = m 2^e: of the product of m with the seven words of 2/π at the right place, whose last bits are below 2^-130. For |x| ≥ 2^15.
     */
    private static Reduced large(Expr x) {
        Expr b = bits(x);
        Expr exponent = and(Expr.bin(Prim2.USHR, b, i64(52)), i64(0x7ff));
        // x = m 2^e with a whole m of 53 bits.
        Expr e = sub(exponent, i64(1075));
        Expr m = or(and(b, i64(0xfffffffffffffL)), i64(0x10000000000000L));
        // Words of 2/π whose products with x are multiples of 4 do not count: the first that counts leaves 2^rest with
        // rest in [2, 34), or less
        // where no word is left out.
        Expr first = Expr.bin(Prim2.SHR, Expr.bin(Prim2.MAX, sub(e, i64(2)), i64(0)), i64(5));
        Expr rest = sub(e, Expr.bin(Prim2.SHL, first, i64(5)));
        Expr[] words = new Expr[7];
        for (int k = 0; k < words.length; k++) words[k] = word(first, k);
        Expr low = and(m, i64(0xffffffffL));
        Expr high = Expr.bin(Prim2.USHR, m, i64(32));
        // Product of (high, low) and the words, least significant first, in digits of 32 bits.
        int n = words.length;
        Expr[] digit = new Expr[n + 2];
        Expr carry = i64(0);
        for (int k = 0; k < n + 2; k++) {
            // Digit k counts from the least: words[n-1-k] low + words[n-k] high.
            Expr p = k < n ? mul(words[n - 1 - k], low) : i64(0);
            Expr q = k >= 1 && k <= n ? mul(words[n - k], high) : i64(0);
            Expr lowHalf = add(add(lo(p), lo(q)), carry);
            digit[k] = lo(lowHalf);
            carry = add(add(hi(p), hi(q)), Expr.bin(Prim2.USHR, lowHalf, i64(32)));
        }
        // The product is Σ digit[k] 2^(32 (k - n) + rest). Shifted by rest + 62, in [25, 96), the bit of weight 2 is
        // the highest of the 256 that are kept.
        Expr[] word = new Expr[4];
        for (int k = 0; k < 4; k++) word[k] = or(Expr.bin(Prim2.SHL, digit[n + 1 - 2 * k], i64(32)), digit[n - 2 * k]);
        Expr s = add(rest, i64(62));
        Expr a = shiftLeft(word[0], word[1], word[2], s);
        Expr f2 = shiftLeft(word[1], word[2], word[3], s);
        Expr quadrant = Expr.bin(Prim2.USHR, a, i64(62));
        // The fraction in [0, 1): bits below the two; rounded to the nearest quadrant: above a half, the negative rest.
        Expr fraction = or(Expr.bin(Prim2.SHL, a, i64(2)), Expr.bin(Prim2.USHR, f2, i64(62)));
        Expr below = Expr.bin(Prim2.SHL, f2, i64(2));
        Expr up = lt(fraction, i64(0));
        Expr q = add(quadrant, select(up, i64(1), i64(0)));
        // |fraction| as 128 bits, the complement where it was rounded up.
        Expr fh = select(up, Expr.un(Prim1.NOT, fraction), fraction);
        Expr fl = select(up, Expr.un(Prim1.NOT, below), below);
        // The first conversion rounds to 53 bits; the bits it lost are added again where leading zeros leave them.
        Expr exact = sub(fh, convert(DType.I64, convert(DType.F64, fh)));
        Expr lost = mul(convert(DType.F64, exact), 0x1p-64);
        Expr tail = add(lost, mul(convert(DType.F64, Expr.bin(Prim2.USHR, fl, i64(1))), 0x1p-127));
        Expr head = mul(convert(DType.F64, fh), 0x1p-64);
        Expr halfPi = Expr.Const.of(DType.F64, Math.PI / 2);
        Expr product = mul(head, halfPi);
        Expr error = fma(head, halfPi, neg(product));
        Expr r = add(product, fma(head, Expr.Const.of(DType.F64, 6.123233995736766e-17), fma(tail, halfPi, error)));
        r = select(up, neg(r), r);
        // sin(-x) = -sin x: of a negative x the angle and the quadrant are turned round.
        Expr negative = lt(x, 0);
        return new Reduced(select(negative, neg(q), q), select(negative, neg(r), r));
    }

    /** The high word of (a:b:c) << s for s in (0, 128). */
    private static Expr shiftLeft(Expr a, Expr b, Expr c, Expr s) {
        Expr few = or(Expr.bin(Prim2.SHL, a, s), Expr.bin(Prim2.USHR, b, sub(i64(64), s)));
        Expr many = or(Expr.bin(Prim2.SHL, b, sub(s, i64(64))), Expr.bin(Prim2.USHR, c, sub(i64(128), s)));
        return select(lt(s, i64(64)), few, many);
    }

    private static Expr i64(long v) {
        return Expr.Const.ofLong(DType.I64, v);
    }

    private static Expr lo(Expr a) {
        return and(a, i64(0xffffffffL));
    }

    private static Expr hi(Expr a) {
        return Expr.bin(Prim2.USHR, a, i64(32));
    }

    /** Word {@code first + k} of 2/π, by halving the table. */
    private static Expr word(Expr first, int k) {
        return word(first, k, 0, 34);
    }

    private static Expr word(Expr first, int k, int from, int to) {
        if (to - from == 1) return i64(from + k < TWO_OVER_PI.length ? TWO_OVER_PI[from + k] : 0);
        int middle = (from + to) / 2;
        return select(Expr.bin(Prim2.LT, first, i64(middle)), word(first, k, from, middle), word(first, k, middle, to));
    }
}
