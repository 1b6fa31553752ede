// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Tensor;
import io.sinter.ir.DType;

/** Activation functions. */
final class ActivationOps {
    private ActivationOps() {}

    static void register(Registry r) {
        String f = "nn.functional.";
        r.unary(f + "relu", F::relu);
        r.unary(f + "relu6", F::relu6);
        r.unary(f + "silu", F::silu);
        r.unary(f + "mish", F::mish);
        r.unary(f + "selu", F::selu);
        r.unary(f + "logsigmoid", F::logsigmoid);
        r.unary(f + "softsign", F::softsign);
        r.unary(f + "tanhshrink", F::tanhshrink);
        r.unary(f + "hardsigmoid", F::hardsigmoid);
        r.unary(f + "hardswish", F::hardswish);
        r.add(f + "gelu", a -> F.gelu(a.x(), a.text(-1, "approximate", "none").equals("tanh")));
        r.add(f + "leaky_relu", a -> F.leakyRelu(a.x(), a.number(1, "negative_slope", 0.01)));
        r.add(f + "prelu", a -> F.prelu(a.x(), a.tensor(1, "weight")));
        r.add(f + "elu", a -> F.elu(a.x(), a.number(1, "alpha", 1)));
        r.add(f + "celu", a -> F.celu(a.x(), a.number(1, "alpha", 1)));
        r.add(f + "softplus", a -> F.softplus(a.x(), a.number(1, "beta", 1), a.number(2, "threshold", 20)));
        r.add(f + "hardtanh", a -> F.hardtanh(a.x(), a.number(1, "min_val", -1), a.number(2, "max_val", 1)));
        r.add(f + "softshrink", a -> F.softshrink(a.x(), a.number(1, "lambd", 0.5)));
        r.add(f + "hardshrink", a -> F.hardshrink(a.x(), a.number(1, "lambd", 0.5)));
        r.add(f + "threshold", a -> F.threshold(a.x(), a.number(1, "threshold"), a.number(2, "value")));
        r.add(f + "glu", a -> F.glu(a.x(), a.axis(1, "dim", -1)));
        r.add("softmax", a -> F.softmax(converted(a), a.axis(1, "dim")));
        r.add("log_softmax", a -> F.logSoftmax(converted(a), a.axis(1, "dim")));
        r.add(f + "softmin", a -> F.softmin(converted(a), a.axis(1, "dim")));
    }

    private static Tensor converted(Args a) {
        DType d = a.dtype();
        return d == null ? a.x() : a.x().to(d);
    }
}
