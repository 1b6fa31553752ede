// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.io.SafeTensors;
import io.sinter.ir.DType;
import io.sinter.ir.ref.RefArray;
import io.sinter.nn.Clip;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Optimizers against their formulas in plain Java, and their settings and states. */
class OptimizersTest {
    private static final double[] START = {0.5, -1.25, 2};

    /** The parameter after each of five steps whose gradients are {@code p² + step}. */
    private static double[][] trajectory(Function<List<Tensor>, Optimizer> make) {
        Tensor p = Tensor.from(START, 3).requiresGrad_();
        Optimizer optimizer = make.apply(List.of(p));
        double[][] out = new double[5][];
        for (int step = 0; step < 5; step++) {
            optimizer.zeroGrad();
            p.pow(3).div(3).add(p.mul((double) step)).sum().backward();
            optimizer.step();
            out[step] = p.toDoubles();
        }
        return out;
    }

    /** One element's update in plain Java: step number from 1, value, gradient, and numbers to remember. */
    private interface Rule {
        double next(int step, double p, double g, double[] memory);
    }

    private static void check(Function<List<Tensor>, Optimizer> make, Rule rule) {
        double[][] actual = trajectory(make);
        for (int i = 0; i < START.length; i++) {
            double p = START[i];
            double[] memory = new double[4];
            for (int step = 1; step <= 5; step++) {
                p = rule.next(step, p, p * p + (step - 1), memory);
                assertEquals(p, actual[step - 1][i], 1e-12, "element " + i + " after step " + step);
            }
        }
    }

    @Test
    void sgdWithDampening() {
        check(p -> new SGD(p, 0.1).momentum(0.8).dampening(0.3).weightDecay(0.01), (step, p, gradient, m) -> {
            double g = gradient + 0.01 * p;
            m[0] = step == 1 ? g : 0.8 * m[0] + 0.7 * g;
            return p - 0.1 * m[0];
        });
    }

    @Test
    void sgdNesterovUpwards() {
        check(p -> new SGD(p, 0.01).momentum(0.9).nesterov(true).maximize(true), (step, p, gradient, m) -> {
            m[0] = 0.9 * m[0] - gradient;
            return p - 0.01 * (-gradient + 0.9 * m[0]);
        });
    }

    private static double adam(int step, double p, double g, double[] m, boolean amsgrad) {
        m[0] = 0.8 * m[0] + 0.2 * g;
        m[1] = 0.9 * m[1] + 0.1 * g * g;
        m[2] = Math.max(m[2], m[1]);
        double v = amsgrad ? m[2] : m[1];
        return p - 0.05 / (1 - Math.pow(0.8, step)) * m[0] / (Math.sqrt(v) / Math.sqrt(1 - Math.pow(0.9, step)) + 1e-3);
    }

    @Test
    void adamWithAmsgrad() {
        check(
                p -> new Adam(p, 0.05)
                        .betas(0.8, 0.9)
                        .eps(1e-3)
                        .weightDecay(0.1)
                        .amsgrad(true),
                (step, p, g, m) -> adam(step, p, g + 0.1 * p, m, true));
    }

    @Test
    void adamW() {
        check(
                p -> new AdamW(p, 0.05).betas(0.8, 0.9).eps(1e-3).weightDecay(0.1),
                (step, p, g, m) -> adam(step, p * (1 - 0.05 * 0.1), g, m, false));
    }

    @Test
    void rmsprop() {
        check(p -> new RMSprop(p, 0.02).alpha(0.9).eps(1e-3).momentum(0.5).weightDecay(0.1), (step, p, gradient, m) -> {
            double g = gradient + 0.1 * p;
            m[0] = 0.9 * m[0] + 0.1 * g * g;
            m[1] = 0.5 * m[1] + g / (Math.sqrt(m[0]) + 1e-3);
            return p - 0.02 * m[1];
        });
    }

    @Test
    void rmspropCenteredUpwards() {
        check(p -> new RMSprop(p, 0.02).alpha(0.9).eps(1e-3).centered(true).maximize(true), (step, p, gradient, m) -> {
            double g = -gradient;
            m[0] = 0.9 * m[0] + 0.1 * g * g;
            m[1] = 0.9 * m[1] + 0.1 * g;
            return p - 0.02 * g / (Math.sqrt(m[0] - m[1] * m[1]) + 1e-3);
        });
    }

    @Test
    void sgdWithoutMomentum() {
        check(p -> new SGD(p, 0.1), (step, p, g, m) -> p - 0.1 * g);
        check(p -> new SGD(p, 0.1).weightDecay(0.2), (step, p, g, m) -> p - 0.1 * (g + 0.2 * p));
    }

    @Test
    void aHalfPrecisionStepRoundsOnce() {
        Tensor p = Tensor.from(new float[] {1, -3}, 2).to(DType.BF16).detach().requiresGrad_();
        p.mul(Tensor.from(new float[] {2, 1}, 2).to(DType.BF16)).sum().backward();
        new SGD(List.of(p), 0.001).weightDecay(0.01).step();
        float[] expected = new float[2];
        float[] start = {1, -3};
        float[] gradients = {2, 1};
        for (int i = 0; i < 2; i++) {
            float g = gradients[i] + start[i] * 0.01f;
            expected[i] = (float) RefArray.round(DType.BF16, start[i] - g * 0.001f);
        }
        assertArrayEquals(expected, p.to(DType.F32).toFloats());
    }

    @Test
    void aSecondStepCompilesNothing() {
        Net net = new Linear(3, 2);
        Optimizer optimizer = new Adam(net.parameters(), 0.1);
        Tensor x = Tensor.from(new float[] {1, 2, 3}, 1, 3);
        step(net, optimizer, x);
        long programs = Sinter.counters().programsCompiled();
        for (int i = 0; i < 3; i++) {
            optimizer.lr(0.1 / (i + 2));
            step(net, optimizer, x);
        }
        assertEquals(programs, Sinter.counters().programsCompiled());
    }

    private static double step(Net net, Optimizer optimizer, Tensor x) {
        optimizer.zeroGrad();
        Tensor loss = net.call(x).square().sum();
        loss.backward();
        optimizer.step();
        return loss.item();
    }

    @Test
    void groupsHaveTheirOwnSettings() {
        Tensor a = Tensor.from(new double[] {1}, 1).requiresGrad_();
        Tensor b = Tensor.from(new double[] {1}, 1).requiresGrad_();
        Tensor unused = Tensor.from(new double[] {1}, 1).requiresGrad_();
        SGD optimizer = new SGD(List.of(a, unused), 0.5);
        optimizer.addGroup(List.of(b)).lr(0.25).set("weightDecay", 2);
        a.add(b).sum().backward();
        optimizer.step();
        assertEquals(0.5, a.item());
        assertEquals(1 - 0.25 * (1 + 2), b.item());
        assertEquals(1, unused.item());
        assertThrows(IllegalArgumentException.class, () -> optimizer.addGroup(List.of(a)));
        assertThrows(IllegalArgumentException.class, () -> optimizer.addGroup(List.of()));
        assertThrows(IllegalArgumentException.class, () -> optimizer.addGroup(List.of(a.mul(2.0))));
        assertThrows(
                IllegalArgumentException.class,
                () -> optimizer.groups().getFirst().get("beta1"));
        assertThrows(IllegalArgumentException.class, () -> optimizer.lr(-1));
        assertThrows(IllegalArgumentException.class, () -> new Adam(List.of(a), Double.NaN));
        SGD nesterov = new SGD(List.of(a), 0.1).nesterov(true);
        assertThrows(IllegalArgumentException.class, nesterov::step);
    }

    @Test
    void aSavedOptimizerContinuesExactly(@TempDir Path folder) {
        Tensor x = Tensor.from(new float[] {1, -2, 0.5f}, 1, 3);
        Net net = new Linear(3, 2);
        AdamW optimizer = new AdamW(net.parameters(), 0.1);
        for (int i = 0; i < 3; i++) step(net, optimizer, x);
        SafeTensors.save(folder.resolve("net"), net.stateDict());
        SafeTensors.save(folder.resolve("optimizer"), optimizer.stateDict());
        for (int i = 0; i < 3; i++) step(net, optimizer, x);

        Net other = new Linear(3, 2);
        other.loadStateDict(SafeTensors.load(folder.resolve("net")));
        AdamW continued = new AdamW(other.parameters(), 9);
        Map<String, Tensor> saved = SafeTensors.load(folder.resolve("optimizer"));
        continued.loadStateDict(saved);
        assertEquals(0.1, continued.lr());
        for (int i = 0; i < 3; i++) step(other, continued, x);
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(
                    net.parameters().get(i).toFloats(),
                    other.parameters().get(i).toFloats());
        }

        Map<String, Tensor> broken = new TreeMap<>(saved);
        broken.remove("groups.0.beta1");
        assertThrows(IllegalArgumentException.class, () -> continued.loadStateDict(broken));
        broken.put("groups.0.beta1", saved.get("groups.0.beta1"));
        broken.put("state.7.step", saved.get("state.0.step"));
        assertThrows(IllegalArgumentException.class, () -> continued.loadStateDict(broken));
        broken.remove("state.7.step");
        broken.put("state.0.expAvg", saved.get("state.1.expAvg"));
        assertThrows(IllegalArgumentException.class, () -> continued.loadStateDict(broken));
    }

    @Test
    void clipping() {
        Tensor a = Tensor.from(new double[] {1, 2}, 2).requiresGrad_();
        Tensor b = Tensor.from(new double[] {2}, 1).requiresGrad_();
        Tensor without = Tensor.from(new double[] {2}, 1).requiresGrad_();
        a.square().sum().mul(0.5).add(b.square().sum().mul(0.5)).backward(); // gradients 1, 2 and 2: norm 3
        assertEquals(3, Clip.clipGradNorm_(List.of(a, without, b), 1.5).item(), 1e-12);
        assertArrayEquals(new double[] {0.5, 1}, a.grad().toDoubles(), 1e-6);
        assertEquals(1.5, Clip.clipGradNorm_(List.of(a, b), 10).item(), 1e-5);
        assertArrayEquals(new double[] {0.5, 1}, a.grad().toDoubles(), 1e-6);
        Clip.clipGradValue_(List.of(a, b), 0.75);
        assertArrayEquals(new double[] {0.5, 0.75}, a.grad().toDoubles(), 1e-6);
        assertThrows(IllegalArgumentException.class, () -> Clip.clipGradNorm_(List.of(without), 1));
        assertThrows(IllegalArgumentException.class, () -> Clip.clipGradNorm_(List.of(a), 0));
    }

    @Test
    void schedules() {
        assertRates(Scheduler.step(sgd(), 2, 0.1), 8, 8, 0.8, 0.8, 0.08);
        assertRates(Scheduler.exponential(sgd(), 0.5), 8, 4, 2, 1);
        assertRates(Scheduler.linear(sgd(), 0.25, 1, 3), 2, 4, 6, 8, 8);
        assertRates(
                Scheduler.cosine(sgd(), 4, 2),
                8,
                2 + 6 * (1 + Math.sqrt(0.5)) / 2,
                5,
                2 + 6 * (1 - Math.sqrt(0.5)) / 2,
                2);
        assertRates(Scheduler.lambda(sgd(), t -> 1.0 / (t + 1)), 8, 4, 8.0 / 3);
        assertRates(Scheduler.warmupCosine(sgd(), 1, 3, 0.5), 4, 8, 6, 4, 4);
        assertThrows(IllegalArgumentException.class, () -> Scheduler.step(sgd(), 0, 0.1));
    }

    private static SGD last;

    private static SGD sgd() {
        return last = new SGD(List.of(Tensor.from(new double[] {1}, 1).requiresGrad_()), 8);
    }

    private static void assertRates(Scheduler s, double... rates) {
        SGD optimizer = last;
        for (int i = 0; i < rates.length; i++) {
            assertEquals(rates[i], optimizer.lr(), 1e-12, "after " + i + " steps");
            s.step();
        }
        s.restore(1);
        assertEquals(rates[1], optimizer.lr(), 1e-12);
        assertEquals(1, s.epoch());
    }
}
