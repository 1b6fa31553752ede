// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;

import io.sinter.ir.DType;
import io.sinter.ir.op.Bitcast;
import io.sinter.ir.op.Broadcast;
import java.util.function.UnaryOperator;

/**
 * Further functions of one and two elements, composed of simpler ones. Functions of real numbers convert
 * integers and bool to f32.
 */
public sealed interface Blending permits Tensor {
    Tensor self();

    /** Division of real numbers; the same as {@code div}. */
    default Tensor trueDivide(Tensor other) {
        return self().div(other);
    }

    /** The elements themselves; bool is an error, as in PyTorch. */
    default Tensor positive() {
        if (self().dtype().isBool()) throw Errors.argument("positive", self(), "bool tensors have no sign");
        return self();
    }

    /** The sign: -1, 0 or 1 ({@code torch.sgn} of real numbers). */
    default Tensor sgn() {
        return self().sign();
    }

    /** True where the sign bit is set: for negative numbers, -0.0 and negative NaNs. */
    default Tensor signbit() {
        Tensor x = self();
        return switch (x.dtype()) {
            case F64 ->
                Trace.call(() -> Dispatch.emit(new Bitcast(DType.I64), x).lt(0));
            case F32 ->
                Trace.call(() -> Dispatch.emit(new Bitcast(DType.I32), x).lt(0));
            case F16, BF16 -> Trace.call(() -> x.toFloat().signbit());
            case I64, I32, I16, I8, U8 -> x.lt(0);
            case BOOL -> Trace.call(() -> x.logicalAnd(x.logicalNot()));
        };
    }

    default Tensor isposinf() {
        return Trace.call(() -> self().isinf().logicalAnd(self().gt(0)));
    }

    default Tensor isneginf() {
        return Trace.call(() -> self().isinf().logicalAnd(self().lt(0)));
    }

    /** To {@code decimals} places after the point (before it if negative), ties to even. */
    default Tensor round(int decimals) {
        Tensor x = self();
        if (decimals == 0 || !x.dtype().isFloat()) return x.round();
        double scale = Math.pow(10, Math.abs(decimals));
        return Trace.call(() -> decimals > 0
                ? x.mul(scale).round().div(scale)
                : x.div(scale).round().mul(scale));
    }

    /** {@code log(p / (1 - p))} of p clamped to [eps, 1 - eps]. */
    default Tensor logit(double eps) {
        return Trace.call(() -> cast(self(), Promotion.toFloat(self().dtype()))
                .clamp(eps, 1 - eps)
                .logit());
    }

    /** At least {@code min}. NaN of either stays NaN. */
    default Tensor clampMin(Tensor min) {
        return Blend.select(self(), min, (x, bound) -> x.lt(bound));
    }

    /** At most {@code max}. */
    default Tensor clampMax(Tensor max) {
        return Blend.select(self(), max, (x, bound) -> x.gt(bound));
    }

    /** The greater element; a number beats NaN. At ties the gradient goes to this tensor. */
    default Tensor fmax(Tensor other) {
        return Blend.pair(self(), other, (a, b) -> a.ge(b).logicalOr(b.isnan()).where(a, b));
    }

    /** The smaller element; a number beats NaN. At ties the gradient goes to this tensor. */
    default Tensor fmin(Tensor other) {
        return Blend.pair(self(), other, (a, b) -> a.le(b).logicalOr(b.isnan()).where(a, b));
    }

    /** The magnitude of this with the sign of {@code other}. */
    default Tensor copysign(Tensor other) {
        return Blend.real(self(), other, (a, b) -> b.signbit().where(a.abs().neg(), a.abs()));
    }

    default Tensor copysign(double other) {
        return copysign(Operators.number(self(), other));
    }

    /** 0 for negative numbers, 1 for positive ones, {@code values} at 0. */
    default Tensor heaviside(Tensor values) {
        Tensor x = self();
        if (x.dtype() != values.dtype())
            throw Errors.argument("heaviside", x, values, "dtypes differ; cast one operand");
        return Trace.call(() -> x.eq(0).where(values, cast(x.gt(0), x.dtype())));
    }

    /** {@code self * 2^other}. */
    default Tensor ldexp(Tensor other) {
        return Trace.call(() -> self().mul(other.exp2()));
    }

    /** {@code sqrt(self² + other²)}, without overflow in f32. */
    default Tensor hypot(Tensor other) {
        return Blend.wide(self(), other, (a, b) -> a.mul(a).add(b.mul(b)).sqrt());
    }

    /** {@code log(exp(self) + exp(other))}, without overflow. */
    default Tensor logaddexp(Tensor other) {
        return Blend.real(self(), other, (a, b) -> {
            // Equal infinities have no difference.
            Tensor distance = a.eq(b).where(constant(a, 0), a.sub(b)).abs();
            return a.maximum(b).add(distance.neg().exp().log1p());
        });
    }

    /** {@code log2(2^self + 2^other)}, without overflow. */
    default Tensor logaddexp2(Tensor other) {
        return Blend.real(self(), other, (a, b) -> {
            Tensor distance = a.eq(b).where(constant(a, 0), a.sub(b)).abs();
            return a.maximum(b).add(distance.neg().exp2().log1p().mul(constant(a, 1 / Math.log(2))));
        });
    }

    /** {@code self * log(other)}, 0 where this is 0. */
    default Tensor xlogy(Tensor other) {
        return Blend.real(self(), other, (a, b) -> Blend.timesLog(a, b, b, Tensor::log));
    }

    default Tensor xlogy(double other) {
        return xlogy(Operators.number(self(), other));
    }

    /** The power in f64. */
    default Tensor floatPower(Tensor exponent) {
        return Trace.call(() -> self().toDouble().pow(exponent.toDouble()));
    }

    default Tensor floatPower(double exponent) {
        return Trace.call(() -> self().toDouble().pow(exponent));
    }

    /** {@code sin(πx) / (πx)}, 1 at 0. */
    default Tensor sinc() {
        return Trace.call(() -> {
            Tensor x = cast(self(), Promotion.toFloat(self().dtype()));
            Tensor zero = x.eq(0);
            Tensor angle = zero.where(constant(x, 1), x).mul(constant(x, Math.PI));
            return zero.where(constant(x, 1), angle.sin().div(angle));
        });
    }

    /** Helpers of this family. */
    final class Blend {
        private Blend() {}

        interface Pair {
            Tensor apply(Tensor a, Tensor b);
        }

        /** {@code f} on operands of their common dtype. */
        static Tensor pair(Tensor x, Tensor y, Pair f) {
            DType d = Promotion.of(x, y);
            return Trace.call(() -> f.apply(cast(x, d), cast(y, d)));
        }

        /** {@code f} on operands of their common floating-point dtype. */
        static Tensor real(Tensor x, Tensor y, Pair f) {
            DType d = Promotion.toFloat(Promotion.of(x, y));
            return Trace.call(() -> f.apply(cast(x, d), cast(y, d)));
        }

        /** As {@link #real}, but computed in f64. */
        static Tensor wide(Tensor x, Tensor y, Pair f) {
            DType d = Promotion.toFloat(Promotion.of(x, y));
            return Trace.call(() -> cast(f.apply(x.toDouble(), y.toDouble()), d));
        }

        /** {@code bound} where {@code beyond(x, bound)}, else x; NaN bounds win. */
        static Tensor select(Tensor x, Tensor bound, Pair beyond) {
            return pair(x, bound, (a, b) -> {
                Tensor out = beyond.apply(a, b);
                if (a.dtype().isFloat()) out = out.logicalOr(b.isnan());
                return out.where(b, a);
            });
        }

        /**
         * {@code a * log(of)}; 0 where a is 0 and the logarithm (that of an {@code argument} ≤ 0 or infinite)
         * is not finite.
         */
        static Tensor timesLog(Tensor a, Tensor of, Tensor argument, UnaryOperator<Tensor> log) {
            Tensor zero = a.eq(0).logicalAnd(argument.le(0).logicalOr(argument.isinf()));
            return zero.where(constant(a, 0), a.mul(log.apply(zero.where(constant(a, 1), of))));
        }

        /** Both in their broadcast shape. */
        static Tensor[] broadcast(String name, Tensor a, Tensor b) {
            var s = Broadcast.shapes(name, a.type(), b.type());
            return new Tensor[] {Operators.expand(a, s), Operators.expand(b, s)};
        }
    }
}
