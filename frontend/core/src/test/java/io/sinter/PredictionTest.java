// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.IndexError;
import io.sinter.nn.Embedding;
import io.sinter.nn.LayerNorm;
import io.sinter.nn.Linear;
import io.sinter.nn.Net;
import io.sinter.optim.Adam;
import io.sinter.runtime.Counters;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Steps that a GPU begins while they are being traced give the same bits as steps that it does not, whatever the next step turns out to be. */
@ResourceLock("sinter.gpu.ahead")
class PredictionTest {
    private static final int WORDS = 11;

    @BeforeEach
    @AfterEach
    void whole() {
        System.clearProperty("sinter.gpu.ahead");
        Sinter.flush();
    }

    /** What a step can be. */
    private enum Step {
        TRAIN,
        /** Another number of rows. */
        SHORT,
        EVALUATE,
        /** A gradient is read before the update. */
        READ_GRADIENT,
        /** The loss is read before the backward pass. */
        READ_LOSS,
        /** Something is written into a parameter before it is used. */
        WRITE,
        /** A parameter gets a new value between two steps. */
        REPLACE,
        /** Gradients add up over two batches. */
        TWICE,
        /** No update. */
        NO_STEP
    }

    /** A small language model. */
    private static final class Model extends Net {
        final Embedding words = new Embedding(WORDS, 12);
        final LayerNorm norm = new LayerNorm(12);
        final Linear up = new Linear(12, 24);
        final Linear down = new Linear(24, WORDS);

        @Override
        public Tensor forward(Tensor x) {
            return down.call(F.gelu(up.call(norm.call(words.call(x)))));
        }
    }

    /** What a run of steps gave. */
    private record Outcome(List<Double> losses, List<float[]> parameters, long ahead, long inVain) {
        void assertSame(Outcome other, String what) {
            assertEquals(losses, other.losses, what);
            for (int i = 0; i < parameters.size(); i++)
                assertTrue(Arrays.equals(parameters.get(i), other.parameters.get(i)), what + ": parameter " + i);
        }
    }

    private static Session open(boolean ahead) {
        System.setProperty("sinter.gpu.ahead", Boolean.toString(ahead));
        return Session.open(Options.fromProperties().withThreads(1).withDevice(Device.PTX_SIM));
    }

    private static Outcome run(boolean ahead, List<Step> steps, long seed) {
        try (Session session = open(ahead);
                var _ = session.use()) {
            Outcome o = steps(session.counters(), steps, seed);
            Sinter.flush();
            return o;
        }
    }

    private static Outcome steps(Counters counters, List<Step> steps, long seed) {
        Sinter.manualSeed(seed);
        Model net = new Model();
        Adam adam = new Adam(net.parameters(), 0.01);
        Random random = new Random(seed);
        List<Double> losses = new ArrayList<>();
        for (Step s : steps) losses.add(step(s, net, adam, random));
        List<float[]> parameters = new ArrayList<>();
        for (Tensor p : net.parameters()) parameters.add(p.toFloats());
        return new Outcome(losses, parameters, counters.stepsAhead(), counters.runsGivenUp());
    }

    private static Tensor data(int n, Random random) {
        return Tensor.from(random.longs(n, 0, WORDS).toArray());
    }

    private static double step(Step s, Model net, Adam adam, Random random) {
        int rows = s == Step.SHORT ? 3 : 6;
        if (s == Step.EVALUATE) {
            try (var _ = Sinter.noGrad()) {
                return F.crossEntropy(net.call(data(rows, random)), data(rows, random))
                        .item();
            }
        }
        adam.zeroGrad();
        if (s == Step.WRITE) {
            try (var _ = Sinter.noGrad()) {
                net.up.weight.mul_(0.5);
            }
        }
        if (s == Step.REPLACE) {
            Tensor w = net.down.weight;
            try (var _ = Sinter.noGrad()) {
                w.copy_(Tensor.from(w.toFloats(), w.shape()).mul(1.5));
            }
            Sinter.flush();
        }
        Tensor loss = F.crossEntropy(net.call(data(rows, random)), data(rows, random));
        double read = s == Step.READ_LOSS ? loss.item() : 0;
        loss.backward();
        if (s == Step.TWICE)
            F.crossEntropy(net.call(data(rows, random)), data(rows, random)).backward();
        if (s == Step.READ_GRADIENT) read += net.up.weight.grad().norm().item();
        if (s != Step.NO_STEP) adam.step();
        return read + loss.item();
    }

    @Test
    void aTrainingLoopIsBegunAhead() {
        List<Step> steps = new ArrayList<>(Collections.nCopies(12, Step.TRAIN));
        Outcome ahead = run(true, steps, 1);
        ahead.assertSame(run(false, steps, 1), "twelve steps");
        assertTrue(ahead.ahead > 30, "steps ahead: " + ahead.ahead);
        assertEquals(0, ahead.inVain);
        assertEquals(0, run(false, steps, 1).ahead);
    }

    /** A batch that nobody holds any more when the next step begins is a batch all the same, whether or not it has been collected. */
    @Test
    void batchesThatAreGone() {
        assertEquals(stepsAhead(() -> {}), stepsAhead(System::gc));
    }

    private static long stepsAhead(Runnable between) {
        try (Session session = open(true);
                var _ = session.use()) {
            Model net = new Model();
            Adam adam = new Adam(net.parameters(), 0.01);
            Random random = new Random(3);
            for (int i = 0; i < 10; i++) {
                stepOfACopy(net, adam, random);
                between.run();
            }
            return session.counters().stepsAhead();
        }
    }

    /** The batch has a storage of its own, and is not what the step begins with. */
    private static void stepOfACopy(Model net, Adam adam, Random random) {
        adam.zeroGrad();
        Tensor size = net.up.weight.abs().sum();
        float[] x = new float[6 * 12];
        for (int i = 0; i < x.length; i++) x[i] = random.nextFloat();
        Tensor batch = Tensor.from(x, 6, 12).clone();
        Tensor y = net.down.call(F.gelu(net.up.call(net.norm.call(batch))));
        Tensor loss = F.softmax(y, -1).square().sum().mul(size);
        loss.backward();
        adam.step();
        assertTrue(Double.isFinite(loss.item()));
    }

    @Test
    void whateverComesNext() {
        for (Step s : Step.values()) {
            List<Step> steps = new ArrayList<>(Collections.nCopies(8, Step.TRAIN));
            steps.add(s);
            steps.addAll(Collections.nCopies(2, Step.TRAIN));
            steps.add(s);
            steps.add(s);
            steps.add(Step.TRAIN);
            Outcome ahead = run(true, steps, 7);
            ahead.assertSame(run(false, steps, 7), s.toString());
            if (s == Step.READ_LOSS || s == Step.EVALUATE)
                assertTrue(ahead.inVain > 0, s + ": nothing was begun in vain");
        }
    }

    @Test
    void stepsInAnyOrder() {
        long seed = Long.getLong("sinter.test.seed", new Random().nextLong());
        Random random = new Random(seed);
        for (int k = 0; k < 3; k++) {
            List<Step> steps = new ArrayList<>();
            while (steps.size() < 30) {
                Step s = Step.values()[random.nextInt(Step.values().length)];
                for (int i = random.nextInt(7); i >= 0; i--) steps.add(s);
            }
            run(true, steps, k).assertSame(run(false, steps, k), "-Dsinter.test.seed=" + seed + ": " + steps);
        }
    }

    /** The error is that of the step with the wrong index, and steps after it are right. */
    @Test
    void anIndexOutOfRange() {
        try (Session session = open(true);
                var _ = session.use()) {
            Model net = new Model();
            Adam adam = new Adam(net.parameters(), 0.01);
            Random random = new Random(3);
            for (int i = 0; i < 8; i++) step(Step.TRAIN, net, adam, random);
            long before = session.counters().stepsAhead();
            assertTrue(before > 0);
            adam.zeroGrad();
            Tensor loss = F.crossEntropy(net.call(Tensor.of(1, 2, WORDS, 3, 4, 5)), data(6, random));
            loss.backward();
            adam.step();
            IndexError e = assertThrows(IndexError.class, loss::item);
            assertTrue(e.getMessage().contains("index " + WORDS), e.getMessage());
            assertTrue(session.counters().stepsAhead() > before, "the step was not begun ahead");
        }
    }

    /** A step that was begun and never came: another thread runs the same program meanwhile, then the session is closed. */
    @Test
    void twoThreadsAndAStepThatNeverEnds() throws InterruptedException {
        List<Step> steps = Collections.nCopies(8, Step.TRAIN);
        Outcome alone = run(false, steps, 5);
        try (Session session = open(true);
                var _ = session.use()) {
            Model net = new Model();
            Adam adam = new Adam(net.parameters(), 0.01);
            Random random = new Random(3);
            for (int i = 0; i < 8; i++) step(Step.TRAIN, net, adam, random);
            adam.zeroGrad();
            Tensor begun = net.call(data(6, random));
            AtomicReference<Outcome> other = new AtomicReference<>();
            Thread t = new Thread(() -> {
                try (var _ = session.use()) {
                    other.set(steps(session.counters(), steps, 5));
                }
            });
            t.start();
            t.join();
            other.get().assertSame(alone, "the other thread");
            assertTrue(begun.sum().item() != 0);
            for (int i = 0; i < 20; i++) step(Step.TRAIN, net, adam, random);
            net.call(data(6, random));
        }
    }
}
