// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.nn.Clip;
import io.sinter.optim.SGD;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Random programs of backward passes, steps, hooks and dropped gradients give the same numbers whether memory of gradients goes back at
 * once or never does, and whether calls run at once or late. What is released too early is an error, or another tensor's numbers.
 */
class RandomGradientMemoryTest {
    private static final int PROGRAMS = 40;
    private static final int STEPS = 60;
    private static final int N = 6;

    @Test
    void releasedOrNot() {
        int released = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            Program kept = run(seed, false, true);
            Program freed = run(seed, false, false);
            Program eager = run(seed, true, true);
            compare(seed, kept, freed, false);
            compare(seed, eager, run(seed, true, false), false);
            compare(seed, eager, freed, true);
            assertEquals(0, kept.released);
            released += freed.released;
        }
        assertTrue(released > 3 * PROGRAMS, "only " + released + " gradients released");
    }

    /** @param lost {@code actual} may have lost values that a step has overwritten, which calls that run at once never do */
    private static void compare(long seed, Program expected, Program actual, boolean lost) {
        for (int i = 0; i < expected.log.size(); i++) {
            Entry e = expected.log.get(i);
            Entry a = actual.log.get(i);
            String where = "seed " + seed + ", step " + i + ": " + e.name;
            assertEquals(e.name, a.name, where);
            if (lost && a.error.contains("has overwritten since")) return;
            assertEquals(e.error, a.error, where);
            assertArrayEquals(e.values, a.values, 1e-9, where);
        }
        assertEquals(expected.log.size(), actual.log.size());
    }

    private record Entry(String name, String error, double... values) {}

    private static Program run(long seed, boolean eager, boolean keep) {
        Trace t = Trace.current();
        t.work.flush();
        t.eager = eager;
        try {
            Program p = new Program(seed, keep);
            p.run();
            return p;
        } finally {
            t.eager = false;
            t.work.flush();
        }
    }

    private static final class Program {
        private final Random random;
        /** Asks for every gradient before it is dropped, so that its memory stays. */
        private final boolean keep;

        /** Looks at no gradient: one that is seen stays, and whatever is pending beside it. */
        private final boolean discreet;

        private final List<Tensor> leaves = new ArrayList<>();
        private final List<Tensor> held = new ArrayList<>();
        private final SGD optimizer;
        final List<Entry> log = new ArrayList<>();
        int released;

        Program(long seed, boolean keep) {
            random = new Random(seed);
            this.keep = keep;
            discreet = random.nextBoolean();
            for (int i = 0; i < 4; i++) leaves.add(data().requiresGrad_());
            optimizer = new SGD(leaves, 0.0625).momentum(0.5);
        }

        private Tensor data() {
            return Tensor.from(random.ints(N, -8, 9).mapToDouble(i -> i / 16.0).toArray(), N);
        }

        void run() {
            for (int i = 0; i < STEPS; i++) {
                add("step", this::step);
                if (random.nextInt(4) == 0 && !held.isEmpty()) read("held", any(held));
            }
            for (Tensor p : leaves) read("leaf", p);
            for (Tensor p : leaves) if (p.gradient() != null) read("gradient", p.gradient());
            for (Tensor x : held) read("held", x);
        }

        private void read(String name, Tensor x) {
            add(name, x::toDoubles);
        }

        private void add(String name, Supplier<double[]> what) {
            try {
                log.add(new Entry(name, "", what.get()));
            } catch (IllegalStateException e) {
                log.add(new Entry(name, e.getMessage().split("\n")[0]));
            }
        }

        private Tensor any(List<Tensor> from) {
            return from.get(random.nextInt(from.size()));
        }

        private void hold(Tensor x) {
            if (held.size() < 8) held.add(x);
            else held.set(random.nextInt(8), x);
        }

        private double[] step() {
            Tensor p = any(leaves);
            int choice = random.nextInt(discreet ? 12 : 18);
            switch (choice) {
                case 0, 1, 2, 3 -> backward(p, any(leaves));
                case 4, 5, 6 -> drop(p);
                case 7 -> {
                    for (Tensor x : leaves) drop(x);
                }
                case 8, 9 -> optimizer.step();
                case 10, 11 -> Sinter.flush();
                case 12 -> {
                    if (p.gradient() != null) hold(p.grad());
                }
                case 13 -> {
                    // Consumed: stays pending over a flush.
                    if (p.gradient() != null) {
                        Tensor x = p.grad().mul(2);
                        hold(x);
                        hold(x.add(1).detach());
                    }
                }
                case 14 -> {
                    if (p.gradient() != null) p.grad().get("1:4").mul_(0.5);
                }
                case 15 -> {
                    if (leaves.stream().anyMatch(x -> x.gradient() != null)) hold(Clip.clipGradNorm_(leaves, 1));
                }
                case 16 -> p.setGrad(random.nextBoolean() || held.isEmpty() ? data() : fitting(p));
                default -> {
                    if (p.gradient() != null) p.gradient().show();
                }
            }
            return new double[] {choice};
        }

        private Tensor fitting(Tensor p) {
            Tensor x = any(held);
            return x.type().equals(p.type()) && !x.requiresGrad() ? x : p.detach();
        }

        private void drop(Tensor p) {
            if (keep) p.grad();
            Value v = p.gradient() == null ? null : p.gradient().value();
            boolean there = v != null && v.data != null;
            p.zeroGrad();
            if (there && v.data == null) released++;
        }

        /** One of the shapes in which gradients meet: sums, views, products, a leaf twice, seeds, hooks. */
        private void backward(Tensor p, Tensor q) {
            int shape = random.nextInt(discreet ? 5 : 9);
            switch (shape) {
                case 0 -> p.add(q).square().sum().backward();
                case 1 -> p.mul(q).add(p).sum().backward();
                case 2 -> p.reshape(2, 3).mul(q.reshape(2, 3)).reshape(N).backward(data());
                case 3 -> p.add(q).backward(held.isEmpty() ? data() : fitting(p));
                case 5 -> {
                    Tensor y = p.tanh();
                    boolean flush = random.nextBoolean();
                    y.registerHook(g -> {
                        hold(g);
                        if (flush) Sinter.flush();
                        return null;
                    });
                    y.add(q).square().sum().backward();
                }
                case 4 -> {
                    Tensor loss = p.mul(q).square().sum();
                    loss.backward(null, true, false);
                    loss.backward();
                }
                case 6 -> {
                    Tensor g = Autograd.grad(p.mul(q).square().sum(), p).getFirst();
                    hold(g);
                    q.mul(0.5).backward(g);
                }
                case 7 -> {
                    Tensor loss = p.mul(q).square().sum();
                    loss.backward(null, true, true);
                    hold(p.grad());
                }
                default -> p.mul(3).add(q).square().mean().backward();
            }
        }
    }
}
