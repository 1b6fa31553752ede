// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.Autograd;
import io.sinter.CustomFunction;
import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.Trace;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class AutogradTest {
    private static Tensor leaf(double... v) {
        return Tensor.from(v).requiresGrad_();
    }

    private static Tensor random(long... shape) {
        return Tensor.randn(shape, DType.F64).requiresGrad_();
    }

    private static void check(Function<Tensor[], Tensor> f, Tensor... in) {
        Autograd.gradcheck(f, in);
    }

    @Test
    void gradientsOfFamiliesAgreeWithDifferenceQuotients() {
        Sinter.manualSeed(1);
        check(x -> x[0].mul(x[1]).add(x[0].div(x[1])), random(2, 3), random(3));
        check(x -> x[0].matmul(x[1]), random(2, 3, 4), random(4, 2));
        check(x -> x[0].matmul(x[1]), random(4), random(2, 4, 3));
        check(x -> F.softmax(x[0], 1).mul(F.logSoftmax(x[0], 0)), random(3, 4));
        check(x -> x[0].var(new int[] {1}, 1, false).sqrt(), random(3, 4));
        check(x -> x[0].norm(3, 1, true), random(3, 4));
        check(x -> x[0].max(1).values().add(x[0].amax(new int[] {1}, false)), random(3, 4));
        check(x -> x[0].get("1:, ::-1, None").mul(x[0].get(0)), random(3, 4));
        check(x -> x[0].get(new int[] {0, 0, 2}).cumsum(0), random(3, 2));
        check(x -> x[0].scatterAdd(1, Tensor.from(new long[] {0, 0, 1, 2}, 2, 2), x[1]), random(2, 3), random(2, 2));
        check(x -> x[0].unfold(1, 3, 2).logsumexp(2, false), random(2, 7));
        check(x -> x[0].prod(1, false).add(x[0].cumprod(1).sum(1)), random(2, 3));
    }

    @Test
    void gradientsOfLayers() {
        Sinter.manualSeed(2);
        check(x -> F.conv2d(x[0], x[1], x[2], 2, 1), random(2, 2, 5, 4), random(3, 2, 3, 3), random(3));
        check(
                x -> F.convTranspose1d(
                        x[0], x[1], null, new long[] {2}, new long[] {1}, new long[] {1}, 1, new long[] {1}),
                random(1, 2, 4),
                random(2, 3, 3));
        check(x -> F.layerNorm(x[0], new long[] {4}, x[1], x[2], 1e-5), random(3, 4), random(4), random(4));
        check(x -> F.batchNorm(x[0], null, null, x[1], x[2], true, 0.1, 1e-5), random(3, 2, 2), random(2), random(2));
        check(x -> F.groupNorm(x[0], 2, x[1], null, 1e-5), random(2, 4, 3), random(4));
        check(
                x -> F.scaledDotProductAttention(x[0], x[1], x[2], null, 0, true),
                random(2, 3, 4),
                random(2, 3, 4),
                random(2, 3, 2));
        check(x -> F.crossEntropy(x[0], Tensor.of(1, 0, 3)), random(3, 4));
        check(x -> F.avgPool2d(x[0], 3, 2, 1).add(F.maxPool2d(x[0], 3, 2, 1)), random(1, 2, 5, 5));
        check(x -> F.gelu(x[0]).add(F.silu(x[0])).add(F.softplus(x[0])), random(5));
        check(x -> F.interpolateLinear(x[0], false, 5, 3), random(1, 2, 3, 4));
        check(x -> F.embedding(Tensor.of(2, 0, 2), x[0]), random(3, 2));
    }

    @Test
    void higherDerivatives() {
        Tensor x = leaf(2);
        Tensor y = x.pow(4).sum();
        double[] expected = {32, 48, 48};
        for (double e : expected) {
            y = Autograd.grad(List.of(y), List.of(x), null, false, true, false)
                    .get(0)
                    .sum();
            assertEquals(e, y.item(), 1e-12);
        }
        Tensor a = random(3, 4);
        check(
                in -> Autograd.grad(
                                List.of(F.layerNorm(in[0], new long[] {4}, null, null, 1e-5)
                                        .tanh()
                                        .sum()),
                                List.of(in[0]),
                                null,
                                false,
                                true,
                                false)
                        .get(0),
                a);
        check(
                in -> Autograd.grad(
                                List.of(in[0].matmul(in[1]).square().sum()), List.of(in[0]), null, false, true, false)
                        .get(0),
                random(2, 3),
                random(3, 2));
    }

    @Test
    void leavesAccumulate() {
        Tensor x = leaf(1, 2);
        x.mul(3).sum().backward();
        Tensor g = x.grad();
        x.mul(4).sum().backward();
        assertArrayEquals(new double[] {7, 7}, x.grad().toDoubles());
        assertTrue(g == x.grad(), "the gradient is added to in place");
        x.zeroGrad();
        assertNull(x.grad());
    }

    @Test
    void aTapeServesOnceUnlessRetained() {
        Tensor x = leaf(3);
        Tensor y = x.exp().sum();
        y.backward(null, true, false);
        y.backward();
        assertEquals(2 * Math.exp(3), x.grad().item(), 1e-9);
        String m = assertThrows(IllegalStateException.class, y::backward).getMessage();
        assertTrue(m.contains("retainGraph") && m.contains("AutogradTest.java"), m);
    }

    @Test
    void changingWhatTheTapeSavedIsAnError() {
        Tensor x = leaf(1, 2);
        Tensor y = x.exp();
        y.add_(1);
        String m = assertThrows(IllegalStateException.class, () -> y.sum().backward())
                .getMessage();
        assertTrue(m.contains("in-place") && m.contains("version 1") && m.contains("AutogradTest.java"), m);

        Tensor a = x.mul(1.5);
        Tensor b = a.mul(a);
        a.zero_();
        assertThrows(IllegalStateException.class, () -> b.sum().backward());
    }

    @Test
    void changingWhatTheTapeDidNotSaveIsFine() {
        Tensor x = leaf(1, 2);
        Tensor y = x.mul(2);
        Tensor z = y.add(1);
        y.mul_(5);
        z.add(y).sum().backward();
        assertArrayEquals(new double[] {12, 12}, x.grad().toDoubles());
        Tensor r = x.mul(3);
        r.relu_();
        r.sum().backward();
        assertArrayEquals(new double[] {15, 15}, x.grad().toDoubles());
    }

    @Test
    void backwardThroughAnUpdatedParameterIsAnError() {
        Tensor w = leaf(2);
        Tensor x = leaf(3);
        Tensor loss = w.mul(x).sum();
        loss.backward(null, true, false);
        Trace.boundary(() -> w.sub_(w.grad().mul(0.1)));
        assertThrows(IllegalStateException.class, loss::backward);
    }

    @Test
    void noGradAndDetachCutTheTape() {
        Tensor x = leaf(1);
        try (var _ = Sinter.noGrad()) {
            assertTrue(!x.mul(2).requiresGrad());
            try (var _ = Sinter.enableGrad()) {
                assertTrue(x.mul(2).requiresGrad());
            }
        }
        x.mul(2).detach().mul(x).sum().backward();
        assertEquals(2, x.grad().item());
        assertThrows(IllegalStateException.class, () -> Tensor.of(1.0).backward());
        assertThrows(IllegalArgumentException.class, () -> leaf(1, 2).mul(2).backward());
    }

    @Test
    void hooksSeeAndReplaceGradients() {
        Tensor x = leaf(1, 2);
        List<double[]> seen = new ArrayList<>();
        Tensor y = x.mul(3);
        y.registerHook(g -> {
            seen.add(g.toDoubles());
            return g.mul(10);
        });
        Runnable remove = x.registerHook(g -> g.add(1));
        y.retainGrad();
        y.sum().backward();
        assertArrayEquals(new double[] {1, 1}, seen.get(0));
        assertArrayEquals(new double[] {10, 10}, y.grad().toDoubles());
        assertArrayEquals(new double[] {31, 31}, x.grad().toDoubles());
        remove.run();
        x.zeroGrad();
        x.sum().backward();
        assertArrayEquals(new double[] {1, 1}, x.grad().toDoubles());
    }

    @Test
    void gradLeavesGradAloneAndReportsUnusedInputs() {
        Tensor x = leaf(1);
        Tensor z = leaf(1);
        Tensor y = x.mul(2).sum();
        assertThrows(
                IllegalStateException.class, () -> Autograd.grad(List.of(y), List.of(x, z), null, true, false, false));
        List<Tensor> g = Autograd.grad(List.of(y), List.of(x, z), null, false, false, true);
        assertEquals(2, g.get(0).item());
        assertNull(g.get(1));
        assertNull(x.grad());
    }

    /** The clipped exponential, with the gradient of the unclipped one. */
    private static final class ClippedExp extends CustomFunction {
        @Override
        protected Tensor[] forward(Context context, Tensor... x) {
            Tensor y = x[0].exp();
            context.save(y);
            return new Tensor[] {y.clamp(0, 5)};
        }

        @Override
        protected Tensor[] backward(Context context, Tensor... g) {
            return new Tensor[] {g[0].mul(context.saved(0))};
        }
    }

    @Test
    void customFunctionsHaveTheirOwnGradient() {
        Tensor x = leaf(0, 3);
        Tensor y = new ClippedExp().apply(x.mul(1))[0];
        assertArrayEquals(new double[] {1, 5}, y.toDoubles());
        y.sum().backward();
        assertArrayEquals(new double[] {1, Math.exp(3)}, x.grad().toDoubles(), 1e-12);
    }

    @Test
    void checkpointsGiveTheSameGradients() {
        Tensor w = Tensor.randn(new long[] {4, 4}, DType.F64).requiresGrad_();
        Tensor x = random(2, 4);
        double[][] g = new double[2][];
        for (int i = 0; i < 2; i++) {
            w.zeroGrad();
            x.zeroGrad();
            Sinter.manualSeed(5);
            Function<Tensor, Tensor> f =
                    v -> F.dropout(v.matmul(w).tanh(), 0.5, true).matmul(w);
            Tensor y = i == 0 ? f.apply(x) : Autograd.checkpoint(f::apply, x);
            y.square().sum().backward();
            g[i] = F.cat(List.of(w.grad().flatten(), x.grad().flatten()), 0).toDoubles();
        }
        assertArrayEquals(g[0], g[1], 1e-12);
    }
}
