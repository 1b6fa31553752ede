// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

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

    private static double[] run(long seed, boolean compile) {
        Sinter.flush();
        Sinter.manualSeed(seed);
        Model model = new Model(seed);
        UnaryOperator<Tensor[]> f = model::step;
        if (compile) f = Sinter.compileAll(f);
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
                    case 0 -> pool.add(a.add(b));
                    case 1 -> pool.add(a.mul(b).tanh());
                    case 2 -> pool.add(F.dropout(a, 0.5, true));
                    case 3 -> a.mul_(0.5);
                    case 4 -> a.get(random.nextInt(3)).add_(1);
                    case 5 -> a.copy_(b.mul(0.75));
                    case 6 -> row.sub_(0.25);
                    case 7 -> pool.add(a.get("::-1").clone());
                    case 8 -> pool.add(a.t().reshape(3, 4));
                    case 9 -> pool.add(F.softmax(a, 1));
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
