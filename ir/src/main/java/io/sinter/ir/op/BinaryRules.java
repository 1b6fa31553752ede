// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static io.sinter.ir.loop.Exprs.add;
import static io.sinter.ir.loop.Exprs.and;
import static io.sinter.ir.loop.Exprs.c;
import static io.sinter.ir.loop.Exprs.copySign;
import static io.sinter.ir.loop.Exprs.div;
import static io.sinter.ir.loop.Exprs.eq;
import static io.sinter.ir.loop.Exprs.gt;
import static io.sinter.ir.loop.Exprs.lt;
import static io.sinter.ir.loop.Exprs.ne;
import static io.sinter.ir.loop.Exprs.select;
import static io.sinter.ir.loop.Exprs.sub;

import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;

/**
 * Derivatives, reference functions and scalar code of {@link Binary} that need more than one line.
 */
final class BinaryRules {
    private BinaryRules() {}

    /** One derivative times the incoming gradient. */
    interface Rule {
        Val apply(Call c);
    }

    /** By the first and by the second operand. */
    record Derivatives(Rule byA, Rule byB) {}

    /** Operands, incoming gradient, and the result where a rule asks for it. */
    static final class Call {
        final Val a;
        final Val b;
        final Val g;
        private final java.util.function.Supplier<Val> result;

        private Call(Val a, Val b, Val g, java.util.function.Supplier<Val> result) {
            this.a = a;
            this.b = b;
            this.g = g;
            this.result = result;
        }

        static <V> Call of(GradCall<V> c) {
            Emitter<V> e = c.e();
            return new Call(Val.of(e, c.in(0)), Val.of(e, c.in(1)), Val.of(e, c.grad()), () -> Val.of(e, c.out(0)));
        }

        Val y() {
            return result.get();
        }

        /** a² + b². */
        Val norm2() {
            return a.square().plus(b.square());
        }

        /** Zero where {@code x beats y}, half of g at ties, else g (so NaN passes g to both). */
        Val unless(Binary beats, Val x, Val y) {
            Val share = x.is(Binary.EQ, y).then(g.times(.5), g);
            return x.is(beats, y).thenZeroElse(share);
        }
    }

    /** b · a^(b-1), and 0 where b = 0 (also at a = 0, where the formula has 0 · ∞). */
    static Val powByBase(Call c) {
        return c.b.is(Binary.EQ, 0).thenZeroElse(c.g.times(c.b.times(c.a.pow(c.b.minus(1)))));
    }

    /** a^b · log a, and 0 where a = 0 and b ≥ 0. */
    static Val powByExponent(Call c) {
        Val flat = c.a.is(Binary.EQ, 0).apply(Binary.AND, c.b.is(Binary.GE, 0));
        return flat.thenZeroElse(c.g.times(c.y().times(c.a.apply(Unary.LOG))));
    }

    /** C's pow, which differs from Java's at bases 1 and -1. */
    static double pow(double a, double b) {
        if (a == 1 || (a == -1 && Double.isInfinite(b))) return 1;
        return Math.pow(a, b);
    }

    static long pow(long a, long b) {
        if (b < 0) return a == 1 ? 1 : a == -1 ? ((b & 1) == 0 ? 1 : -1) : 0;
        long r = 1;
        for (long k = b; k != 0; k >>= 1) {
            if ((k & 1) != 0) r *= a;
            a *= a;
        }
        return r;
    }

    static double remainder(double a, double b) {
        double r = a % b;
        return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }

    static long floorMod(long a, long b) {
        return b == 0 ? 0 : Math.floorMod(a, b);
    }

    static long floorDiv(long a, long b) {
        return b == 0 ? 0 : Math.floorDiv(a, b);
    }

    static long shl(long a, long b) {
        return b < 0 || b > 63 ? 0 : a << b;
    }

    static long shr(long a, long b) {
        return a >> (b < 0 || b > 63 ? 63 : b);
    }

    static Expr remainder(Expr a, Expr b) {
        Expr r = Expr.bin(Prim2.REM, a, b);
        return select(otherSign(r, b), add(r, b), r);
    }

    /** r ≠ 0 and r and b have different signs. */
    private static Expr otherSign(Expr r, Expr b) {
        return and(ne(r, c(r, 0)), Expr.bin(Prim2.XOR, lt(r, 0), lt(b, 0)));
    }

    /**
     * Through the exact remainder, as Python and PyTorch: rounding down the rounded quotient would
     * turn 1 // 0.1 into 10. The quotient is an integer but for rounding.
     */
    static double floorDiv(double a, double b) {
        if (b == 0) return a / b;
        double r = a % b;
        double quotient = (a - r) / b;
        if (r != 0 && (r < 0) != (b < 0)) quotient -= 1;
        if (quotient == 0) return Math.copySign(0, a / b);
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    static Expr floorDiv(Expr a, Expr b) {
        Expr r = Expr.bin(Prim2.REM, a, b);
        boolean real = a.dtype().isFloat();
        Expr truncated = div(real ? sub(a, r) : a, b);
        Expr quotient = select(otherSign(r, b), sub(truncated, c(a, 1)), truncated);
        if (!real) return quotient;
        Expr floor = Expr.un(Prim1.FLOOR, quotient);
        Expr near = select(gt(sub(quotient, floor), 0.5), add(floor, 1), floor);
        Expr plain = div(a, b);
        Expr signed = select(eq(quotient, c(a, 0)), copySign(c(a, 0), plain), near);
        return select(eq(b, c(b, 0)), plain, signed);
    }
}
