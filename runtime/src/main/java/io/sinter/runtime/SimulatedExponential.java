// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import static io.sinter.ir.loop.Exprs.abs;
import static io.sinter.ir.loop.Exprs.bits;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.convert;
import static io.sinter.ir.loop.Exprs.fma;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.max;
import static io.sinter.ir.loop.Exprs.min;
import static io.sinter.ir.loop.Exprs.mul;
import static io.sinter.ir.loop.Exprs.neg;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sub;
import static io.sinter.ir.loop.Exprs.unbits;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Rewriter;

/**
 * e^x of f32 as emitted kernels have it on the simulator, whose hardware's 2^r is rounded to the nearest float and to 0 where it is subnormal: other code for what
 * the PTX generator writes, to the bit.
 */
final class SimulatedExponential extends Rewriter {
    private static final double LOG2_E = 1 / Math.log(2);
    private static final int SPAN = 253;
    private static final float SHIFTER = 0x1.8p23f;

    @Override
    protected Expr replacement(Expr e) {
        return e instanceof Expr.Un u && u.op() == Prim1.EXP && u.dtype() == DType.F32 ? exp(expr(u.a())) : null;
    }

    private static Expr exp(Expr x) {
        float high = (float) LOG2_E;
        Expr all = fma(x, c(x, (float) (LOG2_E / SPAN)), c(x, 126f / SPAN));
        Expr share = select(Expr.un(Prim1.ISNAN, all), c(x, 0), min(max(all, c(x, 0)), c(x, 1)));
        Expr shifted = fma(share, c(x, SPAN), c(x, SHIFTER + 1));
        Expr n = sub(shifted, c(x, SHIFTER + 127));
        Expr r = fma(x, c(x, (float) (LOG2_E - high)), fma(x, c(x, high), neg(n)));
        Expr wide = convert(DType.F64, r);
        Expr rounded = convert(DType.F32, Expr.bin(Prim2.POW, c(wide, 2), wide));
        Expr fraction = select(lt(abs(rounded), Float.MIN_NORMAL), c(x, 0), rounded);
        Expr number = bits(shifted);
        Expr power = unbits(Expr.bin(Prim2.SHL, number, Expr.Const.ofLong(number.dtype(), 23)));
        return mul(fraction, power);
    }
}
