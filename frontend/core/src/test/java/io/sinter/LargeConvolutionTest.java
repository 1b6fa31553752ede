// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Convolutions of many channels and pixels, and their gradients, against loops over integers: of small integers
 * every algorithm's sums are exact, Winograd's too, whose factors are halves and quarters.
 */
class LargeConvolutionTest {
    /** x[n, c, h, w] and weight[o, c, kh, kw]; strides and dilations are 1. */
    private record Case(int n, int c, int o, int h, int w, int kh, int kw, int padY, int padX) {
        int outY() {
            return h + 2 * padY - kh + 1;
        }

        int outX() {
            return w + 2 * padX - kw + 1;
        }
    }

    static Stream<Case> cases() {
        return Stream.of(
                new Case(3, 32, 32, 16, 16, 3, 3, 1, 1), // whole tiles, whole vectors
                new Case(2, 33, 70, 17, 19, 3, 3, 1, 1), // the rest of everything
                new Case(9, 36, 130, 7, 7, 3, 3, 1, 1), // several images a task, several panels
                new Case(1, 40, 35, 61, 12, 3, 3, 0, 2), // bands of one image, padding unlike
                new Case(2, 34, 33, 11, 90, 3, 3, 2, 0),
                new Case(1, 64, 64, 40, 21, 3, 3, 1, 1),
                new Case(2, 35, 33, 12, 13, 3, 2, 1, 1)); // other taps
    }

    @ParameterizedTest
    @MethodSource("cases")
    void valuesAndGradientsAreExact(Case c) {
        try (Session session = Session.open(Options.fromProperties().withThreads(2));
                var _ = session.use()) {
            check(c);
        }
    }

    private static void check(Case c) {
        Random random = new Random(c.hashCode());
        int[] x = integers(random, c.n * c.c * c.h * c.w);
        int[] w = integers(random, c.o * c.c * c.kh * c.kw);
        int[] dy = integers(random, c.n * c.o * c.outY() * c.outX());
        int[] bias = integers(random, c.o);
        int[] y = new int[dy.length];
        int[] dx = new int[x.length];
        int[] dw = new int[w.length];
        loops(c, x, w, dy, y, dx, dw);
        Tensor tx = tensor(x, c.n, c.c, c.h, c.w).requiresGrad_();
        Tensor tw = tensor(w, c.o, c.c, c.kh, c.kw).requiresGrad_();
        Tensor ty = F.conv2d(tx, tw, null, new long[] {1}, new long[] {c.padY, c.padX}, new long[] {1}, 1);
        ty.backward(tensor(dy, c.n, c.o, c.outY(), c.outX()));
        assertArrayEquals(floats(y), ty.toFloats(), "values");
        assertArrayEquals(floats(dx), tx.grad().toFloats(), "gradient of the input");
        assertArrayEquals(floats(dw), tw.grad().toFloats(), "gradient of the weight");
        // With code around it: the input is computed as it is read, the result as it is stored.
        Tensor b = tensor(bias, c.o);
        Tensor code = F.conv2d(
                        tensor(x, c.n, c.c, c.h, c.w).add(1).sub(1).relu(),
                        tw.detach(),
                        b,
                        new long[] {1},
                        new long[] {c.padY, c.padX},
                        new long[] {1},
                        1)
                .relu();
        int[] clipped = Arrays.stream(x).map(v -> Math.max(0, v)).toArray();
        Arrays.fill(y, 0);
        loops(c, clipped, w, dy, y, dx, dw);
        int plane = c.outY() * c.outX();
        for (int i = 0; i < y.length; i++) y[i] = Math.max(0, y[i] + bias[i / plane % c.o]);
        assertArrayEquals(floats(y), code.toFloats(), "with code around it");
    }

    private static void loops(Case c, int[] x, int[] w, int[] dy, int[] y, int[] dx, int[] dw) {
        for (int n = 0; n < c.n; n++) {
            for (int o = 0; o < c.o; o++) {
                for (int ch = 0; ch < c.c; ch++) {
                    for (int tap = 0; tap < c.kh * c.kw; tap++) {
                        int weight = (o * c.c + ch) * c.kh * c.kw + tap;
                        int ky = tap / c.kw - c.padY;
                        int kx = tap % c.kw - c.padX;
                        for (int py = Math.max(0, -ky); py < Math.min(c.outY(), c.h - ky); py++) {
                            int at = ((n * c.o + o) * c.outY() + py) * c.outX();
                            int from = ((n * c.c + ch) * c.h + py + ky) * c.w + kx;
                            for (int px = Math.max(0, -kx); px < Math.min(c.outX(), c.w - kx); px++) {
                                y[at + px] += w[weight] * x[from + px];
                                dx[from + px] += w[weight] * dy[at + px];
                                dw[weight] += dy[at + px] * x[from + px];
                            }
                        }
                    }
                }
            }
        }
    }

    private static int[] integers(Random random, int count) {
        return random.ints(count, -3, 4).toArray();
    }

    private static float[] floats(int[] x) {
        float[] r = new float[x.length];
        for (int i = 0; i < x.length; i++) r[i] = x[i];
        return r;
    }

    private static Tensor tensor(int[] x, long... shape) {
        return Tensor.from(floats(x), shape);
    }
}
