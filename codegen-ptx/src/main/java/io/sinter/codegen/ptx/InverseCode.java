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
import static io.sinter.ir.loop.Exprs.max;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.or;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sqrt;
import static io.sinter.ir.loop.Exprs.sub;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim2;

/** Inverse trigonometric functions in f64. */
final class InverseCode {
    /** π/2 and what its rounding lost. */
    private static final double HALF_PI = Math.PI / 2;

    private static final double HALF_PI_LOW = 6.123233995736766e-17;

    private InverseCode() {}

    /** atan x = π/4 + atan((x - 1) / (x + 1)) above tan π/8, π/2 - atan(1/x) above its inverse; then Gregory's series. */
    static Expr atan(Expr x) {
        return select(MathCode.isNan(x), x, copySign(ofRatio(abs(x), c(x, 1)), x));
    }

    /** atan(n / d) of numbers that are not negative, not both 0, and not both infinite. */
    private static Expr ofRatio(Expr n, Expr d) {
        double eighth = Math.sqrt(2) - 1;
        Expr low = Expr.bin(Prim2.LE, n, mul(d, eighth));
        Expr high = Expr.bin(Prim2.GE, mul(n, eighth), d);
        Expr middleNumerator = sub(n, d);
        Expr middleDenominator = add(n, d);
        Expr t = div(
                select(low, n, select(high, sub(c(n, 0), d), middleNumerator)),
                select(low, d, select(high, n, middleDenominator)));
        Expr z = mul(t, t);
        double[] series = new double[22];
        for (int k = 0; k < series.length; k++) series[k] = (k % 2 == 0 ? -1.0 : 1.0) / (2 * k + 3);
        Expr rest = mul(mul(t, z), polynomial(z, series));
        Expr base = select(low, c(n, 0), select(high, c(n, HALF_PI), c(n, HALF_PI / 2)));
        Expr baseLow = select(low, c(n, 0), select(high, c(n, HALF_PI_LOW), c(n, HALF_PI_LOW / 2)));
        return add(base, add(t, add(rest, baseLow)));
    }

    /** atan(x / √(1 - x²)). */
    static Expr asin(Expr x) {
        Expr a = abs(x);
        Expr root = sqrt(mul(sub(c(x, 1), a), add(a, 1)));
        Expr y = copySign(ofRatio(a, root), x);
        return select(Expr.bin(Prim2.LE, a, c(x, 1)), y, c(x, Double.NaN));
    }

    /** 2 atan(√((1 - x) / (1 + x))). */
    static Expr acos(Expr x) {
        Expr t = sqrt(div(sub(c(x, 1), x), add(x, 1)));
        Expr atMinusOne = eq(x, c(x, -1));
        Expr y = mul(ofRatio(select(atMinusOne, c(x, 1), t), select(atMinusOne, c(x, 0), c(x, 1))), 2);
        return select(Expr.bin(Prim2.LE, abs(x), c(x, 1)), y, c(x, Double.NaN));
    }

    /** C's atan2(y, x): the angle of the point (x, y). */
    static Expr atan2(Expr y, Expr x) {
        Expr a = abs(y);
        Expr b = abs(x);
        Expr bothInfinite = and(MathCode.isInfinite(y), MathCode.isInfinite(x));
        // Scaled, so that the quotient's operands neither overflow in a sum nor are subnormal.
        Expr largest = max(a, b);
        Expr scale =
                select(gt(largest, 0x1p500), c(x, 0x1p-600), select(lt(largest, 0x1p-400), c(x, 0x1p600), c(x, 1)));
        Expr n = select(bothInfinite, c(x, 1), mul(a, scale));
        Expr d = select(bothInfinite, c(x, 1), mul(b, scale));
        Expr origin = and(eq(y, c(y, 0)), eq(x, c(x, 0)));
        Expr angle = select(origin, c(x, 0), ofRatio(n, select(origin, c(x, 1), d)));
        // Left of the axis, -0 included: π minus it.
        Expr left = lt(copySign(c(x, 1), x), 0);
        Expr turned = add(sub(c(x, Math.PI), angle), c(x, 2 * HALF_PI_LOW));
        Expr r = copySign(select(left, turned, angle), y);
        return select(or(MathCode.isNan(x), MathCode.isNan(y)), c(x, Double.NaN), r);
    }
}
