// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.function.UnaryOperator;

/**
 * Writes in place: every alias of the elements sees them. The result of the operation must have this tensor's
 * shape, and a dtype that converts to this tensor's without loss of category.
 */
public sealed interface InPlace permits Tensor {
    Tensor self();

    default Tensor add_(Tensor other) {
        return Writing.write("add_", self(), x -> x.add(other));
    }

    default Tensor add_(double other) {
        return Writing.write("add_", self(), x -> x.add(other));
    }

    default Tensor add_(long other) {
        return Writing.write("add_", self(), x -> x.add(other));
    }

    /** {@code self += alpha * other}. */
    default Tensor add_(Tensor other, double alpha) {
        return Writing.write("add_", self(), x -> x.add(other, alpha));
    }

    default Tensor sub_(Tensor other) {
        return Writing.write("sub_", self(), x -> x.sub(other));
    }

    default Tensor sub_(double other) {
        return Writing.write("sub_", self(), x -> x.sub(other));
    }

    default Tensor sub_(long other) {
        return Writing.write("sub_", self(), x -> x.sub(other));
    }

    default Tensor sub_(Tensor other, double alpha) {
        return Writing.write("sub_", self(), x -> x.sub(other, alpha));
    }

    default Tensor mul_(Tensor other) {
        return Writing.write("mul_", self(), x -> x.mul(other));
    }

    default Tensor mul_(double other) {
        return Writing.write("mul_", self(), x -> x.mul(other));
    }

    default Tensor mul_(long other) {
        return Writing.write("mul_", self(), x -> x.mul(other));
    }

    default Tensor div_(Tensor other) {
        return Writing.write("div_", self(), x -> x.div(other));
    }

    default Tensor div_(double other) {
        return Writing.write("div_", self(), x -> x.div(other));
    }

    default Tensor div_(long other) {
        return Writing.write("div_", self(), x -> x.div(other));
    }

    default Tensor pow_(double exponent) {
        return Writing.write("pow_", self(), x -> x.pow(exponent));
    }

    default Tensor addcmul_(Tensor a, Tensor b, double value) {
        return Writing.write("addcmul_", self(), x -> x.addcmul(a, b, value));
    }

    default Tensor addcdiv_(Tensor a, Tensor b, double value) {
        return Writing.write("addcdiv_", self(), x -> x.addcdiv(a, b, value));
    }

    default Tensor lerp_(Tensor end, double weight) {
        return Writing.write("lerp_", self(), x -> x.lerp(end, weight));
    }

    default Tensor neg_() {
        return Writing.write("neg_", self(), x -> x.neg());
    }

    default Tensor exp_() {
        return Writing.write("exp_", self(), x -> x.exp());
    }

    default Tensor log_() {
        return Writing.write("log_", self(), x -> x.log());
    }

    default Tensor sqrt_() {
        return Writing.write("sqrt_", self(), x -> x.sqrt());
    }

    default Tensor abs_() {
        return Writing.write("abs_", self(), x -> x.abs());
    }

    default Tensor relu_() {
        return Writing.write("relu_", self(), x -> x.relu());
    }

    default Tensor sigmoid_() {
        return Writing.write("sigmoid_", self(), x -> x.sigmoid());
    }

    default Tensor tanh_() {
        return Writing.write("tanh_", self(), x -> x.tanh());
    }

    default Tensor clamp_(double min, double max) {
        return Writing.write("clamp_", self(), x -> x.clamp(min, max));
    }

    default Tensor maskedFill_(Tensor mask, double value) {
        return Writing.write("maskedFill_", self(), x -> x.maskedFill(mask, value));
    }

    default Tensor fill_(double value) {
        return Writing.write("fill_", self(), x -> x.fullLike(value));
    }

    default Tensor zero_() {
        return Writing.write("zero_", self(), x -> x.zerosLike());
    }

    /** Writes {@code other}, broadcast and converted, to this tensor's elements. Any dtype converts. */
    default Tensor copy_(Tensor other) {
        Tensor x = self();
        Tensor r = Operators.cast(other, x.dtype());
        // It can be written only if it can be read; what is there does not matter.
        x.read(Trace.current());
        boolean fits = r.type().shape().equals(x.type().shape());
        return x.assign(fits ? r : Operators.expand(r, x.type().shape()));
    }

    /** Helpers of this family. */
    final class Writing {
        private Writing() {}

        /**
         * {@code f} gets a snapshot of {@code x}: what it saves for gradients is the value before the write.
         */
        static Tensor write(String name, Tensor x, UnaryOperator<Tensor> f) {
            Tensor r = f.apply(x.snapshot());
            if (!r.type().shape().equals(x.type().shape())) {
                throw Errors.argument(
                        name,
                        x,
                        "the result has shape " + r.type().shape()
                                + ", which does not fit in place; use the method without the underscore");
            }
            if (!Promotion.canCast(r.dtype(), x.dtype())) {
                throw Errors.argument(
                        name,
                        x,
                        "the result has dtype " + r.dtype()
                                + ", which does not fit in place; use the method without the underscore");
            }
            return x.assign(Operators.cast(r, x.dtype()));
        }
    }
}
