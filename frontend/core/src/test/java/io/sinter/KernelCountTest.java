// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.nn.Linear;
import io.sinter.nn.ReLU;
import io.sinter.nn.Sequential;
import io.sinter.optim.Adam;
import io.sinter.optim.Optimizer;
import io.sinter.optim.RMSprop;
import io.sinter.optim.SGD;
import io.sinter.runtime.Counters;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * How many kernels programs become, counted at the launches, and what a second step of the same shape costs.
 */
class KernelCountTest {
    private final Counters counters = Sinter.counters();

    /** Kernels launched by {@code work} and what it leaves pending. */
    private long kernels(Runnable work) {
        Sinter.flush();
        long before = counters.kernelsLaunched();
        work.run();
        Sinter.flush();
        return counters.kernelsLaunched() - before;
    }

    private static Tensor leaf(long... shape) {
        Tensor t = Tensor.rand(shape).requiresGrad_();
        t.toDoubles();
        return t;
    }

    @Test
    void aChainOfElementwiseOperatorsIsOne() {
        Tensor a = leaf(64, 33).detach();
        Tensor b = leaf(64, 33).detach();
        Tensor c = leaf(64, 33).detach();
        Tensor d = leaf(64, 33).detach();
        assertEquals(1, kernels(() -> a.mul(b).add(c).tanh().mul(d.sigmoid()).toDoubles()));
    }

    @Test
    void softmaxIsOneForwardAndOneBackward() {
        Tensor x = leaf(16, 50);
        Tensor dy = leaf(16, 50).detach();
        Tensor[] y = new Tensor[1];
        assertEquals(1, kernels(() -> {
            y[0] = F.softmax(x, -1);
            y[0].toDoubles();
        }));
        assertEquals(1, kernels(() -> {
            y[0].backward(dy);
            x.grad().toDoubles();
        }));
    }

    @Test
    void layerNormIsOneForwardAndAtMostTwoBackward() {
        Tensor x = leaf(16, 50);
        Tensor w = leaf(50);
        Tensor b = leaf(50);
        Tensor dy = leaf(16, 50).detach();
        Tensor[] y = new Tensor[1];
        assertEquals(1, kernels(() -> {
            y[0] = F.layerNorm(x, new long[] {50}, w, b, 1e-5);
            y[0].toDoubles();
        }));
        // As a step has it: all gradients at once.
        long backward = kernels(() -> y[0].backward(dy));
        assertTrue(backward <= 2, () -> backward + " kernels");
    }

    @Test
    void anOptimizersStepOfAWholeModelIsOne() {
        oneKernel(parameters -> new Adam(parameters, 1e-3));
        oneKernel(parameters -> new SGD(parameters, 1e-3));
        oneKernel(parameters -> new SGD(parameters, 1e-3).momentum(0.9).weightDecay(1e-4));
        oneKernel(parameters -> new RMSprop(parameters, 1e-3).centered(true).momentum(0.9));
    }

    private void oneKernel(Function<List<Tensor>, Optimizer> make) {
        Sequential net =
                new Sequential(new Linear(20, 30), new ReLU(), new Linear(30, 40), new ReLU(), new Linear(40, 5));
        Optimizer optimizer = make.apply(net.parameters());
        Tensor x = leaf(8, 20).detach();
        for (int i = 0; i < 2; i++) {
            optimizer.zeroGrad();
            net.call(x).square().mean().backward();
            // All gradients are there before the step: what is left is the update.
            for (Tensor p : net.parameters()) p.grad().toDoubles();
            assertEquals(1, kernels(optimizer::step));
        }
    }

    @Test
    void aSecondStepOfTheSameShapeRunsNoPass() {
        Linear net = new Linear(12, 7);
        Adam adam = new Adam(net.parameters(), 1e-3);
        Tensor x = leaf(8, 12).detach();
        long[] compiled = new long[6];
        for (int i = 0; i < compiled.length; i++) {
            adam.zeroGrad();
            Tensor loss = net.call(x).square().mean();
            loss.backward();
            adam.step();
            loss.item();
            compiled[i] = counters.programsCompiled();
        }
        assertEquals(compiled[2], compiled[5]);
    }

    @Test
    void aNewBatchSizeNeedsNoNewCode() {
        Sequential net = new Sequential(new Linear(24, 48), new ReLU(), new Linear(48, 10));
        Adam adam = new Adam(net.parameters(), 1e-3);
        long[] generated = new long[3];
        long[] sizes = {32, 48, 56};
        for (int k = 0; k < sizes.length; k++) {
            Tensor x = leaf(sizes[k], 24).detach();
            Tensor y = Tensor.randint(0, 10, sizes[k]);
            for (int i = 0; i < 2; i++) {
                adam.zeroGrad();
                Tensor loss = F.crossEntropy(net.call(x), y);
                loss.backward();
                adam.step();
                loss.item();
            }
            generated[k] = counters.kernelsGenerated();
        }
        assertEquals(generated[0], generated[1]);
        assertEquals(generated[1], generated[2]);
    }
}
