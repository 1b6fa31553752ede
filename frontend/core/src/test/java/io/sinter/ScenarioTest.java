// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.nn.BatchNorm2d;
import io.sinter.nn.Conv2d;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import io.sinter.nn.ReLU;
import io.sinter.nn.Sequential;
import io.sinter.nn.Tanh;
import io.sinter.optim.Adam;
import io.sinter.optim.SGD;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What real programs do: values against running every call at once, numbers of programs, bytes. */
class ScenarioTest {
    @BeforeEach
    void nothingPending() {
        Sinter.flush();
    }

    /**
     * {@code body}'s numbers, run lazily, after checking them against those of running every call at once.
     */
    private static double[] same(Supplier<double[]> body) {
        Trace t = Trace.current();
        Sinter.manualSeed(0);
        t.eager = true;
        double[] eager;
        try {
            eager = body.get();
        } finally {
            t.eager = false;
        }
        t.work.flush();
        Sinter.manualSeed(0);
        double[] lazy = body.get();
        assertArrayEquals(eager, lazy, 2e-4);
        return lazy;
    }

    private static double[] all(List<Tensor> tensors) {
        return tensors.stream()
                .flatMapToDouble(x -> DoubleStream.of(x.toDoubles()))
                .toArray();
    }

    /**
     * Runs {@code step} a number of times; the last ones must compile nothing. Returns how many programs a
     * step runs.
     */
    private static long steady(int times, int warm, Runnable step) {
        long compiled = 0;
        long runs = 0;
        for (int i = 0; i < times; i++) {
            if (i == warm) {
                compiled = Sinter.counters().programsCompiled();
                runs = Sinter.counters().runs();
            }
            step.run();
        }
        if (!Trace.current().eager)
            assertEquals(compiled, Sinter.counters().programsCompiled(), "compiled after warm-up");
        return (Sinter.counters().runs() - runs) / (times - warm);
    }

    @Test
    void twoNetworksTrainedAgainstEachOther() {
        long[] programs = new long[1];
        same(() -> {
            Sequential g = new Sequential(new Linear(3, 8), new Tanh(), new Linear(8, 2));
            Sequential d = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
            Adam og = new Adam(g.parameters(), 1e-2);
            Adam od = new Adam(d.parameters(), 1e-2);
            Tensor real = Tensor.randn(16, 2).add(2);
            List<Tensor> losses = new ArrayList<>();
            programs[0] = steady(8, 3, () -> {
                Tensor fake = g.call(Tensor.randn(16, 3));
                od.zeroGrad();
                Tensor a = F.binaryCrossEntropyWithLogits(d.call(real), Tensor.ones(16, 1));
                a.backward();
                Tensor b = F.binaryCrossEntropyWithLogits(d.call(fake.detach()), Tensor.zeros(16, 1));
                b.backward();
                od.step();
                og.zeroGrad();
                Tensor c = F.binaryCrossEntropyWithLogits(d.call(fake), Tensor.ones(16, 1));
                c.backward();
                og.step();
                losses.addAll(List.of(a, b, c));
            });
            losses.addAll(g.parameters());
            losses.addAll(d.parameters());
            return all(losses);
        });
        assertTrue(programs[0] <= 4, "programs a step: " + programs[0]);
    }

    /** A function and a network of the same operators cost the same. */
    @Test
    void aBareFunctionCostsWhatAModuleCosts() {
        int n = 128;
        Tensor x = Tensor.randn(n, 64);
        Tensor t = Tensor.randint(0, 10, n);
        long[] kernels = new long[2];
        long[] programs = new long[2];
        double[][] losses = new double[2][];
        for (int mode = 0; mode < 2; mode++) {
            boolean module = mode == 1;
            Sinter.manualSeed(0);
            Linear first = new Linear(64, 64);
            Linear second = new Linear(64, 10);
            SGD opt = new SGD(List.of(first.weight, first.bias, second.weight, second.bias), 0.1);
            List<Tensor> seen = new ArrayList<>();
            Runnable step = () -> {
                opt.zeroGrad();
                Supplier<Tensor> f =
                        () -> F.linear(F.linear(x, first.weight, first.bias).relu(), second.weight, second.bias);
                Tensor loss = F.crossEntropy(module ? Trace.module(f) : f.get(), t);
                loss.backward();
                opt.step();
                seen.add(loss);
            };
            steady(2, 1, step);
            long k = Sinter.counters().kernelsLaunched();
            programs[mode] = steady(4, 2, step);
            kernels[mode] = Sinter.counters().kernelsLaunched() - k;
            losses[mode] = all(seen);
        }
        assertEquals(kernels[1], kernels[0]);
        assertEquals(1, programs[0]);
        assertEquals(1, programs[1]);
        assertArrayEquals(losses[1], losses[0], 1e-6);
    }

    /**
     * The gradients that a second backward pass finds pending are run in the order of the tape, not of
     * addresses: or the same step would be another program now and then.
     */
    @Test
    void microBatchesOfManyParametersAreOneProgram() {
        List<Tensor> weights = new ArrayList<>();
        for (int i = 0; i < 12; i++) weights.add(Tensor.randn(3).requiresGrad_());
        steady(40, 2, () -> {
            weights.forEach(Tensor::zeroGrad);
            for (int batch = 0; batch < 3; batch++) {
                Tensor sum = Tensor.ones(3);
                for (Tensor w : weights) sum = sum.mul(w.add(batch));
                sum.sum().backward();
            }
            for (Tensor w : weights) w.grad().toDoubles();
        });
    }

    @Test
    void microBatchesAccumulateLikeOneBatch() {
        double[] whole = gradientOf(1);
        assertArrayEquals(whole, gradientOf(4), 1e-5);
    }

    private static double[] gradientOf(int parts) {
        Sinter.manualSeed(4);
        Sequential net = new Sequential(new Linear(5, 7), new ReLU(), new Linear(7, 1));
        Tensor x = Tensor.randn(16, 5);
        Tensor y = Tensor.randn(16, 1);
        int size = 16 / parts;
        for (int i = 0; i < parts; i++) {
            F.mseLoss(net.call(x.narrow(0, (long) i * size, size)), y.narrow(0, (long) i * size, size))
                    .div(parts)
                    .backward();
        }
        return all(net.parameters().stream().map(Tensor::grad).toList());
    }

    /**
     * Batch normalization's statistics, a network that switches to evaluation, and weights that go on
     * training.
     */
    @Test
    void trainingAndEvaluationTakeTurns() {
        same(() -> {
            Sequential net = new Sequential(new Conv2d(1, 4, 3), new BatchNorm2d(4), new ReLU());
            Linear head = new Linear(4 * 36, 3);
            List<Tensor> parameters = new ArrayList<>(net.parameters());
            parameters.addAll(head.parameters());
            SGD opt = new SGD(parameters, 0.05);
            List<Tensor> results = new ArrayList<>();
            for (int epoch = 0; epoch < 3; epoch++) {
                net.train();
                for (int i = 0; i < 3; i++) {
                    opt.zeroGrad();
                    Tensor loss = F.crossEntropy(
                            head.call(net.call(Tensor.randn(8, 1, 8, 8)).flatten(1, -1)), Tensor.randint(0, 3, 8));
                    loss.backward();
                    opt.step();
                    results.add(loss);
                }
                net.eval();
                try (var _ = Sinter.noGrad()) {
                    for (int i = 0; i < 2; i++)
                        results.add(head.call(net.call(Tensor.randn(4, 1, 8, 8)).flatten(1, -1))
                                .argmax(1)
                                .sum());
                }
            }
            results.addAll(net.namedBuffers().values());
            return all(results);
        });
    }

    /** A metric of 1,000 batches read at the end; memory does not grow with their number. */
    @Test
    void aThousandEvaluationBatches() {
        Sequential net = new Sequential(new Linear(32, 16), new ReLU(), new Linear(16, 4));
        net.eval();
        Session session = Session.current();
        long peak = 0;
        long programs = 0;
        Tensor right = Tensor.scalar(0);
        try (var _ = Sinter.noGrad()) {
            for (int i = 0; i < 1000; i++) {
                Tensor x = Tensor.ones(64, 32).mul(i * 0.001);
                right = right.add(net.call(x).argmax(1).eq(0).sum());
                if (i == 10) programs = Sinter.counters().programsCompiled();
                if (i % 250 == 249) {
                    session.allocator().collect();
                    long live = session.allocator().stats().liveBytes();
                    if (peak != 0)
                        assertTrue(
                                live <= peak + 500_000,
                                "live " + live + " after " + i + " batches, " + peak + " before");
                    else peak = live;
                }
            }
        }
        assertEquals(programs, Sinter.counters().programsCompiled());
        assertTrue(right.itemLong() >= 0);
    }

    /** A network that fails in the middle of its forward pass, and then works. */
    @Test
    void afterAnExceptionTrainingGoesOn() {
        same(() -> {
            boolean[] fail = {false};
            Net net = new Sequential(new Linear(4, 4), new Net() {
                @Override
                public Tensor forward(Tensor x) {
                    Tensor y = x.tanh();
                    if (fail[0]) throw new UnsupportedOperationException("no");
                    return y;
                }
            });
            Adam opt = new Adam(net.parameters(), 0.01);
            Tensor x = Tensor.randn(8, 4);
            List<Tensor> losses = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                fail[0] = i == 3;
                opt.zeroGrad();
                if (fail[0]) {
                    assertThrows(UnsupportedOperationException.class, () -> net.call(x));
                    continue;
                }
                Tensor loss = net.call(x).square().mean();
                loss.backward();
                opt.step();
                losses.add(loss);
            }
            losses.addAll(net.parameters());
            return all(losses);
        });
    }

    /** Two threads train a network each, with one network's results read by the other thread. */
    @Test
    void twoThreads() throws InterruptedException {
        double[][] results = new double[3][];
        Tensor[] shared = new Tensor[1];
        Tensor x = Tensor.randn(8, 4);
        Linear[] nets = {new Linear(4, 4), new Linear(4, 4), null};
        nets[2] = new Linear(4, 4);
        try (var _ = Sinter.noGrad()) {
            nets[1].weight.copy_(nets[0].weight);
            nets[1].bias.copy_(nets[0].bias);
        }
        Sinter.flush();
        Thread[] threads = new Thread[2];
        for (int k = 0; k < 2; k++) {
            int me = k;
            threads[k] = Thread.ofPlatform().start(() -> {
                SGD opt = new SGD(nets[me].parameters(), 0.1);
                double last = 0;
                for (int i = 0; i < 20; i++) {
                    opt.zeroGrad();
                    Tensor loss = nets[me].call(x).square().mean();
                    loss.backward();
                    opt.step();
                    last = loss.item();
                    if (me == 0) shared[0] = nets[0].weight;
                }
                results[me] = new double[] {last, nets[me].weight.sum().item()};
            });
        }
        for (Thread t : threads) t.join();
        assertArrayEquals(results[0], results[1], 1e-6);
        assertEquals(results[0][1], shared[0].sum().item(), 1e-6);
    }

    /** Gradients are read, clipped and changed between backward and step. */
    @Test
    void readingAndClippingGradients() {
        same(() -> {
            Linear net = new Linear(6, 2);
            SGD opt = new SGD(net.parameters(), 0.1);
            List<Tensor> seen = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                opt.zeroGrad();
                Tensor loss = net.call(Tensor.randn(5, 6)).square().sum();
                loss.backward();
                Tensor norm = net.weight.grad().norm();
                if (norm.item() > 1) net.weight.grad().div_(norm);
                opt.step();
                seen.add(loss);
                seen.add(net.weight.grad().clone());
            }
            seen.addAll(net.parameters());
            return all(seen);
        });
    }

    /**
     * An LSTM-like loop inside one step, and generation with a cache that is written position by position.
     */
    @Test
    void loopsAndCaches() {
        same(() -> {
            Linear cell = new Linear(6, 4);
            SGD opt = new SGD(cell.parameters(), 0.1);
            Tensor x = Tensor.randn(5, 3, 2);
            List<Tensor> seen = new ArrayList<>();
            for (int step = 0; step < 3; step++) {
                opt.zeroGrad();
                Tensor h = Tensor.zeros(3, 4);
                for (Tensor t : x.unbind(0))
                    h = cell.call(F.cat(List.of(t, h), 1)).tanh();
                Tensor loss = h.square().mean();
                loss.backward();
                opt.step();
                seen.add(loss);
            }
            Tensor cache = Tensor.zeros(8, 4);
            for (int i = 0; i < 8; i++) {
                cache.at(i)
                        .set(cell.call(F.cat(
                                        List.of(
                                                Tensor.full(new long[] {1, 2}, i, DType.F32),
                                                cache.get(0).unsqueeze(0)),
                                        1))
                                .get(0));
                seen.add(cache.sum());
            }
            seen.add(cache);
            return all(seen);
        });
    }
}
