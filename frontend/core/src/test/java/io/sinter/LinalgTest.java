// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Linear systems against their definitions, and matrices that need row exchanges. */
class LinalgTest {
    /** Two matrices; the first column of the second begins with 0. */
    private static Tensor matrices() {
        return Tensor.from(new double[] {4, 2, 1, 2, 5, 3, 1, 3, 6, 0, 2, 1, 3, 0, 1, 1, 1, 0}, 2, 3, 3);
    }

    private static void assertClose(Tensor actual, Tensor expected) {
        assertArrayEquals(expected.shape(), actual.shape());
        assertArrayEquals(expected.toDoubles(), actual.toDoubles(), 1e-12, actual.show());
    }

    @Test
    void inversesAndSolutionsSolve() {
        Tensor a = matrices();
        Tensor identity = Tensor.eye(3, 3, a.dtype()).expand(2, 3, 3);
        assertClose(a.matmul(Linalg.inv(a)), identity);
        Tensor b = Tensor.from(new double[] {1, 2, 3, 4, 5, 6}, 3, 2);
        assertClose(a.matmul(Linalg.solve(a, b)), b.expand(2, 3, 2));
        Tensor v = Tensor.from(new double[] {1, 2, 3});
        assertClose(a.matmul(Linalg.solve(a, v).unsqueeze(-1)).squeeze(-1), v.expand(2, 3));
        assertClose(Linalg.matrixPower(a, -2).matmul(a).matmul(a), identity);
        assertThrows(TensorException.class, () -> Linalg.solve(a, Tensor.from(new double[] {1, 2})));
        assertThrows(TensorException.class, () -> Linalg.inv(b));
    }

    @Test
    void determinantsCountRowExchanges() {
        Tensor a = matrices();
        assertClose(Linalg.det(a), Tensor.from(new double[] {67, 5}));
        Tensor exchange = Tensor.from(new double[] {0, 1, 1, 0}, 2, 2);
        assertEquals(-1, Linalg.det(exchange).item());
        assertEquals(-1, Linalg.slogdet(exchange).sign().item());
        assertEquals(0, Linalg.slogdet(exchange).logabsdet().item(), 1e-12);
    }

    /** d log|det A| = A⁻ᵀ, by another way than the determinant's own gradient. */
    @Test
    void theGradientOfTheLogarithmOfTheDeterminantIsTheInverse() {
        Tensor a = matrices().requiresGrad_();
        Tensor y = Linalg.slogdet(a).logabsdet().sum();
        assertClose(Autograd.grad(y, a).get(0), Linalg.inv(a.detach()).mT());
    }

    @Test
    void choleskyAndTriangularSystems() {
        Tensor a = matrices().select(0, 0);
        Tensor l = Linalg.cholesky(a, false);
        assertClose(l.matmul(l.mT()), a);
        assertClose(l.tril(0), l);
        Tensor b = Tensor.from(new double[] {1, 2, 3}, 3, 1);
        assertClose(l.matmul(Linalg.solveTriangular(l, b, false, true, false)), b);
        assertClose(l.mT().matmul(Linalg.solveTriangular(l.mT(), b, true, true, false)), b);
        assertClose(Linalg.solveTriangular(l, b.mT(), false, false, false).matmul(l), b.mT());
    }

    @Test
    void theExponentialOfARotationIsARotation() {
        double angle = 20;
        Tensor a = Tensor.from(new double[] {0, -angle, angle, 0}, 2, 2);
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        assertArrayEquals(new double[] {c, -s, s, c}, Linalg.matrixExp(a).toDoubles(), 1e-12);
    }

    @Test
    void gridsThatNameTheElementsReadThem() {
        Tensor x = Tensor.from(new double[] {1, 2, 3, 4, 5, 6}, 1, 1, 2, 3);
        Tensor ys = Tensor.from(new double[] {-1, 1}, 1, 2, 1).expand(1, 2, 3);
        Tensor xs = Tensor.from(new double[] {-1, 0, 1}, 1, 1, 3).expand(1, 2, 3);
        Tensor grid = F.stack(List.of(xs, ys), -1);
        for (String mode : new String[] {"bilinear", "nearest", "bicubic"}) {
            assertClose(F.gridSample(x, grid, mode, "zeros", true), x);
        }
        Tensor outside = grid.mul(3.0);
        assertEquals(
                0,
                F.gridSample(x, outside, "nearest", "zeros", true)
                        .get(0, 0, 0, 0)
                        .item());
        assertEquals(
                1,
                F.gridSample(x, outside, "nearest", "border", true)
                        .get(0, 0, 0, 0)
                        .item());
    }
}
