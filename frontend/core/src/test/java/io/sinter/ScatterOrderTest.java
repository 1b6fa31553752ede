// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sums at repeated indices are added in the order of the indices, to the bit, for any number of threads and any shape; look-ups read what they should.
 */
class ScatterOrderTest {
    private final Random random = new Random(5);

    private float[] floats(int n) {
        float[] r = new float[n];
        for (int i = 0; i < n; i++) r[i] = (float) random.nextGaussian();
        return r;
    }

    private long[] indices(int n, int bound) {
        long[] r = new long[n];
        for (int i = 0; i < n; i++) r[i] = random.nextInt(2 * bound) - bound; // negative ones count from the end
        return r;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void sumsAreInOrder(int threads) {
        // Slices of one element, narrow, in several tiles, in several wide tiles; before them no axis or one.
        int[][] shapes = {{1, 300, 1}, {1, 200, 7}, {1, 100, 200}, {3, 40, 130}, {1, 20, 2100}, {40, 30, 1}};
        try (Session session = Session.open(Options.fromProperties().withThreads(threads));
                var _ = session.use()) {
            for (int[] s : shapes) sumsAreInOrder(s[0], s[1], s[2], 11);
        }
    }

    private void sumsAreInOrder(int outer, int slices, int inner, int places) {
        float[] x = floats(outer * places * inner);
        float[] src = floats(outer * slices * inner);
        long[] each = indices(outer * slices * inner, places);
        long[] whole = indices(slices, places);
        float[] scattered = x.clone();
        float[] added = x.clone();
        for (int o = 0; o < outer; o++) {
            for (int k = 0; k < slices; k++) {
                for (int i = 0; i < inner; i++) {
                    int from = (o * slices + k) * inner + i;
                    int one = (int) Math.floorMod(each[from], (long) places);
                    scattered[(o * places + one) * inner + i] += src[from];
                    int slice = (int) Math.floorMod(whole[k], (long) places);
                    added[(o * places + slice) * inner + i] += src[from];
                }
            }
        }
        Tensor t = Tensor.from(x, outer, places, inner);
        Tensor s = Tensor.from(src, outer, slices, inner);
        assertArrayEquals(
                scattered,
                t.scatterAdd(1, Tensor.from(each, outer, slices, inner), s).toFloats());
        assertArrayEquals(added, t.indexAdd(1, Tensor.from(whole), s).toFloats());
    }

    @Test
    void lookUpsReadWhatTheyShould() {
        for (int n : new int[] {1, 7, 1000, 5000}) {
            float[] x = floats(300);
            long[] index = indices(n, 300);
            float[] expected = new float[n];
            for (int i = 0; i < n; i++) expected[i] = x[(int) Math.floorMod(index[i], 300L)];
            assertArrayEquals(
                    expected, Tensor.from(x).indexSelect(0, Tensor.from(index)).toFloats());
            long[] wrong = index.clone();
            wrong[n - 1] = 300;
            assertThrows(
                    IndexOutOfBoundsException.class,
                    () -> Tensor.from(x).indexSelect(0, Tensor.from(wrong)).toFloats());
        }
    }
}
