// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.nn.BatchNorm1d;
import io.sinter.nn.Dropout;
import io.sinter.nn.Linear;
import io.sinter.nn.Sequential;
import io.sinter.nn.Tanh;
import io.sinter.optim.AdamW;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Compiled functions whose results are differentiated outside: the backward pass is a second program. */
class CompiledBackwardTest {
    private static double[] train(Sequential net, UnaryOperator<Tensor[]> forward) {
        AdamW optimizer = new AdamW(net.parameters(), 1e-2);
        double[] losses = new double[8];
        for (int i = 0; i < losses.length; i++) {
            Tensor logits = forward.apply(new Tensor[] {Tensor.ones(6, 4).cumsum(0)})[0];
            Tensor loss = F.crossEntropy(logits, Tensor.from(new long[] {0, 1, 2, 0, 1, 2}));
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            losses[i] = loss.item();
        }
        return losses;
    }

    /** A network is compiled, and its loss is not: the backward pass through the network is a second program. */
    @Test
    void resultsThatAreStillToBeDifferentiatedAreReplayed() {
        double[][] losses = new double[2][];
        for (int compiled = 0; compiled < 2; compiled++) {
            Sinter.manualSeed(6);
            Sequential net = new Sequential(
                    new Linear(4, 8), new BatchNorm1d(8), new Tanh(), new Dropout(0.3), new Linear(8, 3));
            int[] traced = {0};
            UnaryOperator<Tensor[]> f = x -> {
                traced[0]++;
                return new Tensor[] {net.call(x[0])};
            };
            losses[compiled] = train(net, compiled == 1 ? Sinter.compileAll(f, CompileOptions.strict(1)) : f);
            assertEquals(compiled == 1 ? 1 : 8, traced[0]);
        }
        assertArrayEquals(losses[0], losses[1], 1e-6);
        assertTrue(losses[0][7] < losses[0][0]);
    }

    @Test
    void aReplayAndItsBackwardPassAreOneProgramEach() {
        Tensor w = Tensor.of(1.0, 2.0).requiresGrad_();
        Compiled f = new Compiled(x -> new Tensor[] {x[0].mul(w).exp(), x[0].add(w)});
        Tensor x = Tensor.of(0.5, 0.25);
        f.call(x);
        Tensor[] out = f.call(x);
        long before = Sinter.counters().runs();
        Tensor seed = Tensor.of(1.0, 10.0);
        double[] once = {0.5 * Math.exp(0.5), 2.5 * Math.exp(0.5)};
        Autograd.backward(List.of(out[1], out[0]), List.of(seed, seed), true, false);
        assertEquals(before + 1, Sinter.counters().runs());
        assertArrayEquals(new double[] {once[0] + 1, once[1] + 10}, w.grad().toDoubles(), 1e-5);
        // Again, for it was retained, without a gradient of the other result.
        w.zeroGrad();
        Autograd.backward(List.of(out[0]), List.of(seed), false, false);
        assertArrayEquals(once, w.grad().toDoubles(), 1e-5);
        String again = assertThrows(
                        IllegalStateException.class,
                        () -> Autograd.backward(List.of(out[0]), List.of(seed), false, false))
                .getMessage();
        assertTrue(again.contains("a second time"), again);
    }

    @Test
    void gradientsFlowThroughChainsOfCompiledFunctions() {
        Tensor w = Tensor.of(2.0, 3.0).requiresGrad_();
        Compiled f = new Compiled(x -> new Tensor[] {x[0].mul(w)});
        Compiled g = new Compiled(x -> new Tensor[] {x[0].mul(x[0]).sum()});
        for (int i = 1; i < 4; i++) {
            w.zeroGrad();
            Tensor x = Tensor.of(1.0, i).requiresGrad_();
            g.call(f.call(f.call(x)))[0].backward();
            // (x w²)² by x and by w
            assertArrayEquals(new double[] {2 * 16, 2 * i * 81}, x.grad().toDoubles(), 1e-4);
            assertArrayEquals(new double[] {4 * 8, 4.0 * i * i * 27}, w.grad().toDoubles(), 1e-3);
        }
    }

    @Test
    void whatIsWrittenBeforeTheBackwardPassIsFound() {
        for (int what = 0; what < 3; what++) {
            Tensor w = Tensor.of(2.0).requiresGrad_();
            Compiled f = new Compiled(x -> new Tensor[] {x[0].mul(w).exp()});
            Tensor x = Tensor.of(3.0).requiresGrad_();
            f.call(x);
            Tensor y = f.call(x)[0];
            Tensor loss = y.sum();
            Tensor written = what == 0 ? x : what == 1 ? w : y;
            try (var _ = Sinter.noGrad()) {
                written.add_(1);
            }
            String message =
                    assertThrows(IllegalStateException.class, loss::backward).getMessage();
            assertTrue(message.contains("was modified by an in-place operation"), message);
        }
    }

    /** Nor can what the function has changed itself be differentiated, by a replay or otherwise. */
    @Test
    void whatTheFunctionChangesAfterItWasSavedIsFound() {
        int[] traced = {0};
        Compiled f = new Compiled(x -> {
            traced[0]++;
            Tensor e = x[0].exp();
            Tensor square = e.mul(e);
            e.add_(1);
            return new Tensor[] {square};
        });
        Tensor x = Tensor.of(0.5).requiresGrad_();
        for (int i = 1; i <= 4; i++) {
            Tensor y = f.call(x)[0];
            assertEquals(Math.E, y.item(), 1e-5);
            String message =
                    assertThrows(IllegalStateException.class, y::backward).getMessage();
            assertTrue(message.contains("was modified by an in-place operation"), message);
            assertEquals(i, traced[0]);
        }
    }

    /** Results refer to the recording during which they were made: what it has captured is let go. */
    @Test
    void resultsOfATraceDoNotHoldItsLeaves() {
        Tensor w = Tensor.of(2.0).requiresGrad_();
        Recording[] recording = new Recording[1];
        Compiled f = new Compiled(x -> {
            Tensor y = x[0].mul(w);
            recording[0] = Trace.current().recording;
            assertTrue(recording[0].captured.containsKey(w));
            return new Tensor[] {y};
        });
        Tensor y = f.call(Tensor.of(3.0))[0];
        assertSame(recording[0], y.value().recorded);
        assertTrue(recording[0].captured.isEmpty());
    }

    @Test
    void secondDerivativesAreRefused() {
        Tensor x = Tensor.of(2.0).requiresGrad_();
        Compiled f =
                new Compiled(in -> new Tensor[] {in[0].mul(in[0]).mul(in[0]).sum()});
        f.call(x);
        Tensor y = f.call(x)[0];
        String message = assertThrows(
                        IllegalStateException.class,
                        () -> Autograd.grad(List.of(y), List.of(x), null, true, true, false))
                .getMessage();
        assertTrue(message.contains("second derivative") && message.contains("createGraph"), message);
        assertEquals(12, Autograd.grad(y, x).getFirst().item(), 1e-4);
    }

    /** What has code of the user's in its backward pass is traced at every call, and right. */
    @Test
    void customFunctionsInsideAreTraced() {
        CustomFunction twice = new CustomFunction() {
            @Override
            protected Tensor[] forward(Context context, Tensor... inputs) {
                return new Tensor[] {inputs[0].mul(1.0)};
            }

            @Override
            protected Tensor[] backward(Context context, Tensor... gradients) {
                return new Tensor[] {gradients[0].mul(2.0)};
            }
        };
        Tensor w = Tensor.of(1.0, 2.0).requiresGrad_();
        int[] traced = {0};
        UnaryOperator<Tensor[]> f = Sinter.compileAll(x -> {
            traced[0]++;
            return new Tensor[] {twice.apply(x[0].mul(w))[0].sum()};
        });
        for (int i = 1; i <= 4; i++) {
            w.zeroGrad();
            f.apply(new Tensor[] {Tensor.of(3.0, i)})[0].backward();
            assertArrayEquals(new double[] {6, 2 * i}, w.grad().toDoubles());
        }
        assertEquals(4, traced[0]);
    }
}
