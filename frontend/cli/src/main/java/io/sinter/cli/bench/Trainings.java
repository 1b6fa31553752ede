// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.cli.bench.BenchCase.Repetition;
import io.sinter.cli.bench.PlainEvaluation.Host;
import io.sinter.nn.Net;
import io.sinter.optim.Adam;
import io.sinter.optim.AdamW;
import io.sinter.optim.Optimizer;
import io.sinter.optim.SGD;
import io.sinter.runtime.Device;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The cases of whole training steps (forward, loss, backward, update; the loss is read) and of inference. Outputs are checked on a small instance:
 * the same network and step, fewer and smaller samples; and the loss must have fallen in the case itself.
 */
final class Trainings {
    /** Steps of the small instance. */
    private static final int STEPS = 3;

    private Trainings() {}

    private enum Size {
        FULL,
        SMALL;

        long of(long full, long small) {
            return this == FULL ? full : small;
        }
    }

    /** Everything that a step needs. */
    private record Setup(Net net, Optimizer optimizer, Tensor x, Tensor y, Function<Tensor, Tensor> logits) {
        Setup(Net net, Optimizer optimizer, Tensor x, Tensor y) {
            this(net, optimizer, x, y, t -> t);
        }
    }

    static List<BenchCase> all() {
        return List.of(
                train("train_mlp", size -> {
                    Net m = new Models.Mlp();
                    long n = size.of(128, 16);
                    return new Setup(m, new Adam(m.parameters(), 1e-3), Tensor.randn(n, 784), Tensor.randint(0, 10, n));
                }),
                train("train_cnn", size -> {
                    Net m = new Models.Cnn();
                    long n = size.of(64, 3);
                    return new Setup(
                            m, new SGD(m.parameters(), 1e-2), Tensor.randn(n, 1, 28, 28), Tensor.randint(0, 10, n));
                }),
                train("train_resnet18", size -> {
                    Net m = Models.resnet18();
                    // As the peer, which takes a larger batch on a GPU.
                    boolean gpu = Session.current().device().kind() == Device.Kind.CUDA;
                    long n = size.of(gpu ? 128 : 8, 2);
                    long side = size.of(224, 33);
                    return new Setup(
                            m,
                            new SGD(m.parameters(), 1e-2).momentum(0.9),
                            Tensor.randn(n, 3, side, side),
                            Tensor.randint(0, 1000, n));
                }),
                infer("infer_resnet18", Models::resnet18, size -> {
                    long side = size.of(224, 72);
                    return Tensor.randn(1, 3, side, side);
                }),
                train("train_lstm", size -> {
                    Net m = new Models.Recurrent();
                    long n = size.of(32, 2);
                    return new Setup(
                            m,
                            new Adam(m.parameters(), 1e-3),
                            Tensor.randn(64, n, 64),
                            Tensor.randint(0, 65, 64 * n),
                            t -> t.reshape(-1, 65));
                }),
                train("train_gpt_small", size -> gpt(6, 6, 384, 256, 65, size.of(8, 1), size.of(256, 19))),
                infer(
                        "infer_gpt",
                        () -> new Models.Gpt(6, 6, 384, 256, 65),
                        size -> Tensor.randint(0, 65, 1, size.of(256, 19))));
    }

    /** Cases that only a GPU is fast enough for. */
    static List<BenchCase> forGpus() {
        return List.of(train("train_gpt2_124m", size -> {
            int layers = (int) size.of(12, 2);
            return gpt(
                    layers,
                    12,
                    (int) size.of(768, 48),
                    1024,
                    (int) size.of(50257, 101),
                    size.of(8, 1),
                    size.of(1024, 19));
        }));
    }

    private static Setup gpt(int layers, int heads, int width, int context, int vocabulary, long batch, long length) {
        Net m = new Models.Gpt(layers, heads, width, context, vocabulary);
        Tensor y = Tensor.randint(0, vocabulary, batch, length);
        return new Setup(
                m,
                new AdamW(m.parameters(), 3e-4),
                Tensor.randint(0, vocabulary, batch, length),
                y.reshape(-1),
                t -> t.reshape(-1, vocabulary));
    }

    private static UnaryOperator<Tensor[]> step(Setup s, Mode mode) {
        UnaryOperator<Tensor[]> step = in -> {
            s.optimizer.zeroGrad();
            Tensor loss = F.crossEntropy(s.logits.apply(s.net.call(in[0])), in[1]);
            loss.backward();
            s.optimizer.step();
            return new Tensor[] {loss};
        };
        return mode == Mode.COMPILED ? Sinter.compileAll(step) : step;
    }

    private static BenchCase train(String name, Function<Size, Setup> make) {
        return new BenchCase(name, mode -> new Training(make, mode));
    }

    private static final class Training implements Repetition {
        private final Function<Size, Setup> make;
        private final Mode mode;
        private final Tensor[] batch;
        private final UnaryOperator<Tensor[]> timed;
        private double first = Double.NaN;
        private double last = Double.NaN;

        Training(Function<Size, Setup> make, Mode mode) {
            this.make = make;
            this.mode = mode;
            Setup s = make.apply(Size.FULL);
            Sinter.flush();
            batch = new Tensor[] {s.x, s.y};
            timed = step(s, mode);
        }

        @Override
        public void run() {
            last = timed.apply(batch)[0].item();
            if (Double.isNaN(first)) first = last;
        }

        @Override
        public void check() {
            if (!(last < first)) {
                throw new WrongOutput(
                        "the loss of one batch went from " + first + " to " + last + " in training on it");
            }
            List<Host> actual = small(make, mode);
            List<Host> expected = PlainEvaluation.of(() -> small(make, Mode.TRACED));
            for (int i = 0; i < STEPS; i++) {
                PlainEvaluation.compare("loss " + (i + 1), actual.get(i), expected.get(i), 1e-4);
            }
            for (int i = STEPS; i < expected.size(); i++) {
                String what = "small instance, gradient of parameter " + (i - STEPS);
                PlainEvaluation.compareNorms(what, actual.get(i), expected.get(i), 1e-3);
            }
        }

        /** The losses of some steps of the small instance, and the gradients of the first. */
        private static List<Host> small(Function<Size, Setup> make, Mode mode) {
            Sinter.manualSeed(1);
            Setup s = make.apply(Size.SMALL);
            Sinter.flush();
            UnaryOperator<Tensor[]> step = step(s, mode);
            List<Host> losses = new ArrayList<>();
            List<Host> gradients = new ArrayList<>();
            for (int i = 0; i < STEPS; i++) {
                losses.add(Host.of(step.apply(new Tensor[] {s.x, s.y})[0]));
                if (i > 0) continue;
                for (Tensor p : s.net.parameters()) gradients.add(Host.of(p.grad()));
            }
            losses.addAll(gradients);
            return losses;
        }
    }

    private static BenchCase infer(String name, Supplier<Net> make, Function<Size, Tensor> input) {
        return new BenchCase(name, mode -> new Inference(make, input, mode));
    }

    private static final class Inference implements Repetition {
        private final Supplier<Net> make;
        private final Function<Size, Tensor> input;
        private final Mode mode;
        private final Tensor x;
        private final UnaryOperator<Tensor> timed;

        Inference(Supplier<Net> make, Function<Size, Tensor> input, Mode mode) {
            this.make = make;
            this.input = input;
            this.mode = mode;
            timed = net(make, mode);
            x = input.apply(Size.FULL);
            Sinter.flush();
        }

        private static UnaryOperator<Tensor> net(Supplier<Net> make, Mode mode) {
            Net m = make.get();
            m.eval();
            return mode == Mode.COMPILED ? Sinter.compile((UnaryOperator<Tensor>) m::call) : m::call;
        }

        @Override
        public void run() {
            try (var _ = Sinter.noGrad()) {
                Tensor y = timed.apply(x);
                Sinter.flush();
                y.release();
            }
        }

        @Override
        public void check() {
            Host actual = small(make, input, mode);
            Host expected = PlainEvaluation.of(() -> small(make, input, Mode.TRACED));
            PlainEvaluation.compare("small instance", actual, expected, 1e-4);
        }

        private static Host small(Supplier<Net> make, Function<Size, Tensor> input, Mode mode) {
            Sinter.manualSeed(1);
            try (var _ = Sinter.noGrad()) {
                UnaryOperator<Tensor> f = net(make, mode);
                return Host.of(f.apply(input.apply(Size.SMALL)));
            }
        }
    }
}
