// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.Trace;
import io.sinter.nn.BatchNorm2d;
import io.sinter.nn.Conv2d;
import io.sinter.nn.Dropout;
import io.sinter.nn.Flatten;
import io.sinter.nn.Linear;
import io.sinter.nn.ReLU;
import io.sinter.nn.Sequential;
import io.sinter.optim.AdamW;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class CompileTest {
    /** A training step with dropout, momentum and a learning rate that changes. */
    private static final class Trainer {
        final Tensor w;
        final Tensor m = Tensor.from(new float[4], 4, 1);
        double lr = 0.1;
        int traced;

        Trainer() {
            Sinter.manualSeed(3);
            w = Tensor.randn(4, 1).requiresGrad_();
        }

        Tensor step(Tensor x, Tensor y) {
            traced++;
            w.zeroGrad();
            Tensor loss = F.mseLoss(F.dropout(x, 0.25, true).matmul(w), y);
            loss.backward();
            Trace.boundary(() -> {
                m.mul_(0.9).add_(w.grad());
                w.sub_(m.mul(Trace.live(w.dtype(), () -> lr)));
            });
            return loss.detach();
        }

        double[] run(BinaryOperator<Tensor> f) {
            Tensor x = Tensor.randn(16, 4);
            Tensor y = Tensor.randn(16, 1);
            double[] r = new double[13];
            for (int i = 0; i < 8; i++) {
                if (i == 4) lr = 0.03;
                r[i] = f.apply(x, y).item();
            }
            System.arraycopy(w.toDoubles(), 0, r, 8, 4);
            r[12] = w.grad().sum().item();
            return r;
        }
    }

    @Test
    void aReplayedTrainingStepIsTheStep() {
        Trainer plain = new Trainer();
        double[] expected = plain.run(plain::step);
        Trainer compiled = new Trainer();
        double[] actual = compiled.run(Sinter.compile(compiled::step));
        assertArrayEquals(expected, actual);
        assertEquals(8, plain.traced);
        assertEquals(1, compiled.traced);
    }

    /**
     * A network with dropout and batch statistics, Adam with bias correction and weight decay, in training
     * and evaluation.
     */
    @Test
    void aCompiledStepOfARealNetworkIsTheStep() {
        double[][] results = new double[2][];
        int[] traced = new int[2];
        for (int mode = 0; mode < 2; mode++) {
            int m = mode;
            Sinter.manualSeed(11);
            Sequential net = new Sequential(
                    new Conv2d(1, 4, 3),
                    new BatchNorm2d(4),
                    new ReLU(),
                    new Flatten(),
                    new Dropout(0.2),
                    new Linear(4 * 16, 3));
            AdamW opt = new AdamW(net.parameters(), 1e-2);
            BinaryOperator<Tensor> step = (x, y) -> {
                traced[m]++;
                opt.zeroGrad();
                Tensor loss = F.crossEntropy(net.call(x), y);
                loss.backward();
                opt.step();
                return loss.detach();
            };
            UnaryOperator<Tensor> predict = x -> {
                try (var _ = Sinter.noGrad()) {
                    return net.call(x);
                }
            };
            if (mode == 1) {
                step = Sinter.compile(step);
                predict = Sinter.compile(predict);
            }
            DoubleStream.Builder seen = DoubleStream.builder();
            for (int i = 0; i < 6; i++) {
                if (i == 3) opt.lr(1e-3);
                net.train();
                seen.add(step.apply(Tensor.randn(8, 1, 6, 6), Tensor.randint(0, 3, 8))
                        .item());
                net.eval();
                for (double v : predict.apply(Tensor.randn(2, 1, 6, 6)).toDoubles()) seen.add(v);
            }
            for (Tensor t : net.stateDict().values()) for (double v : t.toDoubles()) seen.add(v);
            results[mode] = seen.build().toArray();
        }
        assertArrayEquals(results[0], results[1], 1e-5);
        assertEquals(6, traced[0]);
        assertEquals(2, traced[1], "the first step makes the optimizer's state");
    }

    @Test
    void temporariesThatAreWrittenInPlaceStartAfresh() {
        UnaryOperator<Tensor> f = Sinter.compile((Tensor x) -> {
            Tensor sum = Tensor.from(new float[2]);
            sum.add_(x);
            return sum.add_(x);
        });
        for (int i = 0; i < 4; i++)
            assertArrayEquals(new double[] {2, 4}, f.apply(Tensor.of(1.0, 2.0)).toDoubles());
    }

    @Test
    void writesToArgumentsAndCapturedTensorsAreReplayed() {
        Tensor k = Tensor.zeros(3);
        UnaryOperator<Tensor> f = Sinter.compile((Tensor t) -> {
            k.at(1).set(t.sum());
            t.add_(1);
            return k.mul(2);
        });
        for (int i = 0; i < 3; i++) {
            Tensor x = Tensor.of(1.0 + i, 2.0);
            assertArrayEquals(new double[] {0, 6 + 2 * i, 0}, f.apply(x).toDoubles());
            assertArrayEquals(new double[] {2 + i, 3}, x.toDoubles());
            assertArrayEquals(new double[] {0, 3 + i, 0}, k.toDoubles());
        }
        k.fill_(9);
        assertArrayEquals(new double[] {18, 2, 18}, f.apply(Tensor.of(1.0, 0.0)).toDoubles());
    }

    @Test
    void aSharedStateIsCopiedRatherThanTaken() {
        Tensor k = Tensor.of(1.0, 2.0);
        UnaryOperator<Tensor> f = Sinter.compile((Tensor t) -> {
            k.add_(t);
            return k.sum();
        });
        Tensor one = Tensor.of(1.0, 1.0);
        f.apply(one);
        Tensor saved = k.clone();
        assertEquals(7, f.apply(one).item());
        assertArrayEquals(new double[] {2, 3}, saved.toDoubles());
        assertArrayEquals(new double[] {3, 4}, k.toDoubles());
    }

    @Test
    void otherSignaturesAreTracedAnew() {
        int[] traced = new int[1];
        BinaryOperator<Tensor> f = Sinter.compile((Tensor a, Tensor b) -> {
            traced[0]++;
            return a.mul(b);
        });
        Tensor x = Tensor.of(2.0, 3.0);
        assertArrayEquals(new double[] {4, 9}, f.apply(x, x).toDoubles());
        assertArrayEquals(new double[] {2, 3}, f.apply(x, Tensor.of(1.0, 1.0)).toDoubles());
        assertArrayEquals(
                new double[] {10, 12},
                f.apply(Tensor.of(5.0, 6.0), Tensor.of(2.0, 2.0)).toDoubles());
        assertEquals(2, traced[0]);
        f.apply(Tensor.of(1, 2), Tensor.of(1, 2));
        f.apply(Tensor.of(1.0), Tensor.of(1.0));
        assertEquals(4, traced[0]);
    }

    @Test
    void observedSwitchesChooseTheProgram() {
        boolean[] training = {true};
        int[] traced = new int[1];
        UnaryOperator<Tensor> f = Sinter.compile((Tensor x) -> {
            traced[0]++;
            return Trace.observe(() -> training[0]) ? x.mul(2) : x.add(100);
        });
        Tensor x = Tensor.of(1.0);
        assertEquals(2, f.apply(x).item());
        training[0] = false;
        assertEquals(101, f.apply(x).item());
        training[0] = true;
        assertEquals(2, f.apply(x).item());
        assertEquals(2, traced[0]);
    }

    @Test
    void resultsThatRequireGradientsKeepTheirTape() {
        Tensor w = Tensor.of(3.0).requiresGrad_();
        UnaryOperator<Tensor> f = Sinter.compile((Tensor x) -> x.mul(w));
        for (int i = 1; i < 4; i++) {
            w.zeroGrad();
            f.apply(Tensor.of((double) i)).sum().backward();
            assertEquals(i, w.grad().item());
        }
    }

    @Test
    void readingInsideIsAnError() {
        UnaryOperator<Tensor> f =
                Sinter.compile((Tensor x) -> x.item() > 0 && x.mul(2).item() > 0 ? x : x.neg());
        String m = assertThrows(IllegalStateException.class, () -> f.apply(Tensor.of(1.0)))
                .getMessage();
        assertTrue(m.contains("Sinter.compile"), m);
        assertEquals(4, Tensor.of(2.0).square().item(), "the trace is usable afterwards");
    }
}
