// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.optim.Adam;
import io.sinter.optim.SGD;
import io.sinter.runtime.Allocator;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Memory of dropped gradients goes back at once where nobody else can hold them; {@link HeldGradientsTest} has where it does not. */
class GradientMemoryTest extends GradientWatch {
    @Test
    void afterAStep() {
        Tensor p = leaf(1);
        SGD sgd = new SGD(List.of(p), 0.25);
        for (int i = 0; i < 3; i++) {
            square(p);
            sgd.step();
            Value v = watch(p);
            assertFalse(released(v));
            sgd.zeroGrad();
            assertTrue(released(v));
        }
        assertArrayEquals(data(1).mul(0.125).toDoubles(), p.toDoubles());
    }

    @Test
    void afterAFlushAndByEveryWayToDropIt() {
        Tensor p = leaf(1);
        List<Runnable> ways = List.of(p::zeroGrad, () -> p.setGrad(null), () -> p.setGrad(data(3)));
        for (Runnable drop : ways) {
            p.setGrad(null);
            square(p);
            Sinter.flush();
            Value v = watch(p);
            drop.run();
            assertTrue(released(v));
        }
    }

    @Test
    void afterSeveralStepsOfOneGradient() {
        Tensor p = leaf(1);
        Adam adam = new Adam(List.of(p), 0.01);
        square(p);
        adam.step();
        adam.step();
        Value v = watch(p);
        p.zeroGrad();
        assertTrue(released(v));
    }

    @Test
    void sumsOfMicroBatches() {
        Tensor p = leaf(1);
        List<Value> sums = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            square(p);
            Sinter.flush();
            sums.add(watch(p));
        }
        // Every sum took the place of the one before, whose memory nobody needs then.
        assertTrue(released(sums.get(0)));
        assertTrue(released(sums.get(1)));
        assertFalse(released(sums.get(2)));
        p.zeroGrad();
        assertTrue(released(sums.get(2)));
        square(p);
        assertArrayEquals(data(1).mul(2).toDoubles(), p.grad().toDoubles());
    }

    @Test
    void ofAParameterOfTwoNetworks() {
        Tensor shared = leaf(1);
        Tensor a = leaf(2);
        Tensor b = leaf(3);
        SGD first = new SGD(List.of(shared, a), 0.5);
        SGD second = new SGD(List.of(shared, b), 0.5);
        shared.mul(a).sum().backward();
        first.step();
        shared.mul(b).sum().backward();
        second.step();
        Value v = watch(shared);
        first.zeroGrad();
        assertTrue(released(v));
        second.zeroGrad();
        // shared: −a/2, then −(a + b)/2 with the a of before its update.
        double[] expected = data(1).sub(data(2).mul(1)).sub(data(3).mul(0.5)).toDoubles();
        assertArrayEquals(expected, shared.toDoubles());
    }

    @Test
    void ofACompiledStep() {
        Tensor p = leaf(1);
        SGD sgd = new SGD(List.of(p), 0.25);
        UnaryOperator<Tensor> step = Sinter.compile((Tensor x) -> {
            sgd.zeroGrad();
            Tensor loss = p.mul(x).square().sum();
            loss.backward();
            sgd.step();
            return loss;
        });
        Tensor x = Tensor.ones(N);
        step.apply(x);
        step.apply(x);
        for (int i = 0; i < 3; i++) {
            Value v = watch(p);
            step.apply(x);
            // The first gradient is the trace's own, which is recorded and left to the collector.
            if (i > 0) assertTrue(released(v));
        }
        double[] expected = data(1).mul(Math.pow(0.5, 5)).toDoubles();
        assertArrayEquals(expected, p.toDoubles());
    }

    /** Before a replay runs, not after, as in the function itself: there is never memory for the gradients of two steps. */
    @Test
    void ofACompiledStepMakesRoomForTheNext() {
        int n = 1 << 20;
        Tensor x = Tensor.ones(n);
        Sinter.flush();
        Allocator allocator = Session.current().allocator();
        long[] more = new long[2];
        for (int compiled = 0; compiled < 2; compiled++) {
            Tensor p = Tensor.ones(n).requiresGrad_();
            SGD sgd = new SGD(List.of(p), 0.25);
            UnaryOperator<Tensor> plain = y -> {
                sgd.zeroGrad();
                Tensor loss = p.mul(y).square().sum();
                loss.backward();
                sgd.step();
                return loss;
            };
            UnaryOperator<Tensor> step = compiled == 1 ? Sinter.compile(plain) : plain;
            for (int i = 0; i < 4; i++) step.apply(x).item();
            allocator.resetPeak();
            long before = allocator.stats().liveBytes();
            step.apply(x).item();
            more[compiled] = allocator.stats().peakBytes() - before;
            assertEquals(Math.pow(0.5, 5), p.get(7).item());
        }
        assertTrue(more[1] < more[0] + (long) n * Float.BYTES / 2, more[1] + " bytes, not compiled " + more[0]);
    }
}
