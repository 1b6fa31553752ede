// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/**
 * Random functions with state, gradients, steps and random numbers do the same whether they are called or
 * replayed.
 */
class CompiledProgramsTest {
    @RepeatedTest(40)
    void replayedAsCalled(RepetitionInfo repetition) {
        long seed = 300 + repetition.getCurrentRepetition();
        assertArrayEquals(run(seed, false), run(seed, true), 1e-3, "seed " + seed);
    }

    /** Functions whose results are differentiated outside: the backward pass is a program of its own. */
    @RepeatedTest(25)
    void differentiatedAsCalled(RepetitionInfo repetition) {
        long seed = 700 + repetition.getCurrentRepetition();
        assertArrayEquals(differentiate(seed, false), differentiate(seed, true), 1e-3, "seed " + seed);
    }

    private static void begin(long seed) {
        Sinter.flush();
        Sinter.manualSeed(seed);
    }

    /** Operations that write nothing, by number. */
    private static Tensor pure(int choice, Tensor a, Tensor b) {
        return switch (choice) {
            case 0 -> a.add(b);
            case 1 -> a.mul(b).tanh();
            case 2 -> F.dropout(a, 0.5, true);
            case 8 -> a.t().reshape(3, 4);
            case 9 -> F.softmax(a, 1);
            default -> throw new IllegalArgumentException("" + choice);
        };
    }

    private static double[] differentiate(long seed, boolean compile) {
        begin(seed);
        Forward model = new Forward(seed);
        UnaryOperator<Tensor[]> f = compile ? Sinter.compileAll(model::call) : model::call;
        DoubleStream.Builder seen = DoubleStream.builder();
        for (int call = 0; call < 5; call++) {
            Tensor x = Tensor.randn(3, 4);
            Tensor y = Tensor.randn(3, 4).requiresGrad_();
            // An argument with a history.
            Tensor[] out = f.apply(new Tensor[] {x, y.mul(0.5)});
            Tensor loss = out[0].tanh().sum();
            if (call % 2 == 0 && out[1].requiresGrad())
                loss = loss.add(out[1].mul(out[1]).mean());
            for (Tensor t : out) add(seen, t);
            if (loss.requiresGrad()) loss.backward();
            add(seen, loss);
            for (Tensor p : List.of(model.parameter, model.scale, y)) if (p.grad() != null) add(seen, p.grad());
            Trace.boundary(() -> {
                for (Tensor p : List.of(model.parameter, model.scale))
                    if (p.grad() != null) p.sub_(p.grad().mul(0.1));
            });
            if (call % 2 == 0) model.parameter.zeroGrad();
            add(seen, model.state);
        }
        // Twice, if writes to its temporaries looked like state of its own at first.
        if (compile) assertTrue(model.traced <= 2, model.traced + " traces");
        return seen.build().toArray();
    }

    /** A differentiable function made by a seed. */
    private static final class Forward {
        private final long seed;
        final Tensor parameter = Tensor.randn(3, 4).requiresGrad_();
        final Tensor scale = Tensor.randn(4).requiresGrad_();
        int traced;
        final Tensor state = Tensor.zeros(3, 4);

        Forward(long seed) {
            this.seed = seed;
        }

        Tensor[] call(Tensor... in) {
            traced++;
            Random random = new Random(seed);
            List<Tensor> pool = new ArrayList<>(List.of(in[0], in[1], in[0].mul(parameter), in[1].mul(scale)));
            for (int i = 0; i < 10; i++) {
                Tensor a = pool.get(random.nextInt(pool.size()));
                Tensor b = pool.get(random.nextInt(pool.size()));
                int choice = random.nextInt(11);
                switch (choice) {
                    case 0, 1, 2, 8, 9 -> pool.add(pure(choice, a, b));
                    case 3 -> pool.add(a.matmul(b.t()).matmul(parameter).mul(0.1));
                    case 4 -> {
                        Tensor c = a.clone();
                        c.get(random.nextInt(3)).add_(1);
                        pool.add(c);
                    }
                    case 5 -> pool.add(a.mul(0.5).add_(b));
                    case 6 -> state.copy_(a.detach().mul(0.75));
                    case 7 -> pool.add(a.get("::-1"));
                    default -> pool.add(a.sub(state));
                }
            }
            return new Tensor[] {pool.getLast().mul(1.5), pool.get(4 + random.nextInt(pool.size() - 4))};
        }
    }

    private static double[] run(long seed, boolean compile) {
        begin(seed);
        Model model = new Model(seed);
        UnaryOperator<Tensor[]> f = compile ? Sinter.compileAll(model::step) : model::step;
        DoubleStream.Builder seen = DoubleStream.builder();
        for (int call = 0; call < 5; call++) {
            Tensor x = Tensor.randn(3, 4);
            Tensor y = Tensor.randn(3, 4);
            for (Tensor t : f.apply(new Tensor[] {x, y})) add(seen, t);
            add(seen, x);
            add(seen, y);
            if (call == 2) {
                // State changes between calls, and is read through another alias.
                model.state.get(0).fill_(0.5);
                add(seen, model.parameter.grad() == null ? model.parameter : model.parameter.grad());
            }
            if (call == 3) add(seen, model.state.clone().add_(1));
        }
        add(seen, model.state);
        add(seen, model.parameter);
        if (model.parameter.grad() != null) add(seen, model.parameter.grad());
        return seen.build().toArray();
    }

    private static void add(DoubleStream.Builder seen, Tensor t) {
        for (double v : t.detach().toDoubles()) seen.add(Math.max(-1e3, Math.min(1e3, v)));
    }

    /** A function made by a seed: each call does the same operations. */
    private static final class Model {
        private final long seed;
        final Tensor parameter = Tensor.randn(3, 4).requiresGrad_();
        final Tensor state = Tensor.zeros(3, 4);
        final Tensor row = state.get(1);

        Model(long seed) {
            this.seed = seed;
        }

        Tensor[] step(Tensor... in) {
            Random random = new Random(seed);
            List<Tensor> pool = new ArrayList<>(List.of(in[0], in[1], state));
            for (int i = 0; i < 12; i++) {
                Tensor a = pool.get(random.nextInt(pool.size()));
                Tensor b = pool.get(random.nextInt(pool.size()));
                int choice = random.nextInt(12);
                switch (choice) {
                    case 0, 1, 2, 8, 9 -> pool.add(pure(choice, a, b));
                    case 3 -> a.mul_(0.5);
                    case 4 -> a.get(random.nextInt(3)).add_(1);
                    case 5 -> a.copy_(b.mul(0.75));
                    case 6 -> row.sub_(0.25);
                    case 7 -> pool.add(a.get("::-1").clone());
                    case 10 -> pool.add(row.add(a));
                    default -> train(a);
                }
            }
            return new Tensor[] {pool.getLast(), pool.get(random.nextInt(pool.size())), row.mul(2)};
        }

        private void train(Tensor x) {
            parameter.zeroGrad();
            x.detach().clone().mul(parameter).sigmoid().sum().backward();
            Trace.boundary(() -> parameter.sub_(parameter.grad().mul(0.1)));
        }
    }
}
