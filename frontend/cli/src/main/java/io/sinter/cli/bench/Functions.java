// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.ir.DType;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Shapes of repetitions: a function of tensors, with or without its gradients. */
final class Functions {
    private Functions() {}

    static Tensor rnd(long... shape) {
        return Tensor.randn(shape);
    }

    static Tensor rnd(DType dtype, long... shape) {
        return Tensor.randn(shape).to(dtype).detach();
    }

    /** {@code f} of inputs made once. */
    static Function<Mode, Runnable> forward(Supplier<Tensor[]> inputs, UnaryOperator<Tensor[]> f) {
        return mode -> {
            Tensor[] in = inputs.get();
            Sinter.flush();
            UnaryOperator<Tensor[]> g = mode == Mode.COMPILED ? Sinter.compileAll(f) : f;
            return () -> {
                try (var _ = Sinter.noGrad()) {
                    Tensor[] out = g.apply(in);
                    Sinter.flush();
                    for (Tensor t : out) t.release();
                }
            };
        };
    }

    /** {@code f}, then the gradients of all inputs that are {@code leaves} for the cotangent {@code dy}. */
    static Function<Mode, Runnable> withGradients(
            Supplier<Tensor[]> leaves, Supplier<Tensor> dy, Function<Tensor[], Tensor> f) {
        return mode -> {
            Tensor[] in = leaves.get();
            for (Tensor t : in) if (t.dtype().isFloat()) t.requiresGrad_();
            Tensor g = dy.get();
            Sinter.flush();
            UnaryOperator<Tensor[]> step = x -> {
                for (Tensor t : x) if (t.requiresGrad()) t.zeroGrad();
                Tensor y = f.apply(x);
                y.backward(g);
                return new Tensor[] {y};
            };
            UnaryOperator<Tensor[]> run = mode == Mode.COMPILED ? Sinter.compileAll(step) : step;
            return () -> {
                Tensor[] out = run.apply(in);
                Sinter.flush();
                out[0].release();
            };
        };
    }
}
