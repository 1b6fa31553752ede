// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Binary;
import io.sinter.ir.op.Broadcast;
import io.sinter.ir.op.Cast;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Unary;
import io.sinter.ir.op.Where;

/** What the families are made of: operators with PyTorch's broadcasting and promotion. */
final class Operators {
    static final Emitter<Tensor> E = Dispatch.EMITTER;

    private Operators() {}

    static Tensor cast(Tensor x, DType to) {
        return x.dtype() == to ? x : Dispatch.emit(new Cast(to), x);
    }

    static Tensor expand(Tensor x, Shape to) {
        try {
            return E.expand(x, to);
        } catch (OpException e) {
            throw Errors.wrap(e);
        }
    }

    /** {@code op} on {@code dtype}, after broadcasting. */
    static Tensor binary(Binary op, Tensor a, Tensor b, DType dtype) {
        Shape s;
        try {
            s = Broadcast.shapes(op.name(), a.type(), b.type());
        } catch (OpException e) {
            throw Errors.wrap(e);
        }
        return Dispatch.emit(op, E.expand(cast(a, dtype), s), E.expand(cast(b, dtype), s));
    }

    static Tensor binary(Binary op, Tensor a, Tensor b) {
        return binary(op, a, b, Promotion.of(a, b));
    }

    /** A binary operator of real numbers: integers are converted. */
    static Tensor real(Binary op, Tensor a, Tensor b) {
        return binary(op, a, b, Promotion.toFloat(Promotion.of(a, b)));
    }

    /**
     * A Java number as an operand beside {@code like}; live, and never wider than the tensor's category asks
     * for.
     */
    static Tensor number(Tensor like, double value) {
        return new Tensor(Trace.current().number(Promotion.withDouble(like.dtype()), value));
    }

    static Tensor number(Tensor like, long value) {
        DType d = Promotion.withLong(like.dtype());
        return new Tensor(
                d.isFloat()
                        ? Trace.current().number(d, (double) value)
                        : Trace.current().number(d, value));
    }

    /** A number of an operator's own declaration: part of the key. */
    static Tensor constant(Tensor like, double value) {
        return Dispatch.emit(Constant.of(like.dtype(), value));
    }

    static Tensor constant(DType dtype, double value) {
        return Dispatch.emit(Constant.of(dtype, value));
    }

    static Tensor constantLong(DType dtype, long value) {
        return Dispatch.emit(Constant.ofLong(dtype, value));
    }

    /** A function of real numbers: integers and bool are converted to f32. */
    static Tensor real(Unary op, Tensor x) {
        return Dispatch.emit(op, cast(x, Promotion.toFloat(x.dtype())));
    }

    static Tensor where(Tensor cond, Tensor a, Tensor b) {
        if (!cond.dtype().isBool())
            throw Errors.argument("where", cond, "the condition must be bool; compare with 0 first");
        DType d = Promotion.of(a, b);
        try {
            Shape s = Broadcast.shapes("where", cond.type(), a.type());
            s = Broadcast.shapes("where", cond.type().with(s), b.type());
            return Dispatch.emit(Where.INSTANCE, E.expand(cond, s), E.expand(cast(a, d), s), E.expand(cast(b, d), s));
        } catch (OpException e) {
            throw Errors.wrap(e);
        }
    }

    /** {@code x != 0}. */
    static Tensor truth(Tensor x) {
        return x.dtype().isBool() ? x : binary(Binary.NE, x, constant(x, 0), x.dtype());
    }
}
