// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.constant;
import static io.sinter.Operators.number;
import static io.sinter.Operators.real;

import io.sinter.ir.DType;
import io.sinter.ir.op.Unary;

/** Functions of one element. Functions of real numbers convert integers and bool to f32. */
public sealed interface Pointwise permits Tensor {
    Tensor self();

    default Tensor exp() {
        return real(Unary.EXP, self());
    }

    default Tensor exp2() {
        return real(Unary.EXP2, self());
    }

    default Tensor expm1() {
        return real(Unary.EXPM1, self());
    }

    default Tensor log() {
        return real(Unary.LOG, self());
    }

    default Tensor log2() {
        return real(Unary.LOG2, self());
    }

    default Tensor log10() {
        return real(Unary.LOG10, self());
    }

    default Tensor log1p() {
        return real(Unary.LOG1P, self());
    }

    default Tensor sqrt() {
        return real(Unary.SQRT, self());
    }

    default Tensor rsqrt() {
        return real(Unary.RSQRT, self());
    }

    default Tensor reciprocal() {
        return real(Unary.RECIPROCAL, self());
    }

    default Tensor sin() {
        return real(Unary.SIN, self());
    }

    default Tensor cos() {
        return real(Unary.COS, self());
    }

    default Tensor tan() {
        return real(Unary.TAN, self());
    }

    default Tensor asin() {
        return real(Unary.ASIN, self());
    }

    default Tensor acos() {
        return real(Unary.ACOS, self());
    }

    default Tensor atan() {
        return real(Unary.ATAN, self());
    }

    default Tensor sinh() {
        return real(Unary.SINH, self());
    }

    default Tensor cosh() {
        return real(Unary.COSH, self());
    }

    default Tensor tanh() {
        return real(Unary.TANH, self());
    }

    default Tensor asinh() {
        return real(Unary.ASINH, self());
    }

    default Tensor acosh() {
        return real(Unary.ACOSH, self());
    }

    default Tensor atanh() {
        return real(Unary.ATANH, self());
    }

    default Tensor erf() {
        return real(Unary.ERF, self());
    }

    default Tensor erfc() {
        return real(Unary.ERFC, self());
    }

    default Tensor erfinv() {
        return real(Unary.ERFINV, self());
    }

    /** Logarithm of the absolute value of the gamma function. */
    default Tensor lgamma() {
        return real(Unary.LGAMMA, self());
    }

    default Tensor digamma() {
        return real(Unary.DIGAMMA, self());
    }

    default Tensor sigmoid() {
        return real(Unary.SIGMOID, self());
    }

    default Tensor relu() {
        return self().dtype().isFloat() ? Dispatch.emit(Unary.RELU, self()) : self().maximum(constant(self(), 0));
    }

    default Tensor floor() {
        return rounded(Unary.FLOOR);
    }

    default Tensor ceil() {
        return rounded(Unary.CEIL);
    }

    /** To the nearest integer, ties to even. */
    default Tensor round() {
        return rounded(Unary.ROUND);
    }

    default Tensor trunc() {
        return rounded(Unary.TRUNC);
    }

    private Tensor rounded(Unary op) {
        if (self().dtype().isFloat()) return Dispatch.emit(op, self());
        return self().dtype().isBool() ? self().mul(self()) : self().mul(1);
    }

    /** The fractional part, with the element's sign. */
    default Tensor frac() {
        return Trace.call(() -> self().sub(trunc()));
    }

    default Tensor isnan() {
        return real(Unary.ISNAN, self());
    }

    default Tensor isinf() {
        return real(Unary.ISINF, self());
    }

    default Tensor isfinite() {
        return real(Unary.ISFINITE, self());
    }

    /** {@code log(p / (1 - p))}. */
    default Tensor logit() {
        return Trace.call(() -> self().div(self().rsub(1)).log());
    }

    /** At least {@code min}, at most {@code max}. NaN stays NaN; if min > max the result is max. */
    default Tensor clamp(double min, double max) {
        return Trace.call(() -> clampMin(min).clampMax(max));
    }

    default Tensor clamp(Tensor min, Tensor max) {
        return Trace.call(() -> {
            Tensor x = self();
            if (min != null) x = x.maximum(min);
            return max == null ? x : x.minimum(max);
        });
    }

    default Tensor clampMin(double min) {
        return Clamp.apply(self(), number(self(), min), true);
    }

    default Tensor clampMax(double max) {
        return Clamp.apply(self(), number(self(), max), false);
    }

    /** Replaces NaN, positive and negative infinity. */
    default Tensor nanToNum(double nan, double posinf, double neginf) {
        return Trace.call(() -> {
            Tensor x = self();
            if (!x.dtype().isFloat()) return x.clone();
            Tensor y = x.isnan().where(number(x, nan), x);
            y = x.eq(constant(x, Double.POSITIVE_INFINITY)).where(number(x, posinf), y);
            return x.eq(constant(x, Double.NEGATIVE_INFINITY)).where(number(x, neginf), y);
        });
    }

    /**
     * As {@link #nanToNum(double, double, double)}: NaN to 0, infinities to the dtype's largest and smallest
     * numbers.
     */
    default Tensor nanToNum() {
        double max = Clamp.largest(self().dtype());
        return nanToNum(0, max, -max);
    }

    default Tensor deg2rad() {
        return self().mul(Math.PI / 180);
    }

    default Tensor rad2deg() {
        return self().mul(180 / Math.PI);
    }

    /** Elements where this bool tensor is true from {@code a}, else from {@code b}. */
    default Tensor where(Tensor a, Tensor b) {
        return Operators.where(self(), a, b);
    }

    default Tensor where(Tensor a, double b) {
        return Operators.where(self(), a, number(a, b));
    }

    default Tensor where(double a, Tensor b) {
        return Operators.where(self(), number(b, a), b);
    }

    /** Helpers of this family. */
    final class Clamp {
        private Clamp() {}

        /** The gradient flows to elements at the bound (unlike that of a tie of {@code maximum}). */
        static Tensor apply(Tensor x, Tensor bound, boolean lower) {
            return Trace.call(() -> {
                DType d = Promotion.of(x, bound);
                Tensor y = Operators.cast(x, d);
                Tensor b = Operators.cast(bound, d);
                return (lower ? y.lt(b) : y.gt(b)).where(b, y);
            });
        }

        static double largest(DType d) {
            return switch (d) {
                case F64 -> Double.MAX_VALUE;
                case F32 -> Float.MAX_VALUE;
                case F16 -> 65504;
                case BF16 -> 0x1.fep127;
                case I64, I32, I16, I8, U8, BOOL -> 0;
            };
        }
    }
}
