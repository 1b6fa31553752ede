// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.nn.Linear;
import io.sinter.nn.Sequential;
import io.sinter.nn.Tanh;
import io.sinter.optim.AdamW;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What production asks of compiled functions: steps that return their loss are replayed, strictness, verification. */
class CompiledFunctionsTest {
    private static final class Trainer {
        final Sequential net;
        final AdamW optimizer;
        int traced;

        Trainer() {
            Sinter.manualSeed(5);
            net = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 3));
            optimizer = new AdamW(net.parameters(), 1e-2);
        }

        Tensor[] step(Tensor[] in) {
            traced++;
            optimizer.zeroGrad();
            Tensor loss = F.crossEntropy(net.call(in[0]), in[1]);
            loss.backward();
            optimizer.step();
            return new Tensor[] {loss};
        }

        double[] run(UnaryOperator<Tensor[]> step) {
            Tensor[] batch = {Tensor.ones(6, 4).cumsum(0), Tensor.from(new long[] {0, 1, 2, 0, 1, 2})};
            double[] losses = new double[8];
            for (int i = 0; i < losses.length; i++) losses[i] = step.apply(batch)[0].item();
            return losses;
        }
    }

    @Test
    void aStepThatReturnsItsLossIsReplayed() {
        Trainer plain = new Trainer();
        double[] expected = plain.run(plain::step);
        Trainer compiled = new Trainer();
        double[] actual = compiled.run(Sinter.compileAll(compiled::step));
        assertArrayEquals(expected, actual);
        assertEquals(8, plain.traced);
        assertTrue(compiled.traced <= 2, compiled.traced + " traces");
        assertTrue(actual[7] < actual[0]);
    }

    @Test
    void aReplayedLossRequiresGradientsAndCannotGoBackTwice() {
        Trainer t = new Trainer();
        UnaryOperator<Tensor[]> step = Sinter.compileAll(t::step);
        Tensor[] batch = {Tensor.ones(2, 4), Tensor.from(new long[] {0, 1})};
        String[] messages = new String[5];
        for (int i = 0; i < messages.length; i++) {
            Tensor loss = step.apply(batch)[0];
            assertTrue(loss.requiresGrad());
            messages[i] = assertThrows(RuntimeException.class, loss::backward).getMessage();
        }
        assertTrue(t.traced <= 2);
        assertTrue(messages[4].contains("a second time"), messages[4]);
        assertEquals(messages[0], messages[4]);
    }

    @Test
    void resultsThatAreStillToBeDifferentiatedAreTraced() {
        Tensor w = Tensor.of(1.0, 2.0).requiresGrad_();
        int[] traced = {0};
        UnaryOperator<Tensor[]> f = Sinter.compileAll(x -> {
            traced[0]++;
            return new Tensor[] {x[0].mul(w).sum()};
        });
        for (int i = 1; i <= 4; i++) {
            w.zeroGrad();
            f.apply(new Tensor[] {Tensor.of(3.0, i)})[0].backward();
            assertArrayEquals(new double[] {3, i}, w.grad().toDoubles());
        }
        assertEquals(4, traced[0]);
    }

    @Test
    void strictFunctionsRefuseToCompileAfterWarmUp() {
        UnaryOperator<Tensor[]> f = Sinter.compileAll(x -> new Tensor[] {x[0].exp()}, CompileOptions.strict(2));
        f.apply(new Tensor[] {Tensor.ones(2)});
        f.apply(new Tensor[] {Tensor.ones(3)});
        f.apply(new Tensor[] {Tensor.ones(2)});
        String message = assertThrows(IllegalStateException.class, () -> f.apply(new Tensor[] {Tensor.ones(4)}))
                .getMessage();
        assertTrue(message.contains("f32[4]") && message.contains("first 2"), message);
        assertEquals(Math.E, f.apply(new Tensor[] {Tensor.ones(3)})[0].get(0).item(), 1e-6);
        assertThrows(IllegalArgumentException.class, () -> CompileOptions.strict(-1));
    }

    @Test
    void verificationFindsWhatChanges() {
        double[] factor = {2.5};
        boolean[] square = {false};
        Compiled f = new Compiled(
                x -> new Tensor[] {square[0] ? x[0].mul(x[0]) : x[0].mul(factor[0])}, CompileOptions.DEFAULT, 3);
        Tensor x = Tensor.of(2.0, 4.0);
        for (int i = 0; i < 9; i++) assertArrayEquals(new double[] {5, 10}, f.call(x)[0].toDoubles());
        factor[0] = 1.5;
        String message = assertThrows(IllegalStateException.class, () -> {
                    for (int i = 0; i < 3; i++) f.call(x);
                })
                .getMessage();
        assertTrue(message.contains("no longer does what it did"), message);
        factor[0] = 2.5;
        square[0] = true;
        assertThrows(IllegalStateException.class, () -> {
            for (int i = 0; i < 3; i++) f.call(x);
        });
    }

    /** Two programs make steps in turn: Adam's bias correction counts all of them. */
    @Test
    void stepsOfTwoBatchSizesAreCountedTogether() {
        double[][] losses = new double[2][];
        for (int compiled = 0; compiled < 2; compiled++) {
            Trainer t = new Trainer();
            UnaryOperator<Tensor[]> step = compiled == 1 ? Sinter.compileAll(t::step) : t::step;
            Tensor[] large = {Tensor.ones(6, 4).cumsum(0), Tensor.from(new long[] {0, 1, 2, 0, 1, 2})};
            Tensor[] small = {Tensor.ones(2, 4).cumsum(1), Tensor.from(new long[] {2, 1})};
            losses[compiled] = new double[12];
            for (int i = 0; i < 12; i++) {
                losses[compiled][i] = step.apply(i % 3 == 2 ? small : large)[0].item();
            }
        }
        assertArrayEquals(losses[0], losses[1]);
    }

    @Test
    void verifiedStepsAreTheSteps() {
        Trainer plain = new Trainer();
        double[] expected = plain.run(plain::step);
        Trainer t = new Trainer();
        Compiled c = new Compiled(t::step, CompileOptions.DEFAULT, 2);
        assertArrayEquals(expected, t.run(c::call));
        assertTrue(t.traced > 3, Arrays.toString(expected));
    }
}
