// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What is computed on the way to something else is kept by the second run that needs it, if it is more than elementwise. */
class RepeatedValuesTest {
    private static Tensor matrix() {
        return Tensor.arange(80 * 96).toFloat().reshape(80, 96).mul(1e-3);
    }

    private static Tensor product() {
        Tensor x = matrix();
        return x.matmul(x.mT()).add(1);
    }

    @Test
    void secondMetricKeepsAProduct() {
        Tensor p = product();
        p.max().item();
        assertTrue(p.value().pending(), "one read needs no memory for it");
        double least = p.min().item();
        assertFalse(p.value().pending());
        assertEquals(p.show(), product().show());
        assertEquals(least, product().min().item());
    }

    /** The third turn of a loop has the program of all later ones. */
    @Test
    void loopsOverAProductComputeItTwice() {
        Tensor p = product();
        long[] compiled = new long[6];
        for (int turn = 0; turn < compiled.length; turn++) {
            p.mul(turn + 2).sum().item();
            compiled[turn] = Sinter.counters().programsCompiled();
        }
        assertEquals(compiled[2], compiled[compiled.length - 1]);
        assertFalse(p.value().pending());
    }

    /** Of what is kept only what later operators use: not the operands that it was made from, and of a view what it looks at. */
    @Test
    void keepsWhatLaterOperatorsUse() {
        Tensor x = matrix();
        Tensor inner = x.matmul(x.mT());
        Tensor outer = inner.cumsum(0);
        Tensor view = outer.mT();
        for (int turn = 0; turn < 3; turn++) view.mul(turn + 2).sum().item();
        assertFalse(outer.value().pending());
        assertTrue(inner.value().pending());
    }

    @Test
    void elementwiseIsComputedAgain() {
        Tensor x = matrix();
        List<Function<Tensor, Tensor>> all = List.of(t -> t.mul(2), t -> t.exp().add(t));
        for (Function<Tensor, Tensor> f : all) {
            Tensor y = f.apply(x);
            for (int turn = 0; turn < 3; turn++) y.sum().item();
            assertTrue(y.value().pending());
        }
    }

    /** A sum's gradient needs nothing of the table. */
    @Test
    void stepsKeepWhatWasMadeBeforeThem() {
        Tensor table = product();
        Tensor w = Tensor.ones(80, 1).requiresGrad_(true);
        for (int step = 0; step < 3; step++) {
            Tensor loss = table.add(w).square().mean();
            loss.backward();
            Trace.boundary(() -> {
                w.sub_(Trace.gradient(w).mul(1e-6));
                w.setGrad(null);
            });
            assertEquals(step == 0, table.value().pending());
        }
        assertTrue(w.sum().item() < 80);
    }
}
