// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.nn.Clip;
import io.sinter.optim.SGD;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Memory of dropped gradients that somebody else may hold, or something that needs them, stays. */
class HeldGradientsTest extends GradientWatch {
    @Test
    void aGradientThatWasAskedFor() {
        Tensor p = leaf(1);
        square(p);
        Tensor before = p.grad();
        Sinter.flush();
        p.zeroGrad();
        square(p);
        Sinter.flush();
        Tensor after = p.grad();
        p.zeroGrad();
        double[] expected = data(1).mul(2).toDoubles();
        assertArrayEquals(expected, before.toDoubles());
        assertArrayEquals(expected, after.toDoubles());
    }

    @Test
    void viewsOfAGradientAndWritesThroughThem() {
        Tensor p = leaf(1);
        square(p);
        Tensor view = p.grad().get("10:20");
        p.grad().mul_(2);
        view.add_(1);
        new SGD(List.of(p), 0).step();
        p.zeroGrad();
        view.mul_(2);
        double[] expected = data(1).get("10:20").mul(4).add(1).mul(2).toDoubles();
        assertArrayEquals(expected, view.toDoubles());
    }

    @Test
    void whatPendingValuesReadByWayOfAnotherGradient() {
        readsByWayOf((w, b) -> {
            b.zeroGrad();
            w.zeroGrad();
        });
    }

    @Test
    void whatPendingValuesReadWhenASumTakesItsPlace() {
        readsByWayOf((w, b) -> {
            square(b);
            Sinter.flush();
        });
    }

    /** @param then what is done with two leaves, the second one's gradient being needed for a pending value by way of the first one's */
    private static void readsByWayOf(BiConsumer<Tensor, Tensor> then) {
        Tensor w = leaf(1);
        Tensor b = leaf(2);
        w.mul(3).add(b).square().sum().backward();
        Tensor held = w.grad().mul(5);
        // Consumed, so a flush leaves it pending; and the gradient that it reads is overwritten. It needs b's.
        Tensor sum = held.sum();
        w.grad().mul_(0);
        sum.toDoubles();
        Sinter.flush();
        then.accept(w, b);
        double[] expected = data(1).mul(3).add(data(2)).mul(2 * 3 * 5).toDoubles();
        assertArrayEquals(expected, held.toDoubles());
    }

    @Test
    void clippedGradientsAndTheirNorm() {
        Tensor p = leaf(1);
        SGD sgd = new SGD(List.of(p), 0.5);
        square(p);
        Tensor norm = Clip.clipGradNorm_(List.of(p), 1e9);
        Tensor twice = norm.mul(2);
        sgd.step();
        sgd.zeroGrad();
        double expected = Math.sqrt(data(1).mul(2).square().sum().item());
        assertEquals(2 * expected, twice.item(), 1e-9 * expected);
        assertEquals(expected, norm.item(), 1e-9 * expected);
        assertArrayEquals(new double[N], p.toDoubles());
    }

    @Test
    void aSeed() {
        Tensor p = leaf(1);
        Tensor seed = data(4);
        p.add(1).backward(seed);
        Sinter.flush();
        p.zeroGrad();
        assertArrayEquals(data(4).toDoubles(), seed.toDoubles());

        Tensor computed = data(4).mul(2);
        p.add(1).backward(computed);
        Sinter.flush();
        p.zeroGrad();
        assertArrayEquals(data(8).toDoubles(), computed.sub(data(0)).toDoubles());
    }

    @Test
    void aSeedThatAnEarlierPassMade() {
        Tensor p = leaf(1);
        Tensor g = Autograd.grad(p.square().sum(), p).getFirst();
        p.add(1).backward(g);
        Sinter.flush();
        p.zeroGrad();
        assertArrayEquals(data(1).mul(2).toDoubles(), g.toDoubles());
    }

    @Test
    void aGradientOfTheProgramsOwn() {
        Tensor p = leaf(1);
        Tensor mine = data(4);
        p.setGrad(mine);
        square(p);
        Sinter.flush();
        p.zeroGrad();
        assertArrayEquals(data(4).add(data(1).mul(2)).toDoubles(), mine.toDoubles());
    }

    @Test
    void oneValueForTwoLeaves() {
        Tensor a = leaf(1);
        Tensor b = leaf(2);
        a.add(b).square().sum().backward();
        Sinter.flush();
        a.zeroGrad();
        assertArrayEquals(data(1).add(data(2)).mul(2).toDoubles(), b.grad().toDoubles());
    }

    @Test
    void oneLeafUsedTwice() {
        Tensor a = leaf(1);
        a.add(a).add(a.square()).sum().backward();
        Sinter.flush();
        Value v = watch(a);
        a.zeroGrad();
        assertTrue(released(v));
        a.add(a).add(a.square()).sum().backward();
        assertArrayEquals(data(1).add(1).mul(2).toDoubles(), a.grad().toDoubles());
    }

    @Test
    void oneGradientThatLooksAtAnother() {
        Tensor a = Tensor.from(data(1).toDoubles(), 50, N / 50).requiresGrad_();
        Tensor b = leaf(2);
        a.reshape(-1).add(b).square().sum().backward();
        Sinter.flush();
        a.zeroGrad();
        double[] expected = data(1).add(data(2)).mul(2).toDoubles();
        assertArrayEquals(expected, b.grad().toDoubles());
        b.zeroGrad();
        a.reshape(-1).add(b).square().sum().backward();
        Sinter.flush();
        b.zeroGrad();
        assertArrayEquals(expected, a.grad().toDoubles());
    }

    @Test
    void whatAHookHasSeen() {
        Tensor p = leaf(1);
        List<Tensor> seen = new ArrayList<>();
        p.registerHook(g -> {
            seen.add(g);
            return null;
        });
        Tensor y = p.mul(3);
        y.registerHook(g -> {
            seen.add(g);
            // From here on nothing that the pass has made is pending.
            Sinter.flush();
            return null;
        });
        y.square().sum().backward();
        Sinter.flush();
        p.zeroGrad();
        double[] expected = data(1).mul(6).toDoubles();
        assertArrayEquals(expected, seen.get(0).toDoubles());
        assertArrayEquals(data(1).mul(18).toDoubles(), seen.get(1).toDoubles());
    }

    @Test
    void whatACustomFunctionHasSeen() {
        Tensor p = leaf(1);
        Tensor q = leaf(2);
        List<Tensor> seen = new ArrayList<>();
        CustomFunction identity = new CustomFunction() {
            @Override
            protected Tensor[] forward(Context context, Tensor... inputs) {
                return inputs;
            }

            @Override
            protected Tensor[] backward(Context context, Tensor... gradients) {
                seen.add(gradients[0]);
                Sinter.flush();
                Tensor made = gradients[0].mul(2);
                seen.add(made);
                return new Tensor[] {gradients[0], made};
            }
        };
        Tensor[] y = identity.apply(p, q);
        y[0].mul(y[1]).sum().backward();
        Sinter.flush();
        p.zeroGrad();
        q.zeroGrad();
        assertArrayEquals(data(2).toDoubles(), seen.get(0).toDoubles());
        assertArrayEquals(data(2).mul(2).toDoubles(), seen.get(1).toDoubles());
    }

    @Test
    void checkpoints() {
        Tensor p = leaf(1);
        Tensor q = leaf(2);
        for (int i = 0; i < 2; i++) {
            p.zeroGrad();
            q.zeroGrad();
            Autograd.checkpoint(x -> x.square().mul(q), p).mul(2).sum().backward();
            Sinter.flush();
        }
        assertArrayEquals(data(1).mul(data(2)).mul(4).toDoubles(), p.grad().toDoubles());
        assertArrayEquals(data(1).square().mul(2).toDoubles(), q.grad().toDoubles());
    }

    @Test
    void gradientsThatHaveATape() {
        Tensor p = leaf(1);
        Tensor loss = p.pow(3).sum();
        loss.backward(null, true, true);
        Tensor g = p.grad();
        Sinter.flush();
        p.zeroGrad();
        g.sum().backward();
        Sinter.flush();
        assertArrayEquals(data(1).mul(6).toDoubles(), p.grad().toDoubles());
        p.zeroGrad();
        // A pass with a tape adds to a gradient without one, and the sum needs both.
        square(p);
        Sinter.flush();
        Value v = watch(p);
        p.pow(3).sum().backward(null, true, true);
        assertFalse(released(v));
        double[] expected = data(1).mul(2).add(data(1).square().mul(3)).toDoubles();
        assertArrayEquals(expected, p.grad().toDoubles());
    }

    @Test
    void aRetainedGraph() {
        Tensor p = leaf(1);
        Tensor loss = p.square().sum();
        for (int i = 0; i < 3; i++) {
            loss.backward(null, i < 2, false);
            Sinter.flush();
            assertArrayEquals(data(1).mul(2).toDoubles(), p.gradient().toDoubles());
            p.zeroGrad();
        }
    }

    @Test
    void whatIsPendingWhenItIsDropped() {
        Tensor p = leaf(1);
        Tensor q = leaf(2);
        p.mul(3).add(q).square().sum().backward();
        q.zeroGrad();
        Sinter.flush();
        assertArrayEquals(
                data(1).mul(3).add(data(2)).mul(6).toDoubles(), p.grad().toDoubles());
    }

    @Test
    void whatIsComputedWhileOthersThatReadItArePending() {
        Tensor p = leaf(1);
        Tensor q = leaf(2);
        p.mul(3).add(q).square().sum().backward();
        // Computes q's gradient alone, which p's is made of.
        q.gradient().show();
        Value v = watch(q);
        q.zeroGrad();
        assertFalse(released(v));
        assertArrayEquals(
                data(1).mul(3).add(data(2)).mul(6).toDoubles(), p.grad().toDoubles());
    }

    @Test
    void updatesThatFailed() {
        Tensor p = leaf(1);
        square(p);
        Sinter.flush();
        Runnable updates = () -> {
            p.sub_(Trace.gradient(p));
            throw new IllegalStateException("on purpose");
        };
        assertThrows(IllegalStateException.class, () -> Trace.boundary(updates));
        // What they wrote is pending: the program can hold what needs it after it has been overwritten.
        Tensor held = p.detach().mul(5);
        Tensor sum = held.sum();
        try (var _ = Sinter.noGrad()) {
            p.fill_(1);
        }
        sum.toDoubles();
        Sinter.flush();
        p.zeroGrad();
        assertArrayEquals(data(1).mul(-5).toDoubles(), held.toDoubles());
    }

    @Test
    void aStepThatFailed() {
        Tensor p = leaf(1);
        Tensor index = Tensor.of(1, 1 << 20);
        square(p);
        Sinter.flush();
        Tensor lost = F.embedding(index, Tensor.from(new double[] {1, 2, 3, 4}, 2, 2));
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> Trace.boundary(() -> p.sub_(Trace.gradient(p).mul(0.5))));
        Value v = watch(p);
        p.zeroGrad();
        assertFalse(released(v));
        assertThrows(RuntimeException.class, lost::toDoubles);
    }

    @Test
    void aTraceThatBeganAnewWithoutRunning() {
        Tensor p = leaf(1);
        Tensor q = leaf(2);
        p.mul(3).add(q).square().sum().backward();
        q.gradient().show();
        Trace.restart();
        q.zeroGrad();
        assertArrayEquals(
                data(1).mul(3).add(data(2)).mul(6).toDoubles(), p.grad().toDoubles());
    }

    @Test
    void whatAnotherThreadHolds() {
        Tensor p = leaf(1);
        square(p);
        Sinter.flush();
        Tensor product = CompletableFuture.supplyAsync(() -> p.grad().mul(2)).join();
        p.zeroGrad();
        assertArrayEquals(data(1).mul(4).toDoubles(), product.toDoubles());
    }

    @Test
    void whatAnotherThreadMadeOrSteps() {
        Tensor p = leaf(1);
        CompletableFuture.runAsync(() -> {
                    square(p);
                    Sinter.flush();
                })
                .join();
        Value v = watch(p);
        p.zeroGrad();
        assertFalse(released(v));

        square(p);
        Sinter.flush();
        SGD sgd = new SGD(List.of(p), 0.5);
        CompletableFuture.runAsync(sgd::step).join();
        v = watch(p);
        p.zeroGrad();
        assertFalse(released(v));
        assertArrayEquals(new double[N], p.toDoubles());
    }

    @Test
    void whatIsWrittenInOneThreadAndPendingInAnother() {
        Tensor p = leaf(1);
        CompletableFuture<Void> later = new CompletableFuture<>();
        CompletableFuture<Void> written = new CompletableFuture<>();
        CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
            try (var _ = Sinter.noGrad()) {
                p.mul_(2);
            }
            written.complete(null);
            later.join();
            Trace.restart();
        });
        written.join();
        square(p);
        new SGD(List.of(p), 0.25).step();
        p.zeroGrad();
        assertArrayEquals(data(1).toDoubles(), p.toDoubles());
        later.complete(null);
        other.join();
    }

    @Test
    void aGradientThatACompiledFunctionReturnsOrAddsTo() {
        Tensor p = leaf(1);
        UnaryOperator<Tensor> returns = Sinter.compile((Tensor x) -> {
            p.zeroGrad();
            p.mul(x).sum().backward();
            return p.grad();
        });
        List<Tensor> results = new ArrayList<>();
        for (int i = 1; i <= 4; i++) results.add(returns.apply(Tensor.full(new long[] {N}, i)));
        p.zeroGrad();
        for (int i = 1; i <= 4; i++) assertEquals(i, results.get(i - 1).get(7).item());

        square(p);
        UnaryOperator<Tensor> adds = Sinter.compile((Tensor x) -> {
            Tensor loss = p.mul(x).sum();
            loss.backward();
            return loss;
        });
        for (int i = 0; i < 4; i++) adds.apply(Tensor.ones(N));
        assertArrayEquals(data(1).mul(2).add(4).toDoubles(), p.gradient().toDoubles());
        // Replays add to the gradient that there was, whether or not p still has it.
        Value v = watch(p);
        p.zeroGrad();
        assertFalse(released(v));
        adds.apply(Tensor.ones(N)).item();
    }

    @Test
    void aGradientUsedForwards() {
        Tensor p = leaf(1);
        square(p);
        Tensor penalty = p.grad().mul(p).sum();
        p.zeroGrad();
        penalty.backward();
        Sinter.flush();
        assertArrayEquals(data(1).mul(2).toDoubles(), p.grad().toDoubles());
    }

    @Test
    void whatABoundaryLentIsNotReadLater() {
        Tensor p = leaf(1);
        square(p);
        Tensor[] kept = new Tensor[1];
        Trace.boundary(() -> {
            kept[0] = Trace.gradient(p);
            assertNotNull(kept[0]);
            p.sub_(kept[0].mul(0.5));
        });
        assertThrows(IllegalStateException.class, () -> kept[0].add(1));
        assertArrayEquals(new double[N], p.toDoubles());
        // Written in place, it is a tensor of its own, and what it was made from stays.
        Trace.boundary(() -> Trace.gradient(p).mul_(3));
        Value v = watch(p);
        p.zeroGrad();
        assertFalse(released(v));
    }
}
