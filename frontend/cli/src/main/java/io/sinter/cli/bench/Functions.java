// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.cli.bench.BenchCase.Repetition;
import io.sinter.cli.bench.PlainEvaluation.Host;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
    static Function<Mode, Repetition> forward(Supplier<Tensor[]> inputs, UnaryOperator<Tensor[]> f, Part.Choice parts) {
        return mode -> new Forward(inputs.get(), f, parts, mode);
    }

    /** {@code f}, then the gradients of all inputs that are floats for the cotangent {@code dy}. */
    static Function<Mode, Repetition> withGradients(
            Supplier<Tensor[]> leaves, Supplier<Tensor> dy, Function<Tensor[], Tensor> f, Part.Choice parts) {
        return mode -> new WithGradients(leaves.get(), dy.get(), f, parts, mode);
    }

    private static final class Forward implements Repetition {
        private final Tensor[] in;
        private final UnaryOperator<Tensor[]> f;
        private final UnaryOperator<Tensor[]> timed;
        private final Part.Choice parts;

        Forward(Tensor[] in, UnaryOperator<Tensor[]> f, Part.Choice parts, Mode mode) {
            this.in = in;
            this.f = f;
            this.parts = parts;
            timed = mode == Mode.COMPILED ? Sinter.compileAll(f) : f;
            Sinter.flush();
        }

        private Tensor[] outputs() {
            try (var _ = Sinter.noGrad()) {
                Tensor[] out = timed.apply(in);
                Sinter.flush();
                return out;
            }
        }

        @Override
        public void run() {
            for (Tensor t : outputs()) t.release();
        }

        @Override
        public void check() {
            Tensor[] out = outputs();
            for (Part p : parts.of(in)) compare(p, in, null, out, x -> Arrays.asList(f.apply(x)));
        }
    }

    private static final class WithGradients implements Repetition {
        private final Tensor[] in;
        private final Tensor dy;
        private final Function<Tensor[], Tensor> f;
        private final UnaryOperator<Tensor[]> timed;
        private final Part.Choice parts;

        WithGradients(Tensor[] in, Tensor dy, Function<Tensor[], Tensor> f, Part.Choice parts, Mode mode) {
            this.in = in;
            this.dy = dy;
            this.f = f;
            this.parts = parts;
            for (Tensor t : in) if (t.dtype().isFloat()) t.requiresGrad_();
            UnaryOperator<Tensor[]> step = x -> new Tensor[] {backward(x, dy)};
            timed = mode == Mode.COMPILED ? Sinter.compileAll(step) : step;
            Sinter.flush();
        }

        private Tensor backward(Tensor[] x, Tensor cotangent) {
            for (Tensor t : x) if (t.requiresGrad()) t.zeroGrad();
            Tensor y = f.apply(x);
            y.backward(cotangent);
            return y;
        }

        private static Tensor[] outputs(Tensor y, Tensor[] x) {
            List<Tensor> out = new ArrayList<>(List.of(y.detach()));
            for (Tensor t : x) if (t.requiresGrad()) out.add(t.grad());
            return out.toArray(Tensor[]::new);
        }

        @Override
        public void run() {
            Tensor[] out = timed.apply(in);
            Sinter.flush();
            out[0].release();
        }

        @Override
        public void check() {
            Tensor y = timed.apply(in)[0];
            Sinter.flush();
            Tensor[] out = outputs(y, in);
            for (Part p : parts.of(in)) {
                compare(p, in, dy, out, x -> {
                    Tensor[] leaves = Arrays.copyOf(x, in.length);
                    for (Tensor t : leaves) if (t.dtype().isFloat()) t.requiresGrad_();
                    return Arrays.asList(outputs(backward(leaves, x[in.length]), leaves));
                });
            }
        }
    }

    /** The outputs' parts against {@code plain} of the inputs' parts (and the cotangent's, as the last). */
    private static void compare(
            Part part, Tensor[] in, Tensor dy, Tensor[] out, Function<Tensor[], List<Tensor>> plain) {
        List<Host> inputs = new ArrayList<>();
        List<Host> actual = new ArrayList<>();
        try (var _ = Sinter.noGrad()) {
            for (int i = 0; i < in.length; i++)
                inputs.add(Host.of(part.inputs().get(i).apply(in[i])));
            if (dy != null) inputs.add(Host.of(part.cotangent().apply(dy)));
            for (int i = 0; i < out.length; i++) {
                UnaryOperator<Tensor> cut = part.outputs().get(i);
                if (cut != null) actual.add(Host.of(cut.apply(out[i])));
            }
        }
        List<Host> expected = PlainEvaluation.of(() -> {
            List<Tensor> all = plain.apply(inputs.stream().map(Host::tensor).toArray(Tensor[]::new));
            List<Host> compared = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) if (part.outputs().get(i) != null) compared.add(Host.of(all.get(i)));
            return compared;
        });
        for (int i = 0; i < expected.size(); i++) {
            double tolerance = expected.get(i).dtype() == DType.F64 ? 1e-10 : 1e-4;
            PlainEvaluation.compare("output " + i, actual.get(i), expected.get(i), tolerance);
        }
    }
}
