// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;

import io.sinter.ir.DType;
import java.util.function.UnaryOperator;

/**
 * Special functions of {@link F} ({@code torch.special}). They are computed in f64 and rounded once to the
 * operand's dtype (f32 for integers).
 */
abstract sealed class Specials extends Unpooling permits F {
    /** Points of the rule for Bessel functions; enough for 1e-9 up to |x| = 400. */
    private static final int POINTS = 64;
    /** Terms that are summed before the Euler–Maclaurin formula takes over. */
    private static final int DIRECT = 10;
    /** Bernoulli numbers B2, B4, … */
    private static final double[] BERNOULLI = {
        1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510, 43867.0 / 798
    };

    Specials() {}

    /** {@code f} in f64. */
    private static Tensor wide(Tensor x, UnaryOperator<Tensor> f) {
        DType d = Promotion.toFloat(x.dtype());
        return Trace.call(() -> cast(f.apply(x.toDouble()), d));
    }

    /** The normal distribution function Φ. */
    public static Tensor ndtr(Tensor x) {
        return wide(x, y -> y.mul(constant(y, -Math.sqrt(0.5))).erfc().mul(constant(y, 0.5)));
    }

    /** The inverse of {@link #ndtr}. */
    public static Tensor ndtri(Tensor p) {
        return wide(p, y -> y.mul(constant(y, 2)).sub(constant(y, 1)).erfinv().mul(constant(y, Math.sqrt(2))));
    }

    /** {@code log(ndtr(x))}, without underflow. */
    public static Tensor logNdtr(Tensor x) {
        return wide(x, y -> {
            // Below -1: log(erfcx(-x / sqrt 2) / 2) - x² / 2.
            Tensor t = y.mul(constant(y, Math.sqrt(0.5)));
            Tensor far = y.lt(-1);
            Tensor tail = erfcxOf(far.where(t.neg(), constant(t, 1)))
                    .mul(constant(t, 0.5))
                    .log()
                    .sub(t.mul(t));
            Tensor near = far.where(constant(t, 0), t)
                    .neg()
                    .erfc()
                    .mul(constant(t, -0.5))
                    .log1p();
            Tensor middle = far.where(constant(t, 0), t)
                    .neg()
                    .erfc()
                    .mul(constant(t, 0.5))
                    .log();
            return far.where(tail, y.lt(1).where(middle, upper(t, near)));
        });
    }

    /** log(1 - Φ(-x)) for x above 1: log1p(-erfc(t) / 2). */
    private static Tensor upper(Tensor t, Tensor like) {
        Tensor safe = t.lt(0).where(constant(t, 0), t);
        return safe.erfc().mul(constant(like, -0.5)).log1p();
    }

    /** {@code exp(x²) erfc(x)}, without overflow for positive x. */
    public static Tensor erfcx(Tensor x) {
        return wide(x, Specials::erfcxOf);
    }

    private static Tensor erfcxOf(Tensor y) {
        // Above 5, Laplace's continued fraction, from the inside; below, the definition.
        Tensor large = y.gt(5);
        Tensor z = large.where(y, constant(y, 5));
        Tensor f = z;
        for (int k = 40; k >= 1; k--) f = z.add(f.reciprocal().mul(constant(f, k / 2.0)));
        Tensor tail = f.reciprocal().mul(constant(f, 1 / Math.sqrt(Math.PI)));
        Tensor s = large.where(constant(y, 0), y);
        return large.where(tail, s.mul(s).exp().mul(s.erfc()));
    }

    /** {@code -x log(x)}: 0 at 0, -∞ below. */
    public static Tensor entr(Tensor x) {
        return wide(x, y -> {
            Tensor inside = y.gt(0);
            Tensor z = inside.where(y, constant(y, 1));
            Tensor value = z.log().mul(z).neg();
            Tensor outside = y.eq(0).where(constant(y, 0), constant(y, Double.NEGATIVE_INFINITY));
            return inside.logicalOr(y.isnan()).where(y.isnan().where(y, value), outside);
        });
    }

    /** {@code x log(1 + y)}, 0 where x is 0. */
    public static Tensor xlog1py(Tensor x, Tensor y) {
        return Blending.Blend.real(x, y, (a, b) -> Blending.Blend.timesLog(a, b, b.add(constant(b, 1)), Tensor::log1p));
    }

    /** Modified Bessel function of the first kind, order 0. */
    public static Tensor i0(Tensor x) {
        return wide(x, y -> bessel(y, 0).mul(y.abs().exp()));
    }

    /** {@code exp(-|x|) i0(x)}. */
    public static Tensor i0e(Tensor x) {
        return wide(x, y -> bessel(y, 0));
    }

    /** Modified Bessel function of the first kind, order 1. */
    public static Tensor i1(Tensor x) {
        return wide(x, y -> bessel(y, 1).mul(y.abs().exp()));
    }

    /** {@code exp(-|x|) i1(x)}. */
    public static Tensor i1e(Tensor x) {
        return wide(x, y -> bessel(y, 1));
    }

    /**
     * {@code exp(-|x|) Iₙ(x)} = mean over θ in [0, 2π) of exp(x cos θ - |x|) cos nθ, which equally spaced
     * points give to exponential accuracy.
     */
    private static Tensor bessel(Tensor y, int order) {
        double[] cosine = new double[POINTS + 1];
        double[] weight = new double[POINTS + 1];
        for (int i = 0; i <= POINTS; i++) {
            double angle = Math.PI * i / POINTS;
            cosine[i] = Math.cos(angle);
            weight[i] = Math.cos(order * angle) * (i == 0 || i == POINTS ? 0.5 : 1) / POINTS;
        }
        Tensor x = y.unsqueeze(-1);
        return x.mul(Tensor.from(cosine))
                .sub(x.abs())
                .exp()
                .mul(Tensor.from(weight))
                .sum(-1);
    }

    /**
     * Hurwitz's zeta function: the sum of {@code (q + k)^-s} over k ≥ 0, for s > 1 and q > 0; NaN elsewhere.
     */
    public static Tensor zeta(Tensor s, Tensor q) {
        return Blending.Blend.wide(s, q, (a, b) -> {
            Tensor good = a.gt(1).logicalAnd(b.gt(0));
            Tensor one = constant(a, 1);
            Tensor value = eulerMaclaurin(good.where(a, constant(a, 2)), good.where(b, one));
            Tensor pole = a.eq(1).logicalOr(a.gt(1).logicalAnd(b.le(0)).logicalAnd(b.eq(b.floor())));
            return good.where(value, pole.where(constant(a, Double.POSITIVE_INFINITY), constant(a, Double.NaN)));
        });
    }

    private static Tensor eulerMaclaurin(Tensor s, Tensor q) {
        Tensor sum = q.pow(s.neg());
        for (int k = 1; k < DIRECT; k++) sum = sum.add(q.add(constant(q, k)).pow(s.neg()));
        Tensor w = q.add(constant(q, DIRECT));
        Tensor power = w.pow(s.neg());
        sum = sum.add(power.mul(w).div(s.sub(constant(s, 1)))).add(power.mul(constant(power, 0.5)));
        Tensor square = w.mul(w).reciprocal();
        // B2j / (2j)! · s (s + 1) … (s + 2j - 2) · w^(-s - 2j + 1)
        Tensor factor = s.mul(power).div(w);
        double factorial = 2;
        for (int j = 1; j <= BERNOULLI.length; j++) {
            sum = sum.add(factor.mul(constant(factor, BERNOULLI[j - 1] / factorial)));
            if (j == BERNOULLI.length) break;
            factor = factor.mul(s.add(constant(s, 2 * j - 1)))
                    .mul(s.add(constant(s, 2 * j)))
                    .mul(square);
            factorial *= (2 * j + 1) * (2 * j + 2);
        }
        return sum;
    }

    /** The n-th derivative of the digamma function. */
    public static Tensor polygamma(int n, Tensor x) {
        if (n < 0) throw Errors.argument("polygamma", x, "order " + n);
        if (n == 0) return x.digamma();
        return wide(x, y -> {
            // ψn(1 - x) + (-1)^(n+1) ψn(x) = (-1)^n π dⁿ/dxⁿ cot(πx) leads from x < 1/2 to 1 - x.
            Tensor left = y.lt(0.5);
            Tensor q = left.where(y.rsub(1), y);
            double factorial = 1;
            for (int k = 2; k <= n; k++) factorial *= k;
            Tensor right = eulerMaclaurin(constant(q, n + 1), q).mul(constant(q, n % 2 == 1 ? factorial : -factorial));
            // The fraction from the nearest integer keeps the cotangent exact far from 0.
            Tensor fraction = left.where(y.sub(y.round().detach()), constant(y, 0.25));
            Tensor reflected = cotangentDerivative(n, fraction);
            // ψn(x) = (-1)^n ψn(1 - x) - dⁿ/dxⁿ π cot(πx)
            return left.where((n % 2 == 1 ? right.neg() : right).sub(reflected), right);
        });
    }

    /** The n-th derivative of π cot(πx), a polynomial in c = cot(πx) because of c' = -π (1 + c²). */
    private static Tensor cotangentDerivative(int n, Tensor x) {
        double[] p = {0, Math.PI};
        for (int k = 0; k < n; k++) {
            double[] next = new double[p.length + 1];
            for (int i = 1; i < p.length; i++) {
                next[i - 1] -= Math.PI * i * p[i];
                next[i + 1] -= Math.PI * i * p[i];
            }
            p = next;
        }
        Tensor c = x.mul(constant(x, Math.PI)).tan().reciprocal();
        Tensor r = constant(x, p[p.length - 1]);
        for (int i = p.length - 2; i >= 0; i--) r = r.mul(c).add(constant(x, p[i]));
        return r;
    }

    /**
     * Logarithm of the multivariate gamma function of dimension p: {@code p (p - 1) / 4 · log π + Σ lgamma(x
     * - i / 2)}, i < p.
     */
    public static Tensor mvlgamma(Tensor x, int p) {
        if (p < 1) throw Errors.argument("mvlgamma", x, "dimension " + p);
        return Trace.call(() -> {
            Tensor y = cast(x, Promotion.toFloat(x.dtype()));
            Tensor sum = constant(y, p * (p - 1) / 4.0 * Math.log(Math.PI));
            for (int i = 0; i < p; i++) sum = sum.add((i == 0 ? y : y.sub(constant(y, i / 2.0))).lgamma());
            return sum;
        });
    }
}
