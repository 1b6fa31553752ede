// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Families of functions, on numbers that can be checked by hand. PyTorch's own samples are in the conformance
 * tests.
 */
class FamiliesTest {
    private static final double NAN = Double.NaN;

    private static Tensor matrix(int rows, double... values) {
        return Tensor.from(values, rows, values.length / rows);
    }

    private static void assertValues(Tensor actual, double... expected) {
        assertArrayEquals(expected, actual.toDoubles(), 1e-9, actual.show());
    }

    private static void assertLongs(Tensor actual, long... expected) {
        assertEquals(DType.I64, actual.dtype());
        assertArrayEquals(expected, actual.toLongs());
    }

    private static double[] gradient(Tensor y, Tensor x) {
        return Autograd.grad(y, x).get(0).toDoubles();
    }

    /** Images of one pixel are products: as if zeros were beside it, and as each output channel for itself. */
    @Test
    void transposedConvolutionsOfOnePixel() {
        Tensor x = Tensor.randn(new long[] {2, 3, 1, 1}, DType.F64).requiresGrad_();
        Tensor w = Tensor.randn(new long[] {3, 4, 3, 2}, DType.F64).requiresGrad_();
        Tensor b = Tensor.randn(new long[] {4}, DType.F64).requiresGrad_();
        Tensor y = spread(x, w, b);
        assertArrayEquals(new long[] {2, 4, 3, 2}, y.shape());
        Tensor wider = spread(F.pad(x, 0, 1, 0, 1), w, b).narrow(2, 0, 3).narrow(3, 0, 2);
        assertValues(y, wider.toDoubles());
        Autograd.gradcheck(in -> spread(in[0], in[1], in[2]), x, w, b);
        Tensor tooFew = Tensor.zeros(2, 2, 1, 1).to(DType.F64);
        String message = assertThrows(
                        RuntimeException.class, () -> spread(tooFew, w, b).toDoubles())
                .getMessage();
        assertTrue(message.contains("conv_input_grad") && message.contains("f64[2,2,1,1]"), message);
    }

    private static Tensor spread(Tensor x, Tensor weight, Tensor bias) {
        long[] none = {0};
        return F.convTranspose2d(x, weight, bias, new long[] {2}, none, none, 1, new long[] {1});
    }

    @Test
    void adaptiveMeansOverWholeAxes() {
        Tensor x = Tensor.arange(24).to(DType.F64).reshape(1, 2, 3, 4);
        assertValues(F.adaptiveAvgPool2d(x, 1, 1), 5.5, 17.5);
        assertArrayEquals(new long[] {1, 2, 1, 1}, F.adaptiveAvgPool2d(x, 1, 1).shape());
        assertValues(F.adaptiveAvgPool(x, 1), 1.5, 5.5, 9.5, 13.5, 17.5, 21.5);
        assertValues(F.adaptiveAvgPool2d(x, 1, 2), 4.5, 6.5, 16.5, 18.5);
        assertThrows(TensorException.class, () -> F.adaptiveAvgPool(x, 1, 1, 1, 1, 1));
    }

    @Test
    void middleElementsPassOverNanOrKeepIt() {
        Tensor x = Tensor.from(new double[] {4, 1, 3, 2});
        assertValues(x.median(), 2);
        assertLongs(x.median(0, true).indices(), 3);
        Tensor withNan = Tensor.from(new double[] {4, NAN, 1, 9});
        assertTrue(Double.isNaN(withNan.median().item()));
        assertLongs(withNan.median(0, false).indices(), 1);
        assertValues(withNan.nanmedian(), 4);
        assertValues(x.quantile(Tensor.from(new double[] {0, 0.5, 1})), 1, 2.5, 4);
        assertValues(x.quantile(Tensor.from(new double[] {0.4}), 0, false, "lower"), 2);
    }

    @Test
    void equalMiddlesShareTheGradient() {
        Tensor x = Tensor.from(new double[] {2, 5, 2, 1}).requiresGrad_();
        assertArrayEquals(new double[] {0.5, 0, 0.5, 0}, gradient(x.median(), x));
    }

    @Test
    void modeIsTheLeastOfTheMostFrequent() {
        Tensor x = matrix(2, 3, 1, 3, 1, 2, 7, 7, 5, 5, 5);
        ValuesAndIndices m = x.mode(1, false);
        assertValues(m.values(), 1, 5);
        assertTrue(x.gather(1, m.indices().unsqueeze(1)).squeeze(1).equal(m.values()));
    }

    @Test
    void runningExtremesNameTheLatestOfEquals() {
        ValuesAndIndices m = Tensor.from(new double[] {1, 3, 3, 2, 5}).cummax(0);
        assertValues(m.values(), 1, 3, 3, 3, 5);
        assertLongs(m.indices(), 0, 1, 2, 2, 4);
    }

    @Test
    void logcumsumexpDoesNotOverflow() {
        Tensor x = Tensor.from(new double[] {1000, 1000, -1000});
        assertValues(x.logcumsumexp(0), 1000, 1000 + Math.log(2), 1000 + Math.log(2));
    }

    @Test
    void normHasAGradientAtZero() {
        Tensor x = Tensor.from(new double[] {0, 0}).requiresGrad_();
        for (double p : new double[] {1, 2, 3, 0.5, Double.POSITIVE_INFINITY}) {
            assertArrayEquals(new double[] {0, 0}, gradient(x.norm(p), x), "p = " + p);
        }
        Tensor y = Tensor.from(new double[] {3, -4}).requiresGrad_();
        assertArrayEquals(new double[] {0.6, -0.8}, gradient(y.norm(), y), 1e-12);
    }

    @Test
    void einsumContractsTransposesAndTakesDiagonals() {
        Tensor a = matrix(2, 1, 2, 3, 4);
        Tensor b = matrix(2, 5, 6, 7, 8);
        assertValues(F.einsum("ij,jk->ik", a, b), 19, 22, 43, 50);
        assertValues(F.einsum("ij,jk", a, b), 19, 22, 43, 50);
        assertValues(F.einsum("ij->ji", a), 1, 3, 2, 4);
        assertValues(F.einsum("ii", a), 5);
        assertValues(F.einsum("ii->i", a), 1, 4);
        assertValues(F.einsum("i,j->ij", a.select(0, 0), b.select(0, 1)), 7, 8, 14, 16);
        assertValues(F.einsum("...ij,...jk->...ik", a.unsqueeze(0), b), 19, 22, 43, 50);
        assertValues(F.einsum("ij,ij,ij->", a, a, b), 5 + 24 + 63 + 128);
        assertThrows(TensorException.class, () -> F.einsum("ijk->i", a));
        assertThrows(TensorException.class, () -> F.einsum("ij,jk->ik", a));
    }

    @Test
    void tensordotKronAndCross() {
        Tensor a = matrix(2, 1, 2, 3, 4);
        assertValues(F.tensordot(a, a, 1), 7, 10, 15, 22);
        assertValues(F.tensordot(a, a, new int[] {0}, new int[] {0}), 10, 14, 14, 20);
        assertValues(a.kron(Tensor.from(new double[] {1, 10})), 1, 10, 2, 20, 3, 30, 4, 40);
        assertValues(Tensor.from(new double[] {1, 0, 0}).cross(Tensor.from(new double[] {0, 1, 0}), -1), 0, 0, 1);
        assertValues(a.matrixPower(3), 37, 54, 81, 118);
        assertValues(a.matrixPower(0), 1, 0, 0, 1);
    }

    @Test
    void scatterReduceWithAndWithoutSelf() {
        Tensor x = Tensor.from(new double[] {1, 2, 3});
        Tensor at = Tensor.of(0L, 0L, 2L);
        Tensor src = Tensor.from(new double[] {5, 7, 10});
        assertValues(x.scatterReduce(0, at, src, "sum", true), 13, 2, 13);
        assertValues(x.scatterReduce(0, at, src, "sum", false), 12, 2, 10);
        assertValues(x.scatterReduce(0, at, src, "prod", true), 35, 2, 30);
        assertValues(x.scatterReduce(0, at, src, "mean", true), 13 / 3.0, 2, 6.5);
        assertValues(x.scatterReduce(0, at, src, "mean", false), 6, 2, 10);
        assertValues(x.scatterReduce(0, at, src, "amax", false), 7, 2, 10);
        assertValues(x.scatterReduce(0, at, src, "amin", true), 1, 2, 3);
        assertThrows(TensorException.class, () -> x.scatterReduce(0, at, src, "median", true));
    }

    @Test
    void indicesOutOfRangeAreErrorsAndNotAccesses() {
        Tensor x = Tensor.from(new double[] {1, 2, 3});
        Tensor bad = Tensor.of(3L);
        assertThrows(IndexOutOfBoundsException.class, () -> x.put(bad, Tensor.from(new double[] {1}), false)
                .toDoubles());
        assertThrows(
                IndexOutOfBoundsException.class, () -> x.takeAlongDim(bad, 0).toDoubles());
        assertThrows(
                IndexOutOfBoundsException.class, () -> x.indexFill(0, bad, 1).toDoubles());
    }

    @Test
    void uniqueElementsRowsAndRuns() {
        Tensor x = Tensor.from(new double[] {3, 1, 3, 2, 1});
        Tensor.Unique u = x.unique();
        assertValues(u.values(), 1, 2, 3);
        assertLongs(u.inverse(), 2, 0, 2, 1, 0);
        assertLongs(u.counts(), 2, 1, 2);
        Tensor.Unique rows = matrix(3, 2, 1, 1, 9, 2, 1).unique(0);
        assertValues(rows.values(), 1, 9, 2, 1);
        assertLongs(rows.inverse(), 1, 0, 1);
        assertLongs(rows.counts(), 1, 2);
        Tensor.Unique runs = Tensor.of(1L, 1L, 2L, 2L, 2L, 1L).uniqueConsecutive();
        assertLongs(runs.values(), 1, 2, 1);
        assertLongs(runs.counts(), 2, 3, 1);
        assertLongs(runs.inverse(), 0, 0, 1, 1, 1, 2);
    }

    @Test
    void searchsortedOnBothSides() {
        Tensor sorted = Tensor.from(new double[] {1, 3, 3, 5, 8});
        Tensor v = Tensor.from(new double[] {0, 3, 4, 8, 9, NAN});
        assertLongs(sorted.searchsorted(v, false), 0, 1, 3, 4, 5, 5);
        assertLongs(sorted.searchsorted(v, true), 0, 3, 3, 5, 5, 5);
        Tensor rows = matrix(2, 1, 2, 3, 10, 20, 30);
        assertLongs(rows.searchsorted(matrix(2, 2, 25), false), 1, 2);
        assertLongs(Tensor.of(1L, 2L, 2L).bincount(null, 5), 0, 1, 2, 0, 0);
    }

    @Test
    void movesAndPieces() {
        Tensor x = Tensor.arange(6).reshape(2, 3);
        assertLongs(x.roll(1, 1), 2, 0, 1, 5, 3, 4);
        assertLongs(x.roll(-1), 1, 2, 3, 4, 5, 0);
        assertLongs(x.rot90(1, 0, 1), 2, 5, 1, 4, 0, 3);
        assertLongs(x.tile(2), 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5);
        assertLongs(x.repeatInterleave(Tensor.of(2L, 0L), 0), 0, 1, 2, 0, 1, 2);
        assertLongs(Tensor.of(1L, 2L).diagEmbed(-1, 0, 1), 0, 0, 0, 1, 0, 0, 0, 2, 0);
        assertLongs(x.diff(), 1, 1, 1, 1);
        assertLongs(x.tensorSplit(2, 1).get(1), 2, 5);
        assertLongs(F.blockDiag(List.of(Tensor.of(1L, 2L), Tensor.of(3L))), 1, 2, 0, 0, 0, 3);
        assertLongs(F.combinations(Tensor.of(7L, 8L, 9L), 2, false), 7, 8, 7, 9, 8, 9);
        assertArrayEquals(new long[] {5, 4, 3}, F.broadcastShapes(new long[] {4, 1}, new long[] {5, 1, 3}));
    }

    @Test
    void specialFunctionsAtKnownPlaces() {
        assertValues(
                F.polygamma(1, Tensor.from(new double[] {1, 0.5, -0.5})),
                Math.PI * Math.PI / 6,
                Math.PI * Math.PI / 2,
                Math.PI * Math.PI / 2 + 4);
        assertValues(F.polygamma(2, Tensor.from(new double[] {1})), -2 * 1.2020569031595942);
        assertValues(
                F.zeta(Tensor.from(new double[] {2, 4}), Tensor.from(new double[] {1, 1})),
                Math.PI * Math.PI / 6,
                Math.pow(Math.PI, 4) / 90);
        assertValues(F.i0(Tensor.from(new double[] {0, 1})), 1, 1.2660658777520084);
        assertValues(F.i1(Tensor.from(new double[] {0, 1})), 0, 0.565159103992485);
        assertValues(F.ndtr(Tensor.from(new double[] {0, 1.959963984540054})), 0.5, 0.975);
        assertValues(F.ndtri(Tensor.from(new double[] {0.975})), 1.959963984540054);
        assertValues(F.logNdtr(Tensor.from(new double[] {-20, 0})), -203.9171553710973, Math.log(0.5));
        assertValues(F.erfcx(Tensor.from(new double[] {0, 10})), 1, 0.05614099274382259);
        assertValues(F.entr(Tensor.from(new double[] {0, 1, -1})), 0, 0, Double.NEGATIVE_INFINITY);
        assertValues(Tensor.from(new double[] {0, 0.5}).sinc(), 1, 2 / Math.PI);
        assertValues(Tensor.from(new double[] {0, 2}).xlogy(Tensor.from(new double[] {0, Math.E})), 0, 2);
        assertValues(Tensor.from(new double[] {1000}).logaddexp(Tensor.from(new double[] {1000})), 1000 + Math.log(2));
    }

    @Test
    void integralsAndDerivatives() {
        Tensor y = Tensor.from(new double[] {0, 1, 4, 9});
        assertValues(y.trapezoid(1, 0), 9.5);
        assertValues(y.trapezoid(Tensor.from(new double[] {0, 2, 4, 6}), 0), 19);
        assertValues(y.cumulativeTrapezoid(1, 0), 0.5, 3, 9.5);
        List<Tensor> spacing = List.of(Tensor.scalar(1.0).toDouble());
        assertValues(y.gradient(spacing, new int[] {0}, 1).get(0), 1, 2, 4, 5);
        assertValues(y.gradient(spacing, new int[] {0}, 2).get(0), 0, 2, 4, 6);
        assertValues(Windows.hann(5, true, DType.F64), 0, 0.5, 1, 0.5, 0);
    }

    @Test
    void poolingSaysWhereAndUnpoolingPutsBack() {
        Tensor x = Tensor.from(new double[] {1, 9, 2, 3, 4, 8}, 1, 1, 6);
        ValuesAndIndices m =
                F.maxPoolWithIndices(x, 1, new long[] {2}, new long[] {2}, new long[] {0}, new long[] {1}, false);
        assertValues(m.values(), 9, 3, 8);
        assertLongs(m.indices(), 1, 3, 5);
        assertValues(F.maxUnpool(m.values(), m.indices(), 6), 0, 9, 0, 3, 0, 8);
        assertValues(F.pad(x, new long[] {2, 1}, "reflect"), 2, 9, 1, 9, 2, 3, 4, 8, 4);
        assertValues(F.pad(x, new long[] {1, 1}, "circular"), 8, 1, 9, 2, 3, 4, 8, 1);
        assertValues(F.interpolate(x, new long[] {3}, null, "nearest", false, false), 1, 2, 4);
        assertValues(F.interpolate(x, new long[] {3}, null, "area", false, false), 5, 2.5, 6);
        assertThrows(TensorException.class, () -> F.pad(x, new long[] {6, 0}, "reflect"));
    }

    @Test
    void wholeNumbersConvolveExactly() {
        Tensor x = Tensor.of(1L, 2L, 3L, 1L << 40).reshape(1, 1, 4);
        Tensor w = Tensor.of(1L, -1L).reshape(1, 1, 2);
        assertLongs(F.conv1d(x, w, null), -1, -1, 3 - (1L << 40));
    }
}
