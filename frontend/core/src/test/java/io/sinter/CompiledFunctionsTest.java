// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.nn.Linear;
import io.sinter.nn.Sequential;
import io.sinter.nn.Tanh;
import io.sinter.optim.AdamW;
import io.sinter.optim.SGD;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

    /** The call that makes the optimizer's state is one program, too, and updates parameters where they lie. */
    @Test
    void theFirstStepRunsOnceAndInPlace() {
        Trainer t = new Trainer();
        Tensor[] batch = {Tensor.ones(6, 4).cumsum(0), Tensor.from(new long[] {0, 1, 2, 0, 1, 2})};
        List<Tensor> parameters = t.net.parameters();
        Sinter.flush();
        List<Long> places =
                parameters.stream().map(p -> Host.buffer(p).address()).toList();
        UnaryOperator<Tensor[]> step = Sinter.compileAll(t::step);
        for (int call = 1; call <= 3; call++) {
            long before = Sinter.counters().runs();
            step.apply(batch)[0].item();
            assertEquals(1, Sinter.counters().runs() - before, "programs in call " + call);
            assertEquals(
                    places,
                    parameters.stream().map(p -> Host.buffer(p).address()).toList());
        }
    }

    /** What the backward pass of its result will ask for is still there, though the call has written what that was computed from. */
    @Test
    void theCallThatMakesStateCanBeDifferentiated() {
        int n = 5000; // more elements than stay readable in any case
        Tensor w = Tensor.ones(n).requiresGrad_();
        Tensor state = Tensor.ones(n);
        Tensor x = Tensor.ones(n).mul(0.5);
        Sinter.flush();
        Tensor[] made = new Tensor[1];
        UnaryOperator<Tensor> f = Sinter.compile(y -> {
            if (made[0] == null) made[0] = Tensor.zeros(n);
            made[0].add_(y);
            Tensor out = w.mul(state.mul(y).exp()).sum();
            state.add_(1);
            return out;
        });
        for (int call = 1; call <= 3; call++) {
            f.apply(x).backward();
            assertEquals(Math.exp(0.5 * call), w.grad().get(7).item(), 1e-5, "call " + call);
            w.gradient(null);
        }
        assertEquals(1.5, made[0].get(7).item());
    }

    /** A replay does not drop gradients that the function adds to, or is given. */
    @Test
    void gradientsThatAFunctionReadsAreThereForIt() {
        Tensor w = Tensor.ones(3).requiresGrad_();
        Tensor x = Tensor.ones(3).mul(0.5);
        w.mul(x).sum().backward();
        UnaryOperator<Tensor> adds = Sinter.compile(y -> {
            Tensor loss = w.mul(y).sum();
            loss.backward();
            return loss;
        });
        for (int call = 1; call <= 4; call++) {
            adds.apply(x);
            assertEquals(0.5 * (call + 1), w.grad().get(1).item(), "call " + call);
        }
        UnaryOperator<Tensor> replaces = Sinter.compile(old -> {
            w.zeroGrad();
            w.mul(old).square().sum().backward();
            return old.neg();
        });
        double expected = 2.5;
        for (int call = 1; call <= 4; call++) {
            Tensor given = w.grad();
            assertEquals(-expected, replaces.apply(given).get(1).item(), "call " + call);
            expected *= 2 * expected;
            assertEquals(expected, w.grad().get(1).item(), expected * 1e-6, "call " + call);
        }
    }

    /** The gradient that a call finds is the one that the call before has left. */
    @Test
    void aFunctionMayBeginWithTheOptimizersStep() {
        double[][] ends = new double[2][];
        for (int compiled = 0; compiled < 2; compiled++) {
            Tensor w = Tensor.ones(3).requiresGrad_();
            AdamW optimizer = new AdamW(List.of(w), 1e-2);
            int[] traced = {0};
            UnaryOperator<Tensor> step = y -> {
                traced[0]++;
                optimizer.step();
                optimizer.zeroGrad();
                Tensor loss = w.mul(y).square().sum();
                loss.backward();
                return loss;
            };
            if (compiled == 1) step = Sinter.compile(step);
            w.mul(Tensor.ones(3)).sum().backward();
            ends[compiled] = new double[6];
            for (int call = 0; call < 6; call++)
                ends[compiled][call] = step.apply(Tensor.ones(3).mul(call)).item();
            assertEquals(compiled == 1 ? 2 : 6, traced[0]);
        }
        assertArrayEquals(ends[0], ends[1]);
    }

    /** What a function does with gradients, called several times with gradients taken away, or set, in between; what they are then. */
    private static List<String> gradients(UnaryOperator<UnaryOperator<Tensor>> compile, int traces, boolean optimizes) {
        Tensor w = Tensor.ones(3).requiresGrad_();
        Tensor v = Tensor.ones(3).mul(2).detach().requiresGrad_();
        SGD optimizer = new SGD(List.of(w, v), 0.01);
        int[] traced = {0};
        UnaryOperator<Tensor> backward = y -> {
            Tensor loss = w.mul(y).add(v).square().sum();
            loss.backward();
            return loss;
        };
        UnaryOperator<Tensor> f = compile.apply(y -> {
            traced[0]++;
            if (!optimizes) return backward.apply(y);
            optimizer.step();
            return y.add(1);
        });
        List<String> seen = new ArrayList<>();
        Tensor kept = null;
        for (int call = 0; call < 10; call++) {
            Tensor y = Tensor.ones(3).mul(call + 1);
            if (optimizes && call != 6) optimizer.zeroGrad();
            Tensor loss = optimizes && call % 4 != 3 ? backward.apply(y) : null;
            if (call == 3) w.zeroGrad();
            if (call == 3) v.zeroGrad();
            if (call == 5) w.setGrad(Tensor.ones(3).mul(7));
            seen.add(Arrays.toString(f.apply(y).toDoubles()));
            // Pending until now: it needs what the step has overwritten.
            if (loss != null) seen.add(String.valueOf(loss.item()));
            for (Tensor x : List.of(w, v)) {
                seen.add(Arrays.toString(x.toDoubles()));
                seen.add(x.grad() == null ? "none" : Arrays.toString(x.grad().toDoubles()));
            }
            if (call == 6) kept = w.grad();
            if (kept != null) seen.add(Arrays.toString(kept.toDoubles()));
        }
        assertEquals(traces, traced[0]);
        return seen;
    }

    /** A call adds to the gradient that it finds, as the function would: traced once for leaves without one, and once for leaves with one. */
    @Test
    void gradientsAreAddedToThoseThatACallFinds() {
        assertEquals(gradients(f -> f, 10, false), gradients(Sinter::compile, 2, false));
    }

    /** An optimizer's step alone reads the gradients that a backward pass outside has left. */
    @Test
    void anOptimizersStepAloneReadsTheGradientsOfEachCall() {
        assertEquals(gradients(f -> f, 10, true), gradients(Sinter::compile, 2, true));
    }

    /** Two leaves with one gradient: a replay could not tell whose it is, so the function is traced. */
    @Test
    void leavesThatShareAGradientAreTraced() {
        List<List<Double>> ends = new ArrayList<>();
        for (UnaryOperator<UnaryOperator<Tensor>> compile :
                List.<UnaryOperator<UnaryOperator<Tensor>>>of(f -> f, Sinter::compile)) {
            Tensor w = Tensor.ones(2).requiresGrad_();
            Tensor v = Tensor.ones(2).requiresGrad_();
            UnaryOperator<Tensor> f = compile.apply(y -> {
                Tensor loss = w.mul(y).add(v.mul(3)).sum();
                loss.backward();
                return loss;
            });
            List<Double> seen = new ArrayList<>();
            for (int call = 0; call < 6; call++) {
                if (call == 2) {
                    w.setGrad(Tensor.ones(2));
                    v.setGrad(w.grad());
                }
                if (call == 4) v.setGrad(Tensor.ones(2));
                f.apply(Tensor.ones(2).mul(call));
                seen.add(w.grad().sum().item());
                seen.add(v.grad().sum().item());
            }
            ends.add(seen);
        }
        assertEquals(ends.get(0), ends.get(1));
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
    void freezingAParameterChoosesAnotherProgram() {
        Tensor w = Tensor.of(2.0).requiresGrad_();
        Tensor b = Tensor.of(1.0);
        int[] traced = {0};
        Compiled f = new Compiled(x -> {
            traced[0]++;
            return new Tensor[] {x[0].mul(w).add(b)};
        });
        Tensor x = Tensor.of(3.0);
        for (int i = 0; i < 2; i++) f.call(x)[0].backward();
        assertEquals(6, w.grad().item());
        b.requiresGrad_();
        for (int i = 0; i < 2; i++) f.call(x)[0].backward();
        assertEquals(2, b.grad().item());
        assertEquals(2, traced[0]);
        w.requiresGrad_(false);
        f.call(x)[0].backward();
        assertEquals(12, w.grad().item());
        assertEquals(3, b.grad().item());
        try (var _ = Sinter.noGrad()) {
            assertEquals(7, f.call(x)[0].item());
        }
    }

    /** New extents of a dynamic axis are new plans of the same kernels, whatever strictness says. */
    @Test
    void dynamicAxesAreSpecializedAndShareKernels() {
        CompileOptions options = CompileOptions.strict(1).dynamic(0, 0);
        int[] traced = {0};
        UnaryOperator<Tensor[]> f = Sinter.compileAll(
                x -> {
                    traced[0]++;
                    return new Tensor[] {F.softmax(x[0].mul(0.5).exp(), 1)};
                },
                options);
        f.apply(new Tensor[] {Tensor.ones(20, 24)})[0].toDoubles();
        long specialized = Sinter.counters().programsSpecialized();
        long kernels = Sinter.counters().kernelsGenerated();
        for (int round = 0; round < 2; round++) {
            for (int n = 21; n < 31; n++) {
                double[] y = f.apply(new Tensor[] {Tensor.ones(n, 24)})[0].toDoubles();
                assertEquals(n * 24, y.length);
                assertEquals(1 / 24.0, y[n], 1e-6);
            }
        }
        assertEquals(11, traced[0]);
        assertEquals(specialized + 10, Sinter.counters().programsSpecialized());
        assertEquals(kernels, Sinter.counters().kernelsGenerated(), "kernels take extents as parameters");
        // Another axis is not dynamic.
        assertThrows(IllegalStateException.class, () -> f.apply(new Tensor[] {Tensor.ones(20, 25)}));
        // Programs that were longest not used are traced again.
        for (int n = 100; n < 100 + CompileOptions.SPECIALIZATIONS; n++) f.apply(new Tensor[] {Tensor.ones(n, 24)});
        int before = traced[0];
        f.apply(new Tensor[] {Tensor.ones(20, 24)});
        assertEquals(before + 1, traced[0]);
        UnaryOperator<Tensor[]> wrong =
                Sinter.compileAll(x -> x, CompileOptions.DEFAULT.dynamic(0, 2).dynamic(0, -1));
        assertThrows(TensorException.class, () -> wrong.apply(new Tensor[] {Tensor.ones(2, 2)}));
        assertThrows(IllegalArgumentException.class, () -> CompileOptions.DEFAULT.dynamic(-1, 0));
    }

    /** Forms that are chosen by measuring make a program of its own, which replays like any other. */
    @Test
    void autotunedFunctionsComputeTheSame() {
        Tensor w = Tensor.ones(700, 12).mul(0.25);
        UnaryOperator<Tensor[]> f = x -> new Tensor[] {x[0].matmul(w).exp().sum()};
        Tensor[] x = {Tensor.ones(9, 700).mul(1 / 512.0)};
        double expected = Sinter.compileAll(f).apply(x)[0].item();
        long compiled = Sinter.counters().programsCompiled();
        CompileOptions options = CompileOptions.strict(1).autotuned(Duration.ofMillis(300));
        UnaryOperator<Tensor[]> tuned = Sinter.compileAll(f, options);
        double first = tuned.apply(x)[0].item();
        assertEquals(expected, first, 1e-4 * expected);
        assertEquals(compiled + 1, Sinter.counters().programsCompiled());
        assertEquals(first, tuned.apply(x)[0].item(), "the choice is made once");
        // The session's other programs are not measured.
        assertNull(Trace.current().autotune());
        assertEquals(expected, f.apply(x)[0].item());
        assertEquals(
                CompileOptions.AUTOTUNE,
                CompileOptions.strict(1).autotuned().dynamic(0, 0).autotune());
        assertThrows(IllegalArgumentException.class, () -> CompileOptions.DEFAULT.autotuned(Duration.ZERO));
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

    /** Forward the function does what it did, and saves what it saved; backward it does not. */
    @Test
    void verificationComparesBackwardPrograms() {
        Tensor a = Tensor.of(2.0).requiresGrad_();
        Tensor b = Tensor.of(5.0).requiresGrad_();
        boolean[] detached = {false};
        Compiled f = new Compiled(
                x -> new Tensor[] {x[0].mul(a).add(detached[0] ? b.detach() : b)}, CompileOptions.DEFAULT, 2);
        Tensor x = Tensor.of(3.0);
        for (int i = 0; i < 6; i++) {
            a.zeroGrad();
            b.zeroGrad();
            f.call(x)[0].backward();
            assertEquals(3, a.grad().item());
            assertEquals(1, b.grad().item());
        }
        detached[0] = true;
        String message = assertThrows(IllegalStateException.class, () -> {
                    for (int i = 0; i < 2; i++) f.call(x);
                })
                .getMessage();
        assertTrue(message.contains("no longer does what it did"), message);
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
