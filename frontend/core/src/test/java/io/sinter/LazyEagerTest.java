// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/**
 * Random programs of tensor calls (views, writes, reads, steps) give the same values and errors whether every
 * call runs at once or none does until it must.
 */
class LazyEagerTest {
    private static final int STEPS = 60;

    @RepeatedTest(60)
    void lazilyAsEagerly(RepetitionInfo repetition) {
        long seed = 1000 + repetition.getCurrentRepetition();
        List<Entry> lazy = run(seed, false);
        List<Entry> eager = run(seed, true);
        for (int i = 0; i < lazy.size(); i++)
            compare(eager.get(i), lazy.get(i), "seed " + seed + ", step " + i + "\n" + lazy.subList(0, i + 1));
        assertEquals(eager.size(), lazy.size());
    }

    /** What a step did or threw, and the values that it read. */
    private record Entry(String text, double... values) {}

    /** Equal up to rounding: fused programs keep fewer roundings than single operators. */
    private static void compare(Entry expected, Entry actual, String where) {
        assertEquals(expected.text, actual.text, where);
        assertEquals(expected.values.length, actual.values.length, where);
        double scale = 1;
        for (double v : expected.values) if (Double.isFinite(v)) scale = Math.max(scale, Math.abs(v));
        for (int i = 0; i < expected.values.length; i++) {
            if (Double.isFinite(expected.values[i]))
                assertEquals(expected.values[i], actual.values[i], 1e-4 * scale, where);
        }
    }

    private static List<Entry> run(long seed, boolean eager) {
        Trace t = Trace.current();
        t.work.flush();
        t.eager = eager;
        try {
            return new Program(seed).run();
        } finally {
            t.eager = false;
            t.work.flush();
        }
    }

    private static final class Program {
        private final Random random;
        private final List<Tensor> pool = new ArrayList<>();
        private final List<Tensor> parameters = new ArrayList<>();
        private final List<Entry> log = new ArrayList<>();

        Program(long seed) {
            random = new Random(seed);
        }

        List<Entry> run() {
            for (int i = 0; i < 2; i++) {
                Tensor p = data(3, 4).requiresGrad_();
                parameters.add(p);
                pool.add(p);
            }
            pool.add(data(3, 4));
            pool.add(data(4));
            for (int i = 0; i < STEPS; i++) {
                try {
                    log.add(step());
                } catch (IllegalStateException | IllegalArgumentException e) {
                    log.add(new Entry(
                            e.getClass().getSimpleName() + ": " + e.getMessage().split("\n")[0]));
                }
            }
            for (Tensor x : pool) log.add(read(x));
            for (Tensor p : parameters) log.add(p.grad() == null ? new Entry("no gradient") : read(p.grad()));
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

        private static Entry read(Tensor x) {
            return new Entry(x.type() + (x.requiresGrad() ? " grad" : ""), x.toDoubles());
        }

        private Tensor put(Tensor x) {
            if (pool.size() < 12) pool.add(x);
            else pool.set(2 + random.nextInt(10), x);
            return x;
        }

        private Entry step() {
            Tensor x = any();
            Tensor y = any();
            int choice = random.nextInt(20);
            if (choice == 13) return read(x);
            Object done =
                    switch (choice) {
                        case 0 -> put(x.add(y)).type();
                        case 1 -> put(x.mul(y)).type();
                        case 2 -> put(x.tanh()).type();
                        case 3 -> put(x.relu().sub(0.25)).type();
                        case 4 ->
                            put(x.rank() == 0 ? x.unsqueeze(0) : x.get(random.nextInt((int) x.size(0))))
                                    .type();
                        case 5 -> put(x.rank() == 0 ? x : x.get("1:")).type();
                        case 6 -> put(x.rank() < 2 ? x : x.transpose(0, 1)).type();
                        case 7 -> put(x.reshape(-1)).type();
                        case 8 -> put(x.detach()).type();
                        case 9 -> put(x.clone()).type();
                        case 10 -> x.add_(y).type();
                        case 11 -> x.mul_(0.5).type();
                        case 12 ->
                            x.rank() == 0
                                    ? x.fill_(1).type()
                                    : x.at("0").set(random.nextInt(5) / 2.0).type();
                        case 14 -> x.toString().isEmpty();
                        case 15 ->
                            put(data(random.nextBoolean() ? new long[] {3, 4} : new long[] {4}))
                                    .type();
                        case 16 -> inNoGrad(x, y);
                        case 17 -> backward(x);
                        case 18 -> update();
                        default -> put(F.softmax(x, -1).sum()).type();
                    };
            return new Entry(choice + " " + done);
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
            // All values here are small and made at the top level, so that a step makes none of them
            // unreadable.
            Trace.boundary(() -> {
                for (Tensor p : parameters)
                    if (p.grad() != null) p.sub_(p.grad().mul(0.125));
            });
            for (Tensor p : parameters) p.zeroGrad();
            return "update";
        }
    }
}
