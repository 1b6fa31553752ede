// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.binary;
import static io.sinter.Operators.number;
import static io.sinter.Operators.real;

import io.sinter.ir.DType;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Unary;

/**
 * Binary arithmetic with PyTorch's broadcasting and type promotion. A Java number takes the tensor's dtype (a
 * floating-point number beside integers gives f32, a whole number beside bool i64) and is an argument of the
 * program: another number needs no new code.
 */
public sealed interface Arithmetic permits Tensor {
    Tensor self();

    default Tensor add(Tensor other) {
        DType d = Promotion.of(self(), other);
        return binary(d.isBool() ? Binary.OR : Binary.ADD, self(), other, d);
    }

    default Tensor add(double other) {
        return add(number(self(), other));
    }

    default Tensor add(long other) {
        return add(number(self(), other));
    }

    /** {@code self + alpha * other}; the factor of whole numbers is cut to a whole number. */
    default Tensor add(Tensor other, double alpha) {
        return Trace.call(() -> add(MatrixProducts.Sums.times(other, alpha)));
    }

    /** Difference; bool is an error, as in PyTorch (use {@code logicalXor}). */
    default Tensor sub(Tensor other) {
        DType d = Promotion.of(self(), other);
        if (d.isBool())
            throw Errors.argument(
                    "sub", self(), other, "bool tensors are not subtracted; use logicalXor or logicalNot");
        return binary(Binary.SUB, self(), other, d);
    }

    default Tensor sub(double other) {
        return sub(number(self(), other));
    }

    default Tensor sub(long other) {
        return sub(number(self(), other));
    }

    /** {@code self - alpha * other}; the factor of whole numbers is cut to a whole number. */
    default Tensor sub(Tensor other, double alpha) {
        return Trace.call(() -> sub(MatrixProducts.Sums.times(other, alpha)));
    }

    /** {@code other - self}. */
    default Tensor rsub(Tensor other) {
        return other.sub(self());
    }

    default Tensor rsub(double other) {
        return number(self(), other).sub(self());
    }

    default Tensor rsub(long other) {
        return number(self(), other).sub(self());
    }

    default Tensor mul(Tensor other) {
        DType d = Promotion.of(self(), other);
        return binary(d.isBool() ? Binary.AND : Binary.MUL, self(), other, d);
    }

    default Tensor mul(double other) {
        return mul(number(self(), other));
    }

    default Tensor mul(long other) {
        return mul(number(self(), other));
    }

    /** True division: integers give f32. */
    default Tensor div(Tensor other) {
        return real(Binary.DIV, self(), other);
    }

    default Tensor div(double other) {
        return div(number(self(), other));
    }

    default Tensor div(long other) {
        return div(number(self(), other));
    }

    /**
     * Division rounded as {@code roundingMode} says.
     *
     * @param roundingMode "floor", "trunc", or null for true division
     */
    default Tensor div(Tensor other, String roundingMode) {
        if (roundingMode == null) return div(other);
        return switch (roundingMode) {
            case "floor" -> floorDivide(other);
            case "trunc" ->
                Trace.call(() -> {
                    DType d = Promotion.of(self(), other);
                    Tensor q = binary(Binary.DIV, self(), other, d.isBool() ? DType.I64 : d);
                    return d.isFloat() ? q.trunc() : q;
                });
            default ->
                throw Errors.argument(
                        "div", self(), other, "unknown rounding mode '" + roundingMode + "'; known: floor, trunc");
        };
    }

    default Tensor floorDivide(Tensor other) {
        return binary(Binary.FLOORDIV, self(), other);
    }

    default Tensor floorDivide(double other) {
        return floorDivide(number(self(), other));
    }

    default Tensor floorDivide(long other) {
        return floorDivide(number(self(), other));
    }

    /** Python's modulus: the result has the divisor's sign. */
    default Tensor remainder(Tensor other) {
        return binary(Binary.REMAINDER, self(), other);
    }

    default Tensor remainder(double other) {
        return remainder(number(self(), other));
    }

    default Tensor remainder(long other) {
        return remainder(number(self(), other));
    }

    /** C's modulus: the result has the dividend's sign. */
    default Tensor fmod(Tensor other) {
        return binary(Binary.FMOD, self(), other);
    }

    default Tensor fmod(double other) {
        return fmod(number(self(), other));
    }

    default Tensor fmod(long other) {
        return fmod(number(self(), other));
    }

    default Tensor pow(Tensor exponent) {
        DType d = Promotion.of(self(), exponent);
        return binary(Binary.POW, self(), exponent, d.isBool() ? DType.I64 : d);
    }

    /** A power; small whole exponents and ±0.5 are computed by multiplication and square roots. */
    default Tensor pow(double exponent) {
        Tensor x = self();
        if (x.dtype().isFloat()) {
            if (exponent == 0.5) return x.sqrt();
            if (exponent == -0.5) return x.rsqrt();
            if (exponent == Math.rint(exponent) && Math.abs(exponent) <= 4) return pow((long) exponent);
        }
        return pow(number(x, exponent));
    }

    default Tensor pow(long exponent) {
        Tensor x = self();
        if (x.dtype().isBool()) return cast(DType.I64).pow(exponent);
        if (x.dtype().isInt() && exponent < 0)
            throw Errors.argument("pow", x, "integers to negative powers are not integers; cast to f32 first");
        return switch ((int) Math.max(-5, Math.min(5, exponent))) {
            case 0 -> x.onesLike();
            case 1 -> x.mul(1);
            case 2 -> x.mul(x);
            case 3 -> Trace.call(() -> x.mul(x).mul(x));
            case 4 ->
                Trace.call(() -> {
                    Tensor s = x.mul(x);
                    return s.mul(s);
                });
            case -1 -> x.reciprocal();
            case -2, -3, -4 -> Trace.call(() -> x.pow(-exponent).reciprocal());
            default -> pow(number(x, exponent));
        };
    }

    private Tensor cast(DType d) {
        return Operators.cast(self(), d);
    }

    /** Angle of the point ({@code other}, {@code self}). */
    default Tensor atan2(Tensor other) {
        return real(Binary.ATAN2, self(), other);
    }

    /** Elementwise greater; NaN wins. */
    default Tensor maximum(Tensor other) {
        DType d = Promotion.of(self(), other);
        return binary(d.isBool() ? Binary.OR : Binary.MAX, self(), other, d);
    }

    /** Elementwise less; NaN wins. */
    default Tensor minimum(Tensor other) {
        DType d = Promotion.of(self(), other);
        return binary(d.isBool() ? Binary.AND : Binary.MIN, self(), other, d);
    }

    default Tensor neg() {
        if (self().dtype().isBool())
            throw Errors.argument("neg", self(), "bool tensors are not negated; use logicalNot");
        return Dispatch.emit(Unary.NEG, self());
    }

    default Tensor abs() {
        return self().dtype().isBool() ? self().mul(self()) : Dispatch.emit(Unary.ABS, self());
    }

    default Tensor sign() {
        return self().dtype().isBool() ? self().mul(self()) : Dispatch.emit(Unary.SIGN, self());
    }

    default Tensor square() {
        return pow(2);
    }

    /** {@code self + value * a * b}. */
    default Tensor addcmul(Tensor a, Tensor b, double value) {
        return Trace.call(() -> add(value == 1 ? a.mul(b) : MatrixProducts.Sums.times(a.mul(b), value)));
    }

    /** {@code self + value * a / b}. */
    default Tensor addcdiv(Tensor a, Tensor b, double value) {
        return Trace.call(() -> add(value == 1 ? a.div(b) : a.div(b).mul(value)));
    }

    /** Linear interpolation: {@code self + weight * (end - self)}. */
    default Tensor lerp(Tensor end, double weight) {
        return Trace.call(() -> add(end.sub(self()).mul(weight)));
    }

    default Tensor lerp(Tensor end, Tensor weight) {
        return Trace.call(() -> add(end.sub(self()).mul(weight)));
    }
}
