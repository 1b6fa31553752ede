// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Scan;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import io.sinter.optim.SGD;
import io.sinter.runtime.Checks;
import io.sinter.runtime.Device;
import io.sinter.runtime.NonFiniteException;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code -Dsinter.nan=trap}: the first NaN is named. */
class NanTrapTest {
    private static final double INF = Double.POSITIVE_INFINITY;

    private static final class Head extends Net {
        private final Linear out = new Linear(3, 3);

        @Override
        public Tensor forward(Tensor x) {
            return out.call(x).exp().log1p();
        }
    }

    private static final class Model extends Net {
        private final Head head = new Head();

        @Override
        public Tensor forward(Tensor x) {
            return head.call(x);
        }
    }

    /** In a session of its own, with the trap set. */
    private static void trapped(String device, Runnable work) {
        Sinter.flush();
        Options options =
                Options.fromProperties().withDevice(Device.parse(device)).withChecks(Checks.NONE.withNan(true));
        try (Session session = Session.open(options);
                var _ = session.use()) {
            Sinter.manualSeed(3);
            work.run();
        }
    }

    private static NonFiniteException trap(String device, Runnable work) {
        NonFiniteException[] thrown = new NonFiniteException[1];
        trapped(device, () -> thrown[0] = assertThrows(NonFiniteException.class, work::run));
        return thrown[0];
    }

    /** The exception's line is one of this file, and reads so. */
    private static void isAt(String code, NonFiniteException e) {
        assertTrue(e.line().startsWith("NanTrapTest.java:"), e.getMessage());
        String number = e.line().substring(e.line().indexOf(':') + 1, e.line().indexOf(' '));
        Path file = Path.of(System.getProperty("sinter.root"))
                .resolve("frontend/core/src/test/java/io/sinter/tests/numerics/NanTrapTest.java");
        try {
            String line = Files.readAllLines(file).get(Integer.parseInt(number) - 1);
            assertTrue(line.contains(code), line + "\n" + e.getMessage());
        } catch (IOException x) {
            throw new AssertionError(x);
        }
    }

    private static Tensor full(double value, long... shape) {
        return Tensor.full(shape, value);
    }

    private static void says(String part, NonFiniteException e) {
        assertTrue(e.getMessage().contains(part), "'" + part + "' in\n" + e.getMessage());
    }

    // ---- the step of the issue: softmax, log and a matrix product in kernels together

    private static Tensor entropy(Tensor scores, Tensor w) {
        Tensor p = F.softmax(scores, 1);
        Tensor logs = p.log();
        return logs.mul(p).matmul(w);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jvm", "ptx-sim"})
    void aNaNInsideAKernelIsNamed(String device) {
        NonFiniteException e = trap(device, () -> {
            double[] scores = new double[24];
            // exp(-200) is 0 in f32; 0 * log(0) is NaN.
            scores[2 * 6 + 5] = -200;
            Tensor x = Tensor.of(scores).reshape(4, 6).detach().requiresGrad_();
            Tensor w = full(0.5, 6, 3).requiresGrad_();
            Tensor loss = entropy(x, w).sum();
            loss.backward();
            new SGD(List.of(x, w), 0.1).step();
        });
        isAt("p.log()", e);
        assertEquals("log", e.operator());
        assertEquals(2 * 6 + 5, e.element());
        assertEquals(-INF, e.value());
        says("log made -Infinity out of finite numbers\n  at NanTrapTest.java:", e);
        says("element [2, 5] of f32[4,6], made of\n    f32[4,6] [2, 5] = 0.0\n", e);
        says("in kernel ", e);
        assertTrue(e.kernel().contains("exp") || e.kernel().contains("log"), e.kernel());
        says("it reached result ", e);
        says(" as NaN in element [", e);
        DebuggingDocs.show(e.getMessage());
    }

    // ---- backward

    @ParameterizedTest
    @ValueSource(strings = {"jvm", "ptx-sim"})
    void aGradientNamesTheForwardLine(String device) {
        NonFiniteException e = trap(device, () -> {
            Tensor x = Tensor.of(1f, 0f, 4f).requiresGrad_();
            Tensor root = x.sqrt();
            // The root of 0 has an infinite slope; times 0 it is NaN.
            root.mul(Tensor.of(1f, 0f, 1f)).sum().backward();
            x.grad().toDoubles();
        });
        isAt("x.sqrt()", e);
        says("in the gradient of sqrt", e);
        assertEquals(1, e.element());
    }

    /** The famous one: where chooses the other arm, and its gradient multiplies 0 by infinity all the same. */
    @Test
    void whereDoesNotSaveTheGradient() {
        trapped("jvm", () -> {
            Tensor x = Tensor.of(1f, 0f, 4f).requiresGrad_();
            Tensor safe = F.where(x.gt(0), x.log(), Tensor.of(0f));
            assertArrayEquals(new double[] {0, 0, Math.log(4)}, safe.toDoubles(), 1e-6);
            NonFiniteException e = assertThrows(NonFiniteException.class, () -> {
                safe.sum().backward();
                x.grad().toDoubles();
            });
            isAt("x.log()", e);
            says("in the gradient of log", e);
        });
    }

    // ---- what is legal

    @Test
    void whatReachesNoResultIsNotBlamed() {
        trapped("jvm", () -> {
            Tensor x = Tensor.of(1f, 0f, 4f);
            Tensor logs = x.log();
            Tensor y = F.where(x.gt(0), logs, Tensor.of(7f));
            Sinter.flush();
            assertArrayEquals(new double[] {0, 7, Math.log(4)}, y.toDoubles(), 1e-6);
        });
        NonFiniteException e = trap("jvm", () -> Tensor.of(1f, 0f, 4f).log().toDoubles());
        assertEquals(1, e.element());
    }

    @Test
    void masksMayBeInfinite() {
        trapped("jvm", () -> {
            Tensor mask =
                    Tensor.zeros(3, 3).maskedFill(Tensor.ones(3, 3).triu(1).gt(0), -INF);
            Tensor scores = Tensor.randn(3, 3).add(mask);
            assertTrue(Double.isFinite(F.softmax(scores, 1).sum().item()));
            assertEquals(-INF, scores.get(0, 1).item());
            Tensor x = Tensor.of(1f, INF);
            assertEquals(INF, x.add(1).max().item());
        });
        NonFiniteException e = trap("jvm", () -> F.softmax(Tensor.randn(2, 3).add(full(-INF, 2, 3)), 1)
                .toDoubles());
        says("made NaN out of infinities that the program was given (as a part of softmax)", e);
        isAt("F.softmax(Tensor.randn", e);
    }

    @Test
    void aGivenNaNIsNamedAsSuch() {
        NonFiniteException e = trap("jvm", () -> {
            Tensor data = Tensor.of(1f, Float.NaN, 2f);
            data.exp().toDoubles();
        });
        assertEquals("input", e.operator());
        says("argument 0 of the program had a NaN, which reached a result", e);
        says("element [1] of f32[3] is NaN", e);
    }

    // ---- steps

    @ParameterizedTest
    @ValueSource(strings = {"jvm", "ptx-sim"})
    void aNetworksPartIsNamed(String device) {
        NonFiniteException e = trap(device, () -> {
            Model net = new Model();
            SGD optimizer = new SGD(net.parameters(), 0.1);
            for (int step = 0; step < 3; step++) {
                try (var _ = Sinter.noGrad()) {
                    net.head.out.weight.fill_(1);
                }
                net.call(full(step == 2 ? 100 : 1, 2, 3)).sum().backward();
                optimizer.step();
            }
        });
        isAt("out.call(x).exp()", e);
        assertEquals("head", e.module());
        says(" in Model: head\n", e);
    }

    @Test
    void aStepThatFailsLeavesWhatItWasGiven() {
        trapped("jvm", () -> {
            Tensor p = Tensor.of(1f, 2f).requiresGrad_();
            SGD optimizer = new SGD(List.of(p), 0.1);
            UnaryOperator<Tensor> step = Sinter.compile((Tensor x) -> {
                optimizer.zeroGrad();
                Tensor loss = p.mul(x).log().sum();
                loss.backward();
                optimizer.step();
                return loss;
            });
            for (int i = 0; i < 3; i++) step.apply(Tensor.of(1f, 1f)).item();
            double[] before = p.toDoubles();
            NonFiniteException e = assertThrows(NonFiniteException.class, () -> step.apply(Tensor.of(1f, 0f)));
            isAt("p.mul(x).log()", e);
            assertEquals(1, e.element());
            assertArrayEquals(before, p.toDoubles(), "memory that the step was given");
            assertTrue(Double.isFinite(step.apply(Tensor.of(1f, 1f)).item()));
        });
    }

    @Test
    void randomNumbersAreDrawnAlike() {
        NonFiniteException e = trap("jvm", () -> {
            Tensor x = Tensor.ones(1000);
            F.dropout(x, 0.5, true).log().toDoubles();
        });
        isAt(".log()", e);
        says("= 0.0", e);
    }

    @Test
    void loopsNameTheirStep() {
        NonFiniteException e = trap("jvm", () -> {
            Tensor x = Tensor.zeros(6, 2);
            Scan.Result r = F.scan(List.of(Tensor.of(5f, 1e6)), List.of(x), (state, now) -> {
                // 5, 1.6, 0.47, -0.74, and that has no logarithm.
                Tensor y = state.getFirst().log().add(now.getFirst());
                return Scan.next(List.of(y), List.of(y));
            });
            r.outputs().getFirst().toDoubles();
        });
        assertEquals("log", e.operator());
        assertEquals(0, e.element());
        isAt("F.scan(", e);
        says("log made NaN out of finite numbers (in a loop, step 3)", e);
        says("[0] = -0.7", e);
        says("in kernel ", e);
    }

    // ---- switches

    @Test
    void theSwitchIsPyTorchs() {
        Sinter.flush();
        try (Session session = Session.open(Options.fromProperties());
                var _ = session.use()) {
            assertTrue(Double.isInfinite(Tensor.of(0f).log().item()), "off");
            try (var _ = Sinter.detectAnomaly()) {
                Tensor y = Tensor.of(0f).log();
                assertThrows(NonFiniteException.class, y::item);
                // And again: the value has failed.
                assertThrows(NonFiniteException.class, y::item);
            }
            assertTrue(Double.isInfinite(Tensor.of(0f).log().item()), "off again");
            Sinter.setDetectAnomaly(true);
            assertThrows(NonFiniteException.class, () -> Tensor.of(0f).log().item());
            Sinter.setDetectAnomaly(false);
            assertEquals(Checks.NONE, session.checks());
        }
    }

    @Test
    void propertiesAreNamedWhenTheyAreWrong() {
        System.setProperty("sinter.nan", "raise");
        try {
            Exception e = assertThrows(IllegalArgumentException.class, Checks::fromProperties);
            assertEquals("unknown value 'raise' of sinter.nan; known: trap, off", e.getMessage());
        } finally {
            System.clearProperty("sinter.nan");
        }
    }
}
