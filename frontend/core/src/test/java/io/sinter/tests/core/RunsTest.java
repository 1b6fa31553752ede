// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.Trace;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When things run, and what stays readable. Programs are counted. */
class RunsTest {
    @BeforeEach
    void nothingPending() {
        Sinter.flush();
    }

    private static long runs() {
        return Sinter.counters().runs();
    }

    private static long compiled() {
        return Sinter.counters().programsCompiled();
    }

    /** More than what a boundary keeps. */
    private static final int LARGE = 5000;

    @Test
    void callsComputeNothingAndPrintingChangesNothing() {
        long before = runs();
        Tensor x = Tensor.of(1.0, 2.0).mul(3);
        assertTrue(x.toString().contains("not computed"), x.toString());
        assertEquals(before, runs());
        assertEquals(9, x.sum().item());
        assertEquals(before + 1, runs());
        assertTrue(x.show().startsWith("Tensor([3., 6.], f32[2]"), x.show());
        assertTrue(x.toString().startsWith("Tensor([3., 6.]"));
    }

    @Test
    void readingTheLossBeforeBackwardRepeatsNothing() {
        Tensor w = Tensor.randn(3, 3).requiresGrad_();
        Tensor h = w.matmul(w).tanh();
        Tensor loss = h.square().mean();
        loss.item();
        long before = Sinter.counters().kernelsLaunched();
        loss.backward();
        w.grad().toDoubles();
        // The forward pass (two matrix products at least) is not among these: what backward needs was
        // computed with the loss.
        assertTrue(Sinter.counters().kernelsLaunched() > before);
        assertTrue(loss.toString().contains("0.") || loss.toString().contains("1."), loss.toString());
    }

    @Test
    void aStepIsOneProgramAndTheSecondCompilesNothing() {
        Tensor w = Tensor.randn(4, 4).requiresGrad_();
        Tensor m = Tensor.from(new float[16], 4, 4);
        Tensor x = Tensor.randn(8, 4);
        long compiledAfterTwo = 0;
        for (int i = 0; i < 5; i++) {
            long before = runs();
            w.zeroGrad();
            Tensor loss = x.matmul(w).square().mean();
            loss.backward();
            double lr = 0.1 / (i + 2);
            Trace.boundary(() -> {
                m.mul_(0.9).add_(w.grad());
                w.sub_(m.mul(lr));
            });
            assertEquals(before + 1, runs());
            loss.item();
            w.grad().toDoubles();
            assertEquals(before + 1, runs(), "loss and gradient were results of the step");
            if (i == 1) compiledAfterTwo = compiled();
        }
        assertEquals(compiledAfterTwo, compiled(), "another learning rate must not need another program");
    }

    @Test
    void whatABoundaryKeepsIsReadableAndTheRestSaysKeep() {
        Tensor w = Tensor.ones(LARGE).requiresGrad_();
        w.show();
        Tensor consumed = w.mul(3);
        Tensor unconsumed = consumed.add(1);
        Tensor small = w.get("0:10").mul(2);
        Tensor smallConsumed = small.add(1);
        Tensor kept = w.mul(5).keep();
        Tensor keptConsumed = kept.add(2);
        Tensor result = Trace.module(() -> w.mul(7));
        Tensor resultConsumed = result.add(2);
        Tensor independent = Tensor.ones(LARGE).mul(4);
        Tensor independentConsumed = independent.add(1);
        Trace.boundary(() -> w.sub_(Tensor.ones(LARGE)));
        assertEquals(4, unconsumed.get(0).item());
        assertEquals(2, small.get(0).item());
        assertEquals(3, smallConsumed.get(0).item());
        assertEquals(5, kept.get(0).item());
        assertEquals(7, result.get(0).item());
        assertEquals(4, independent.get(0).item());
        assertEquals(0, w.get(0).item());
        String m = assertThrows(
                        IllegalStateException.class, () -> consumed.get(1).item())
                .getMessage();
        assertTrue(m.contains("keep()") && m.contains("RunsTest.java"), m);
    }

    @Test
    void temporariesOfAModuleMayGo() {
        Tensor w = Tensor.ones(3).requiresGrad_();
        w.show();
        Tensor[] inside = new Tensor[1];
        Tensor y = Trace.module(() -> {
            inside[0] = w.mul(2);
            return inside[0].add(1);
        });
        Trace.boundary(() -> w.mul_(0));
        assertEquals(3, y.get(0).item());
        assertThrows(IllegalStateException.class, () -> inside[0].toDoubles());
    }

    @Test
    void microBatchesRunOneByOne() {
        Tensor w = Tensor.randn(4, 4).requiresGrad_();
        Tensor x = Tensor.randn(8, 4);
        for (int step = 0; step < 3; step++) {
            long before = runs();
            w.zeroGrad();
            List<Tensor> losses = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Tensor loss = x.narrow(0, 2 * i, 2).matmul(w).square().mean();
                loss.backward();
                losses.add(loss);
            }
            Trace.boundary(() -> w.sub_(w.grad().mul(0.1)));
            assertEquals(before + 4, runs());
            for (Tensor l : losses) assertTrue(Double.isFinite(l.item()));
            assertEquals(before + 4, runs());
        }
    }

    @Test
    void anEvaluationLoopRunsBatchByBatchInBoundedMemory() {
        Tensor w = Tensor.randn(64, 8);
        long programs = 0;
        Session session = Session.current();
        session.allocator().collect();
        long live = session.allocator().stats().liveBytes();
        List<Tensor> correct = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            Tensor x = Tensor.randn(100, 64);
            Tensor logits = Trace.module(() -> x.matmul(w).relu());
            correct.add(logits.argmax(1)
                    .eq(Tensor.zeros(new long[] {100}, io.sinter.ir.DType.I64))
                    .sum());
            if (i == 5) programs = compiled();
        }
        assertEquals(programs, compiled());
        assertTrue(correct.stream().mapToLong(Tensor::itemLong).sum() >= 0);
        session.allocator().collect();
        long now = session.allocator().stats().liveBytes();
        assertTrue(now - live < 3_000_000, "300 batches of 25,600 bytes hold " + (now - live) + " bytes");
    }

    @Test
    void aLongUnreadChainIsBounded() {
        Tensor x = Tensor.of(1.0, 2.0);
        Tensor acc = Tensor.zeros(2);
        long before = runs();
        for (int i = 0; i < 100_000; i++) acc = acc.add(x);
        assertArrayEquals(new double[] {100_000, 200_000}, acc.toDoubles());
        assertTrue(runs() - before >= 5 && runs() - before <= 8, "runs " + (runs() - before));
    }

    @Test
    void anExceptionInTheMiddleLeavesEffectsInPlace() {
        Tensor w = Tensor.ones(2).requiresGrad_();
        Tensor counter = Tensor.zeros(1);
        assertThrows(
                ArithmeticException.class,
                () -> Trace.module(() -> {
                    counter.add_(1);
                    throw new ArithmeticException("in the middle");
                }));
        assertThrows(
                ArithmeticException.class,
                () -> Trace.boundary(() -> {
                    w.sub_(Tensor.ones(2));
                    throw new ArithmeticException("in the middle");
                }));
        assertEquals(1, counter.item());
        assertArrayEquals(new double[] {0, 0}, w.toDoubles());
        Tensor top = w.mul(2);
        assertTrue(top.requiresGrad(), "recording is on again");
    }

    @Test
    void anotherThreadReadsAPendingValue() throws InterruptedException {
        Tensor x = Tensor.of(1.0, 2.0).mul(3);
        double[][] seen = new double[1][];
        Thread other = Thread.ofPlatform().start(() -> seen[0] = x.add(1).toDoubles());
        other.join();
        assertArrayEquals(new double[] {4, 7}, seen[0]);
        assertFalse(x.toString().contains("not computed"));
    }

    @Test
    void aBoundaryDoesNotTakeWhatAnotherThreadUses() throws InterruptedException {
        Tensor w = Tensor.ones(LARGE);
        w.show();
        Tensor[] pending = new Tensor[1];
        Thread other = Thread.ofPlatform().start(() -> pending[0] = w.mul(2).add(1));
        other.join();
        Trace.boundary(() -> w.mul_(0));
        assertEquals(3, pending[0].get(0).item());
        assertEquals(0, w.get(0).item());
    }

    @Test
    void releasedTensorsCannotBeRead() {
        Tensor x = Tensor.randn(100);
        Tensor y = x.mul(2);
        x.release();
        assertThrows(IllegalStateException.class, x::toDoubles);
        assertThrows(IllegalStateException.class, y::toDoubles);
    }

    @Test
    void whatNeedsAReleasedTensorIsLostAlone() {
        Tensor x = Tensor.randn(LARGE);
        Tensor temporary = x.mul(2);
        temporary.sum().show();
        x.release();
        // At once, and of a value that was pending through several runs.
        Tensor w = Tensor.ones(LARGE);
        for (int i = 1; i <= 3; i++) {
            Tensor lost = temporary.add(i);
            Trace.boundary(() -> w.mul_(2));
            assertThrows(IllegalStateException.class, lost::toDoubles);
            assertEquals(1 << i, w.get(1).item());
        }
    }

    @Test
    void whatNeedsAFailedValueIsLostAlone() {
        Tensor weight = Tensor.randn(4, 2);
        Tensor rows = F.embedding(Tensor.of(1, 7), weight);
        Tensor temporary = rows.mul(2);
        temporary.sum().keep();
        // The run that fails says so; those after it leave out what needs its values.
        assertThrows(IndexOutOfBoundsException.class, Sinter::flush);
        Tensor w = Tensor.ones(LARGE);
        for (int i = 1; i <= 3; i++) {
            Tensor lost = temporary.add(i);
            Trace.boundary(() -> w.mul_(2));
            assertThrows(IndexOutOfBoundsException.class, lost::toDoubles);
            assertEquals(1 << i, w.get(1).item());
        }
    }

    @Test
    void whatWasPendingInAClosedSessionIsLostAlone() {
        Tensor[] lost = new Tensor[1];
        try (Session own = Session.open(Session.current().options());
                var _ = own.use()) {
            lost[0] = Tensor.randn(10).mul(2);
        }
        Tensor x = Tensor.of(1.0).add(1);
        Sinter.flush();
        assertEquals(2, x.item());
        assertThrows(IllegalStateException.class, lost[0]::toDoubles);
    }

    @Test
    void aScopeGivesMemoryBackAtOnce() {
        Session session = Session.current();
        Tensor sum = Tensor.zeros(1000);
        sum.show();
        long live = session.allocator().stats().liveBytes();
        Tensor gone;
        Tensor kept;
        try (var scope = Sinter.scope()) {
            gone = Tensor.randn(100_000).mul(2);
            gone.show();
            kept = scope.keep(gone.get("0:10").add(1));
            sum.add_(1);
            sum.show();
        }
        assertTrue(session.allocator().stats().liveBytes() - live < 100_000);
        assertEquals(10, kept.toDoubles().length);
        assertEquals(1, sum.get(0).item());
        assertThrows(IllegalStateException.class, gone::toDoubles);
    }

    @Test
    void aResultThatIsItsOperandIsNotGivenAway() {
        Tensor w = Tensor.ones(LARGE);
        w.show();
        Tensor same = w.reshape(50, 100).mul(1).detach().clone().reshape(-1).keep();
        same.toDoubles();
        Trace.boundary(() -> w.mul_(3));
        assertEquals(3, w.get(1).item());
        assertEquals(1, same.get(1).item());
    }

    @Test
    void aFailedIndexNamesTheLineEachTime() {
        Tensor weight = Tensor.randn(3, 2);
        for (int i = 0; i < 2; i++) {
            String a = assertThrows(IndexOutOfBoundsException.class, () -> F.embedding(Tensor.of(1, 7), weight)
                            .show())
                    .getMessage();
            String b = assertThrows(IndexOutOfBoundsException.class, () -> F.embedding(Tensor.of(1, 7), weight)
                            .show())
                    .getMessage();
            assertTrue(a.contains("7") && a.contains("3") && a.contains("RunsTest.java"), a);
            assertFalse(a.equals(b), "two calls stand on two lines: " + a);
        }
    }

    @Test
    void kvCacheGenerationCompilesOnce() {
        int context = 16;
        Tensor cache = Tensor.zeros(context, 4);
        Tensor w = Tensor.randn(4, 4);
        cache.show();
        Tensor x = Tensor.randn(1, 4);
        long after = 0;
        for (int i = 0; i < context; i++) {
            cache.at(i).set(x.get(0));
            Tensor seen = Tensor.arange(context).le(i).unsqueeze(0);
            Tensor scores = x.matmul(w).matmul(cache.t()).maskedFill(seen.logicalNot(), Double.NEGATIVE_INFINITY);
            x = F.softmax(scores, 1).matmul(cache).add(x).tanh();
            x.toDoubles();
            if (i == 3) after = compiled();
        }
        assertEquals(after, compiled());
        assertTrue(cache.get(15).abs().sum().item() > 0);
    }
}
