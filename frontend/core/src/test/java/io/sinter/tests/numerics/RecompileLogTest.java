// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.numerics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.nn.Linear;
import io.sinter.optim.SGD;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code -Dsinter.log=recompiles}: each compilation says why. */
class RecompileLogTest {
    private interface Work {
        void run(List<String> log);
    }

    private static void logged(Work work) {
        Sinter.flush();
        List<String> log = new ArrayList<>();
        try (Session session = Session.open(Options.fromProperties());
                var _ = session.use()) {
            session.logRecompiles(log::add);
            work.run(log);
            Sinter.flush();
        }
    }

    private static Tensor layer(Tensor x, Tensor w, int axis) {
        Tensor h = x.matmul(w).tanh();
        return h.sum(axis);
    }

    private static void says(String part, String text) {
        assertTrue(text.contains(part), "'" + part + "' in\n" + text);
    }

    @Test
    void anotherBatchSizeIsNamed() {
        logged(log -> {
            Tensor w = Tensor.full(new long[] {3, 2}, 0.5);
            w.toDoubles();
            int before = log.size();
            for (int i = 0; i < 3; i++) layer(Tensor.randn(4, 3), w, 1).toDoubles();
            assertEquals(before + 1, log.size(), "two of three are found");
            layer(Tensor.randn(5, 3), w, 1).toDoubles();
            assertEquals(before + 2, log.size());
            String last = log.getLast();
            says("sinter: compile " + (before + 2) + " at RecompileLogTest.java:", last);
            says(" operators, like program " + (before + 1) + " at RecompileLogTest.java:", last);
            says(", but\n    argument 0 is f32[5,3], was f32[4,3]", last);
            says(" at RecompileLogTest.java:", last.substring(last.indexOf("argument 0")));
            assertEquals(2, last.lines().count(), last);
        });
    }

    @Test
    void theOperatorThatChangedIsNamedWithItsLine() {
        logged(log -> {
            Tensor w = Tensor.full(new long[] {3, 2}, 0.5);
            Tensor x = Tensor.full(new long[] {4, 3}, 0.5);
            layer(x, w, 1).toDoubles();
            layer(x, w, 0).toDoubles();
            String last = log.getLast();
            says("sum {axes=[0]}, was {axes=[1]}, at RecompileLogTest.java:", last);
            says("(layer)", last);
        });
    }

    @Test
    void aTrainingStepThatEndsWithASmallerBatch() {
        logged(log -> {
            Linear net = new Linear(3, 2);
            SGD optimizer = new SGD(net.parameters(), 0.1);
            int steady = 0;
            for (int batch : new int[] {8, 8, 8, 8, 5}) {
                if (batch == 5) steady = log.size();
                optimizer.zeroGrad();
                Tensor loss = F.mseLoss(net.call(Tensor.randn(batch, 3)), Tensor.randn(batch, 2));
                loss.backward();
                optimizer.step();
            }
            assertEquals(steady + 1, log.size(), String.join("\n", log));
            says("is f32[5,3], was f32[8,3]", log.getLast());
            says("is f32[5,2], was f32[8,2]", log.getLast());
            DebuggingDocs.show(log.getLast());
        });
    }

    @Test
    void whatIsLikeNothingSaysSo() {
        logged(log -> {
            Tensor.of(1.0, 2.0).exp().toDoubles();
            says("sinter: compile 1 at RecompileLogTest.java:", log.getLast());
            says(": 1 operators, the first program", log.getLast());
            Tensor.of(1.0, 2.0).cos().abs().toDoubles();
            says(": 2 operators, like no program before", log.getLast());
        });
    }

    @Test
    void nothingElseIsLogged() {
        System.setProperty("sinter.log", "everything");
        try {
            Exception e = assertThrows(IllegalArgumentException.class, () -> Session.open(Options.fromProperties())
                    .close());
            assertEquals("unknown value 'everything' of sinter.log; known: recompiles, off", e.getMessage());
        } finally {
            System.clearProperty("sinter.log");
        }
    }
}
