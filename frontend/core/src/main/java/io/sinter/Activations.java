// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static io.sinter.Operators.cast;
import static io.sinter.Operators.constant;

import io.sinter.ir.DType;
import io.sinter.ir.op.Gelu;
import io.sinter.ir.op.LogSoftmax;
import io.sinter.ir.op.Softmax;

/** Activation functions of {@link F}. */
abstract sealed class Activations permits Convolutions {
    Activations() {}

    /** max(x, 0). */
    public static Tensor relu(Tensor x) {
        return x.relu();
    }

    /** min(max(x, 0), 6). */
    public static Tensor relu6(Tensor x) {
        return Trace.call(() -> hardtanh(x, 0, 6));
    }

    /** x Φ(x), with the exact normal distribution function. */
    public static Tensor gelu(Tensor x) {
        return gelu(x, false);
    }

    /** @param tanh use the approximation by tanh (Hendrycks and Gimpel, 2016) */
    public static Tensor gelu(Tensor x, boolean tanh) {
        return Dispatch.emit(new Gelu(tanh), x);
    }

    /** x · sigmoid(x). */
    public static Tensor silu(Tensor x) {
        return Trace.call(() -> x.mul(x.sigmoid()));
    }

    /** x · tanh(softplus(x)). */
    public static Tensor mish(Tensor x) {
        return Trace.call(() -> x.mul(softplus(x).tanh()));
    }

    public static Tensor sigmoid(Tensor x) {
        return x.sigmoid();
    }

    public static Tensor tanh(Tensor x) {
        return x.tanh();
    }

    /** x where positive, else {@code slope * x}. */
    public static Tensor leakyRelu(Tensor x, double slope) {
        return Trace.call(() -> x.gt(0).where(x, x.mul(slope)));
    }

    /** As {@link #leakyRelu} with a learned slope per channel (axis 1), or one for all. */
    public static Tensor prelu(Tensor x, Tensor slope) {
        return Trace.call(() -> {
            Tensor s = slope;
            if (slope.numel() == 1) {
                s = slope.reshape(new long[0]);
            } else if (x.rank() > 1) {
                long[] shape = new long[x.rank()];
                java.util.Arrays.fill(shape, 1);
                shape[1] = slope.numel();
                s = slope.reshape(shape);
            }
            return x.gt(0).where(x, x.mul(s));
        });
    }

    /** x where positive, else {@code alpha * (exp(x) - 1)}. */
    public static Tensor elu(Tensor x, double alpha) {
        return Trace.call(
                () -> x.gt(0).where(x, x.minimum(constant(x, 0)).expm1().mul(alpha)));
    }

    public static Tensor celu(Tensor x, double alpha) {
        return Trace.call(() ->
                x.gt(0).where(x, x.minimum(constant(x, 0)).div(alpha).expm1().mul(alpha)));
    }

    /** Self-normalizing units (Klambauer et al., 2017). */
    public static Tensor selu(Tensor x) {
        double alpha = 1.6732632423543772848170429916717;
        double scale = 1.0507009873554804934193349852946;
        return Trace.call(() -> {
            Tensor negative = x.minimum(constant(x, 0)).expm1().mul(constant(x, alpha));
            return x.gt(0).where(x, negative).mul(constant(x, scale));
        });
    }

    /** {@code log(1 + exp(x))}. */
    public static Tensor softplus(Tensor x) {
        return softplus(x, 1, 20);
    }

    /** {@code log(1 + exp(beta x)) / beta}; x itself where {@code beta x > threshold}. */
    public static Tensor softplus(Tensor x, double beta, double threshold) {
        return Trace.call(() -> {
            Tensor z = beta == 1 ? x : x.mul(beta);
            Tensor y = z.minimum(Operators.number(z, threshold)).exp().log1p();
            return z.gt(threshold).where(x, beta == 1 ? y : y.div(beta));
        });
    }

    /** {@code log(sigmoid(x))}, without overflow. */
    public static Tensor logsigmoid(Tensor x) {
        return Trace.call(
                () -> x.minimum(constant(x, 0)).sub(x.abs().neg().exp().log1p()));
    }

    public static Tensor softsign(Tensor x) {
        return Trace.call(() -> x.div(x.abs().add(1)));
    }

    public static Tensor tanhshrink(Tensor x) {
        return Trace.call(() -> x.sub(x.tanh()));
    }

    public static Tensor hardtanh(Tensor x, double min, double max) {
        return Trace.call(() -> {
            // The gradient is 0 at the bounds themselves.
            Tensor y = x.le(min).where(Operators.number(x, min).to(x.dtype()), x);
            return x.ge(max).where(Operators.number(x, max).to(x.dtype()), y);
        });
    }

    public static Tensor hardsigmoid(Tensor x) {
        return Trace.call(() -> hardtanh(x.add(constant(x, 3)), 0, 6).div(constant(x, 6)));
    }

    public static Tensor hardswish(Tensor x) {
        return Trace.call(() -> x.mul(hardsigmoid(x)));
    }

    public static Tensor softshrink(Tensor x, double lambda) {
        return Trace.call(() -> {
            Tensor zero = constant(x, 0);
            return x.gt(lambda).where(x.sub(lambda), x.lt(-lambda).where(x.add(lambda), x.mul(zero)));
        });
    }

    public static Tensor hardshrink(Tensor x, double lambda) {
        return Trace.call(() -> x.le(lambda).logicalAnd(x.ge(-lambda)).where(constant(x, 0), x));
    }

    /** x where above the threshold, else {@code value}. */
    public static Tensor threshold(Tensor x, double threshold, double value) {
        return Trace.call(() -> x.le(threshold).where(Operators.number(x, value).to(x.dtype()), x));
    }

    /** Half of the channels gated by the other half: {@code a * sigmoid(b)}. */
    public static Tensor glu(Tensor x, int axis) {
        long n = x.size(axis);
        if (n % 2 != 0) throw Errors.argument("glu", x, "axis " + axis + " must have an even extent");
        return Trace.call(() -> {
            var halves = x.chunk(2, axis);
            return halves.get(0).mul(halves.get(1).sigmoid());
        });
    }

    /** Exponentials along an axis, divided by their sum. */
    public static Tensor softmax(Tensor x, int axis) {
        int a = Axes.axis("softmax", x, axis);
        Tensor y = cast(x, Promotion.toFloat(x.dtype()));
        return x.rank() == 0 ? y.sub(y).exp() : Dispatch.emit(new Softmax(a), y);
    }

    public static Tensor softmax(Tensor x, int axis, DType dtype) {
        return softmax(x.to(dtype), axis);
    }

    public static Tensor softmin(Tensor x, int axis) {
        return Trace.call(() -> softmax(x.neg(), axis));
    }

    /** {@code log(softmax(x))}, without underflow. */
    public static Tensor logSoftmax(Tensor x, int axis) {
        int a = Axes.axis("logSoftmax", x, axis);
        Tensor y = cast(x, Promotion.toFloat(x.dtype()));
        return x.rank() == 0 ? y.sub(y) : Dispatch.emit(new LogSoftmax(a), y);
    }
}
