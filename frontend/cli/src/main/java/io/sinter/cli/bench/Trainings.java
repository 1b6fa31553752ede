// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.cli.bench.BenchCase.Mode;
import io.sinter.nn.Net;
import io.sinter.optim.Adam;
import io.sinter.optim.AdamW;
import io.sinter.optim.Optimizer;
import io.sinter.optim.SGD;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** The cases of whole training steps (forward, loss, backward, update; the loss is read) and of inference. */
final class Trainings {
    private Trainings() {}

    /** Everything that a step needs. */
    private record Setup(Net net, Optimizer optimizer, Tensor x, Tensor y, Function<Tensor, Tensor> logits) {
        Setup(Net net, Optimizer optimizer, Tensor x, Tensor y) {
            this(net, optimizer, x, y, t -> t);
        }
    }

    static List<BenchCase> all() {
        return List.of(
                train("train_mlp", () -> {
                    Net m = new Models.Mlp();
                    return new Setup(
                            m, new Adam(m.parameters(), 1e-3), Tensor.randn(128, 784), Tensor.randint(0, 10, 128));
                }),
                train("train_cnn", () -> {
                    Net m = new Models.Cnn();
                    return new Setup(
                            m, new SGD(m.parameters(), 1e-2), Tensor.randn(64, 1, 28, 28), Tensor.randint(0, 10, 64));
                }),
                train("train_resnet18", () -> {
                    Net m = Models.resnet18();
                    return new Setup(
                            m,
                            new SGD(m.parameters(), 1e-2).momentum(0.9),
                            Tensor.randn(8, 3, 224, 224),
                            Tensor.randint(0, 1000, 8));
                }),
                infer("infer_resnet18", Models::resnet18, () -> Tensor.randn(1, 3, 224, 224)),
                train("train_lstm", () -> {
                    Net m = new Models.Recurrent();
                    return new Setup(
                            m,
                            new Adam(m.parameters(), 1e-3),
                            Tensor.randn(64, 32, 64),
                            Tensor.randint(0, 65, 64 * 32),
                            t -> t.reshape(-1, 65));
                }),
                train("train_gpt_small", () -> gpt(6, 6, 384, 256, 65, 8)),
                infer("infer_gpt", () -> new Models.Gpt(6, 6, 384, 256, 65), () -> Tensor.randint(0, 65, 1, 256)));
    }

    private static Setup gpt(int layers, int heads, int width, int context, int vocabulary, int batch) {
        Net m = new Models.Gpt(layers, heads, width, context, vocabulary);
        Tensor y = Tensor.randint(0, vocabulary, batch, context);
        return new Setup(
                m,
                new AdamW(m.parameters(), 3e-4),
                Tensor.randint(0, vocabulary, batch, context),
                y.reshape(-1),
                t -> t.reshape(-1, vocabulary));
    }

    private static BenchCase train(String name, Supplier<Setup> make) {
        return new BenchCase(name, mode -> {
            Setup s = make.get();
            Sinter.flush();
            UnaryOperator<Tensor[]> step = in -> {
                s.optimizer.zeroGrad();
                Tensor loss = F.crossEntropy(s.logits.apply(s.net.call(in[0])), in[1]);
                loss.backward();
                s.optimizer.step();
                return new Tensor[] {loss};
            };
            UnaryOperator<Tensor[]> run = mode == Mode.COMPILED ? Sinter.compileAll(step) : step;
            return () -> {
                double loss = run.apply(new Tensor[] {s.x, s.y})[0].item();
                if (Double.isNaN(loss)) throw new IllegalStateException(name + ": the loss is not a number");
            };
        });
    }

    private static BenchCase infer(String name, Supplier<Net> make, Supplier<Tensor> input) {
        return new BenchCase(name, mode -> {
            Net m = make.get();
            m.eval();
            return Functions.forward(() -> new Tensor[] {input.get()}, x -> new Tensor[] {m.call(x[0])})
                    .apply(mode);
        });
    }
}
