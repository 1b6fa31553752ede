// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/** Random programs of tensor calls (views, writes, reads, steps) give the same values and errors whether every call runs at once or none does until it must. */
class LazyEagerTest {
    private static final int STEPS = 60;

    @RepeatedTest(60)
    void lazilyAsEagerly(RepetitionInfo repetition) {
        long seed = 1000 + repetition.getCurrentRepetition();
        List<String> lazy = run(seed, false);
        List<String> eager = run(seed, true);
        for (int i = 0; i < lazy.size(); i++) assertEquals(eager.get(i), lazy.get(i), "seed " + seed + ", step " + i + "\n" + String.join("\n", lazy.subList(0, i + 1)));
        assertEquals(eager.size(), lazy.size());
    }

    private static List<String> run(long seed, boolean eager) {
        Trace t = Trace.current();
        t.flush();
        t.eager = eager;
        try {
            return new Program(seed).run();
        } finally {
            t.eager = false;
            t.flush();
        }
    }

    private static final class Program {
        private final Random random;
        private final List<Tensor> pool = new ArrayList<>();
        private final List<Tensor> parameters = new ArrayList<>();
        private final List<String> log = new ArrayList<>();

        Program(long seed) {
            random = new Random(seed);
        }

        List<String> run() {
            for (int i = 0; i < 2; i++) {
                Tensor p = data(3, 4).requiresGrad_();
                parameters.add(p);
                pool.add(p);
            }
            pool.add(data(3, 4));
            pool.add(data(4));
            for (int i = 0; i < STEPS; i++) {
                String entry;
                try {
                    entry = step();
                } catch (IllegalStateException | IllegalArgumentException e) {
                    entry = e.getClass().getSimpleName() + ": " + e.getMessage().split("\n")[0];
                }
                log.add(entry);
            }
            for (Tensor x : pool) log.add(text(x));
            for (Tensor p : parameters) log.add(p.grad() == null ? "no gradient" : text(p.grad()));
            return log;
        }

        private Tensor data(long... shape) {
            float[] v = new float[(int) io.sinter.ir.Shape.of(shape).numel()];
            for (int i = 0; i < v.length; i++) v[i] = random.nextInt(-8, 9) / 4f;
            return Tensor.from(v, shape);
        }

        private Tensor any() {
            return pool.get(random.nextInt(pool.size()));
        }

        private static String text(Tensor x) {
            return x.type() + (x.requiresGrad() ? " grad " : " ") + java.util.Arrays.toString(x.toDoubles());
        }

        private Tensor put(Tensor x) {
            if (pool.size() < 12) pool.add(x);
            else pool.set(2 + random.nextInt(10), x);
            return x;
        }

        private String step() {
            Tensor x = any();
            Tensor y = any();
            int choice = random.nextInt(20);
            return choice + " " + switch (choice) {
                case 0 -> put(x.add(y)).type();
                case 1 -> put(x.mul(y)).type();
                case 2 -> put(x.tanh()).type();
                case 3 -> put(x.relu().sub(0.25)).type();
                case 4 -> put(x.rank() == 0 ? x.unsqueeze(0) : x.get(random.nextInt((int) x.size(0)))).type();
                case 5 -> put(x.rank() == 0 ? x : x.get("1:")).type();
                case 6 -> put(x.rank() < 2 ? x : x.transpose(0, 1)).type();
                case 7 -> put(x.reshape(-1)).type();
                case 8 -> put(x.detach()).type();
                case 9 -> put(x.clone()).type();
                case 10 -> x.add_(y).type();
                case 11 -> x.mul_(0.5).type();
                case 12 -> x.rank() == 0 ? x.fill_(1).type() : x.at("0").set(random.nextInt(5) / 2.0).type();
                case 13 -> text(x);
                case 14 -> x.toString().isEmpty();
                case 15 -> put(data(random.nextBoolean() ? new long[] {3, 4} : new long[] {4})).type();
                case 16 -> inNoGrad(x, y);
                case 17 -> backward(x);
                case 18 -> update();
                default -> put(F.softmax(x, -1).sum()).type();
            };
        }

        private Type inNoGrad(Tensor x, Tensor y) {
            try (var _ = Sinter.noGrad()) {
                return x.copy_(y).type();
            }
        }

        private String backward(Tensor x) {
            if (!x.requiresGrad()) return "no tape";
            x.square().sum().backward();
            return "backward";
        }

        private String update() {
            // Only the writes: what a step makes unreadable on purpose is another test's matter.
            try (var _ = Sinter.noGrad()) {
                for (Tensor p : parameters) if (p.grad() != null) p.sub_(p.grad().mul(0.125));
            }
            for (Tensor p : parameters) p.zeroGrad();
            return "update";
        }
    }
}
