// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.binary;
import static io.sinter.Operators.number;
import static io.sinter.Operators.truth;

import io.sinter.ir.DType;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Unary;

/** Comparisons and logic: results are bool (bitwise operators keep integers). */
public sealed interface Comparison permits Tensor {
    Tensor self();

    /** Elementwise equality ({@code equals} is identity). */
    default Tensor eq(Tensor other) {
        return binary(Binary.EQ, self(), other);
    }

    default Tensor eq(double other) {
        return eq(number(self(), other));
    }

    default Tensor eq(long other) {
        return eq(number(self(), other));
    }

    default Tensor ne(Tensor other) {
        return binary(Binary.NE, self(), other);
    }

    default Tensor ne(double other) {
        return ne(number(self(), other));
    }

    default Tensor ne(long other) {
        return ne(number(self(), other));
    }

    default Tensor lt(Tensor other) {
        return binary(Binary.LT, self(), other);
    }

    default Tensor lt(double other) {
        return lt(number(self(), other));
    }

    default Tensor lt(long other) {
        return lt(number(self(), other));
    }

    default Tensor le(Tensor other) {
        return binary(Binary.LE, self(), other);
    }

    default Tensor le(double other) {
        return le(number(self(), other));
    }

    default Tensor le(long other) {
        return le(number(self(), other));
    }

    default Tensor gt(Tensor other) {
        return binary(Binary.GT, self(), other);
    }

    default Tensor gt(double other) {
        return gt(number(self(), other));
    }

    default Tensor gt(long other) {
        return gt(number(self(), other));
    }

    default Tensor ge(Tensor other) {
        return binary(Binary.GE, self(), other);
    }

    default Tensor ge(double other) {
        return ge(number(self(), other));
    }

    default Tensor ge(long other) {
        return ge(number(self(), other));
    }

    default Tensor logicalAnd(Tensor other) {
        return binary(Binary.AND, truth(self()), truth(other));
    }

    default Tensor logicalOr(Tensor other) {
        return binary(Binary.OR, truth(self()), truth(other));
    }

    default Tensor logicalXor(Tensor other) {
        return binary(Binary.XOR, truth(self()), truth(other));
    }

    default Tensor logicalNot() {
        return Dispatch.emit(Unary.NOT, truth(self()));
    }

    default Tensor bitwiseAnd(Tensor other) {
        return binary(Binary.AND, self(), other, whole("bitwiseAnd", other));
    }

    default Tensor bitwiseOr(Tensor other) {
        return binary(Binary.OR, self(), other, whole("bitwiseOr", other));
    }

    default Tensor bitwiseXor(Tensor other) {
        return binary(Binary.XOR, self(), other, whole("bitwiseXor", other));
    }

    default Tensor bitwiseNot() {
        whole("bitwiseNot", self());
        return Dispatch.emit(Unary.NOT, self());
    }

    default Tensor bitwiseLeftShift(Tensor other) {
        return binary(Binary.SHL, self(), other, whole("bitwiseLeftShift", other));
    }

    /** Arithmetic shift: the sign is kept. */
    default Tensor bitwiseRightShift(Tensor other) {
        return binary(Binary.SHR, self(), other, whole("bitwiseRightShift", other));
    }

    private DType whole(String name, Tensor other) {
        DType d = Promotion.of(self(), other);
        if (d.isFloat()) throw Errors.argument(name, self(), other, "needs integers or bool");
        return d;
    }

    /** {@code |self - other| <= atol + rtol * |other|}, elementwise; infinities of one sign are close. */
    default Tensor isclose(Tensor other, double rtol, double atol, boolean equalNan) {
        return Trace.call(() -> {
            if (Promotion.of(self(), other).isBool())
                return self().toLong().isclose(other.toLong(), rtol, atol, equalNan);
            Tensor a = self();
            Tensor close = a.eq(other);
            if (a.dtype().isFloat()) {
                Tensor within = a.sub(other)
                        .abs()
                        .le(other.abs().mul(rtol).add(atol))
                        .logicalAnd(other.isfinite())
                        .logicalAnd(a.isfinite());
                close = close.logicalOr(within);
                if (equalNan) close = close.logicalOr(a.isnan().logicalAnd(other.isnan()));
            } else {
                Tensor d = a.sub(other).abs().toFloat();
                close = close.logicalOr(d.le(other.abs().toFloat().mul(rtol).add(atol)));
            }
            return close;
        });
    }

    /** All elements are {@linkplain #isclose close}. Reads the result. */
    default boolean allclose(Tensor other, double rtol, double atol) {
        return isclose(other, rtol, atol, false).all().itemBoolean();
    }

    /** As {@link #allclose(Tensor, double, double)} with PyTorch's tolerances 1e-5 and 1e-8. */
    default boolean allclose(Tensor other) {
        return allclose(other, 1e-5, 1e-8);
    }

    /** Same shape and equal elements ({@code torch.equal}). Reads the result. */
    default boolean equal(Tensor other) {
        return self().type().shape().equals(other.type().shape())
                && eq(other).all().itemBoolean();
    }
}
