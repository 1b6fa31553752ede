// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.copySign;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.eq;
import static io.sinter.ir.loop.Exprs.fma;
import static io.sinter.ir.loop.Exprs.gt;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.min;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.neg;
import static io.sinter.ir.loop.Exprs.polynomial;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sqrt;
import static io.sinter.ir.loop.Exprs.sub;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.op.Unary;
import java.util.List;

/** The error function and its inverse. */
final class ErrorCode {
    private static final double TWO_OVER_SQRT_PI = 1.1283791670955125739;

    private ErrorCode() {}

    /** x (1 + Q(x²)) up to 1; beyond, 1 - exp(-a²) R(a) for a = |x|: fitted by weighted least squares, errors 1.2e-9 and 1.4e-8. */
    static Expr erfSingle(Expr x) {
        Expr a = abs(x);
        Expr z = mul(a, a);
        Expr near = fma(a, polynomial(z, NEAR), a);
        // 1 in f32 from 3.84 on.
        Expr b = min(a, c(x, 4));
        Expr e = Expr.un(Prim1.EXP, neg(mul(b, b)));
        Expr far = sub(c(x, 1), mul(e, polynomial(b, FAR)));
        return select(MathCode.isNan(x), x, copySign(select(gt(a, 1), far, near), x));
    }

    private static final double[] NEAR = {
        0.12837916591375131,
        -0.3761262713596566,
        0.11283600176256267,
        -0.02685444459186847,
        0.005189535339262319,
        -0.0008020841279018279,
        7.88911952913189e-05
    };

    private static final double[] FAR = {
        0.9861271619507681,
        -1.048210183266616,
        0.7925939921147769,
        -0.43167882632074406,
        0.164133196521075,
        -0.040998016823629885,
        0.006005097852412879,
        -0.0003888819264159947
    };

    /** Taylor's series up to 1, beyond it 1 - erfc. */
    static Expr erf(Expr x) {
        Expr a = abs(x);
        Expr b = min(a, c(x, 1));
        Expr z = mul(b, b);
        double[] t = new double[20];
        double f = 1;
        for (int k = 0; k < t.length; k++) {
            f *= k + 1;
            t[k] = (k % 2 == 0 ? -1 : 1) * TWO_OVER_SQRT_PI / (f * (2 * k + 3));
        }
        // 2/√π = 1 + 0.128…: x itself is exact.
        Expr near = add(b, mul(b, fma(z, polynomial(z, t), c(x, TWO_OVER_SQRT_PI - 1))));
        Expr far = sub(c(x, 1), erfc(a));
        return select(MathCode.isNan(x), x, copySign(select(gt(a, 1), far, near), x));
    }

    private static Expr erfc(Expr x) {
        return new MathCode().expr(Unary.ERFC.scalar(List.of(x), DType.F64, DType.F64));
    }

    /** Winitzki's approximation (2008), then Halley's steps on erf, or on erfc in the tails. */
    static Expr erfinv(Expr y) {
        Expr a = abs(y);
        Expr bounded = min(a, c(y, Math.nextDown(1.0)));
        Expr l = LogarithmCode.log1p(neg(mul(bounded, bounded)));
        Expr t = add(mul(l, 0.5), 2 / (Math.PI * 0.147));
        Expr x = sqrt(sub(sqrt(sub(mul(t, t), mul(l, 1 / 0.147))), t));
        for (int i = 0; i < 3; i++) {
            Expr error = select(lt(bounded, 0.5), sub(erf(x), bounded), sub(sub(c(y, 1), bounded), erfc(x)));
            Expr step = div(error, mul(ExponentialCode.expMinusSquare(x), TWO_OVER_SQRT_PI));
            x = sub(x, div(step, fma(x, step, c(y, 1))));
        }
        Expr small = select(lt(a, 1e-8), mul(a, Math.sqrt(Math.PI) / 2), x);
        Expr edge = select(eq(a, c(y, 1)), c(y, Double.POSITIVE_INFINITY), small);
        return select(gt(a, 1), c(y, Double.NaN), select(MathCode.isNan(y), y, copySign(edge, y)));
    }
}
