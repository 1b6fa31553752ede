// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.and;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.copySign;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.eq;
import static io.sinter.ir.loop.Exprs.gt;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.neg;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sub;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;

/** The logarithm of the gamma function and its derivative in f64 (Abramowitz and Stegun, chapter 6). */
final class GammaCode {
    private static final double EULER_GAMMA = 0.57721566490153286061;

    /** B(2k) / (2k (2k-1)): Stirling's series, 6.1.40. */
    private static final double[] STIRLING = {
        1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156, -3617.0 / 122400
    };

    /** B(2k) / 2k: the digamma function's asymptotic series, 6.3.18. */
    private static final double[] DIGAMMA = {
        1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12, -3617.0 / 8160
    };

    /** (-1)^k (ζ(k) - 1) / k for k = 2, 3, …: log Γ(2 + z) about 2, 6.1.33. */
    private static final double[] NEAR_2 = near2();

    private GammaCode() {}

    private static double[] near2() {
        double[] t = new double[32];
        for (int i = 0; i < t.length; i++) {
            int k = i + 2;
            // ζ(k) - 1 by its first terms and the Euler–Maclaurin tail; powers by products, the same on every machine.
            int n = 40;
            double r = 1.0 / n;
            double p = power(r, k);
            double tail = n * p / (k - 1)
                    + 0.5 * p
                    + k / 12.0 * p * r
                    - k * (k + 1.0) * (k + 2.0) / 720 * p * r * r * r
                    + k * (k + 1.0) * (k + 2.0) * (k + 3.0) * (k + 4.0) / 30240 * p * r * r * r * r * r;
            for (int j = n - 1; j >= 2; j--) tail += 1 / power(j, k);
            t[i] = (k % 2 == 0 ? tail : -tail) / k;
        }
        return t;
    }

    private static double power(double x, int k) {
        double p = 1;
        for (int i = 0; i < k; i++) p *= x;
        return p;
    }

    /** log |Γ(x)|: about 2 near the zeros 1 and 2, Stirling's series after shifting up, reflection below 0. */
    static Expr lgamma(Expr x) {
        Expr reflect = Expr.bin(Prim2.LE, x, c(x, 0));
        Expr y = select(reflect, sub(c(x, 1), x), x);
        // Near the zeros: log Γ(2+z) with z = y - 2, y - 1 or y, less the logarithms of what was taken off.
        Expr under1 = lt(y, 0.5);
        Expr under2 = lt(y, 1.5);
        Expr under3 = lt(y, 2.5);
        Expr z = select(under1, y, select(under2, sub(y, c(x, 1)), select(under3, sub(y, c(x, 2)), c(x, 0))));
        Expr near = mul(z, add(mul(z, polynomial(z, NEAR_2)), 1 - EULER_GAMMA));
        near = sub(near, select(under2, LogarithmCode.log1p(z), c(x, 0)));
        near = sub(near, select(under1, LogarithmCode.log(y), c(x, 0)));
        // Stirling: shifted up to 15.
        Expr up = y;
        Expr product = c(x, 1);
        for (int i = 0; i < 13; i++) {
            Expr low = lt(up, 15);
            product = select(low, mul(product, up), product);
            up = select(low, add(up, 1), up);
        }
        Expr r = div(1, up);
        Expr tail = mul(r, polynomial(mul(r, r), STIRLING));
        Expr far = sub(
                add(add(sub(mul(sub(up, c(x, 0.5)), LogarithmCode.log(up)), up), 0.5 * 1.8378770664093454836), tail),
                LogarithmCode.log(product));
        Expr l = select(under3, near, far);
        // log(π / |sin πx|) - log Γ(1 - x)
        Expr fraction = sub(x, Expr.un(Prim1.RINT, x));
        Expr sine = abs(AngleCode.of(Prim1.SIN, mul(fraction, Math.PI)));
        Expr reflected = sub(LogarithmCode.log(div(Math.PI, sine)), l);
        Expr pole = and(reflect, eq(fraction, c(x, 0)));
        Expr value = select(pole, c(x, Double.POSITIVE_INFINITY), select(reflect, reflected, l));
        Expr infinite = select(MathCode.isInfinite(x), c(x, Double.POSITIVE_INFINITY), value);
        return select(MathCode.isNan(x), x, infinite);
    }

    /** The asymptotic series after shifting up to 12; reflection below 0; PyTorch's values at 0 and at negative integers. */
    static Expr digamma(Expr x) {
        Expr reflect = lt(x, 0);
        Expr y = select(reflect, sub(c(x, 1), x), x);
        Expr up = y;
        Expr shift = c(x, 0);
        for (int i = 0; i < 12; i++) {
            Expr low = lt(up, 12);
            shift = select(low, add(shift, div(1, up)), shift);
            up = select(low, add(up, 1), up);
        }
        Expr r = div(1, up);
        Expr z = mul(r, r);
        Expr series = mul(z, polynomial(z, DIGAMMA));
        Expr d = sub(sub(sub(LogarithmCode.log(up), mul(r, 0.5)), series), shift);
        Expr fraction = sub(x, Expr.un(Prim1.RINT, x));
        Expr angle = mul(fraction, Math.PI);
        Expr reflected = sub(d, div(Math.PI, AngleCode.of(Prim1.TAN, angle)));
        Expr pole = and(reflect, eq(fraction, c(x, 0)));
        Expr value = select(pole, c(x, Double.NaN), select(reflect, reflected, d));
        value = select(eq(x, c(x, 0)), copySign(c(x, Double.POSITIVE_INFINITY), neg(x)), value);
        Expr infinite = and(MathCode.isInfinite(x), gt(x, 0));
        value = select(infinite, x, value);
        return select(MathCode.isNan(x), x, value);
    }
}
