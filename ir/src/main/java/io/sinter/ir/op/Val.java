// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Shape;
import io.sinter.ir.Type;

/**
 * A value together with its emitter, so that a derivative reads as algebra: {@code (g, y) ->
 * g.times(y)}. Not generic in what a value is, because a lambda cannot be: {@link #of} and {@link
 * #get} are the only places where the type is lost and found.
 */
record Val(Emitter<Object> e, Object value) {
    @SuppressWarnings("unchecked")
    static <V> Val of(Emitter<V> e, V value) {
        return new Val((Emitter<Object>) e, value);
    }

    @SuppressWarnings("unchecked")
    <V> V get() {
        return (V) value;
    }

    private Val with(Object v) {
        return new Val(e, v);
    }

    Type type() {
        return e.type(value);
    }

    Val apply(Unary op) {
        return with(e.unary(op, value));
    }

    Val apply(Binary op, Val b) {
        return with(e.binary(op, value, b.value));
    }

    Val plus(Val b) {
        return apply(Binary.ADD, b);
    }

    Val plus(double b) {
        return plus(constant(b));
    }

    Val minus(Val b) {
        return apply(Binary.SUB, b);
    }

    Val minus(double b) {
        return minus(constant(b));
    }

    /** {@code a - this}. */
    Val from(double a) {
        return constant(a).minus(this);
    }

    Val times(Val b) {
        return apply(Binary.MUL, b);
    }

    Val times(double b) {
        return times(constant(b));
    }

    Val over(Val b) {
        return apply(Binary.DIV, b);
    }

    /** {@code a / this}. */
    Val under(double a) {
        return constant(a).over(this);
    }

    Val neg() {
        return apply(Unary.NEG);
    }

    Val square() {
        return times(this);
    }

    Val pow(Val b) {
        return apply(Binary.POW, b);
    }

    Val is(Binary comparison, Val b) {
        return apply(comparison, b);
    }

    Val is(Binary comparison, double b) {
        return apply(comparison, constant(b));
    }

    /** {@code this ? a : b}, element by element. */
    Val then(Val a, Val b) {
        return with(e.where(value, a.value, b.value));
    }

    /** {@code this ? 0 : b}. */
    Val thenZeroElse(Val b) {
        return then(b.constant(0), b);
    }

    /** {@code this ? a : 0}. */
    Val thenElseZero(Val a) {
        return then(a, a.constant(0));
    }

    /** A constant of this value's dtype (of shape []: it broadcasts). */
    Val constant(double c) {
        return with(e.constant(value, c));
    }

    /** Zeros of this value's type. */
    Val zeros() {
        return with(e.zerosLike(value));
    }

    Val expand(Shape to) {
        return with(e.expand(value, to));
    }
}
