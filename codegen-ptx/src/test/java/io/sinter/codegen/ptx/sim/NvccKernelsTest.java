// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.codegen.ptx.Resources;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels that nvcc compiled (the sources are beside the PTX), against the same in plain Java. */
class NvccKernelsTest {
    private final Random random = new Random(7);

    private static Launcher load(String file) {
        return new Launcher(Resources.text("nvcc/" + file + ".ptx"));
    }

    private float[] floats(int n) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) x[i] = (float) random.nextGaussian();
        return x;
    }

    private int[] ints(int n, int bound) {
        return random.ints(n, -bound, bound).toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 5000})
    void sumInDynamicSharedMemory(int n) {
        Launcher l = load("reductions");
        l.shared = 128 * 4;
        float[] x = floats(n);
        long out = l.empty(4 * 3);
        l.launch("sum_shared", Dim3.of(3), Dim3.of(128), l.buffer(x), out, n);
        double want = 0;
        for (float v : x) want += v;
        float[] got = l.floats(out, 3);
        assertEquals(want, (double) got[0] + got[1] + got[2], 1e-3);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 77, 4096})
    void sumByShuffles(int n) {
        Launcher l = load("reductions");
        float[] x = floats(n);
        long out = l.empty(4);
        l.launch("sum_warps", Dim3.of(1), Dim3.of(256), l.buffer(x), out, n);
        double want = 0;
        for (float v : x) want += v;
        assertEquals(want, l.floats(out, 1)[0], 1e-3);
    }

    @Test
    void dotOfDoublesByAtomics() {
        Launcher l = load("reductions");
        double[] x = random.doubles(1000).toArray();
        double[] y = random.doubles(1000).toArray();
        long out = l.buffer(new double[1]);
        l.launch("dot_double", Dim3.of(2), Dim3.of(64), l.buffer(x), l.buffer(y), out, 1000);
        double want = 0;
        for (int i = 0; i < 1000; i++) want += x[i] * y[i];
        assertEquals(want, l.doubles(out, 1)[0], 1e-10);
    }

    @Test
    void maximumByRedux() {
        Launcher l = load("reductions");
        int[] x = ints(1000, 1 << 30);
        long out = l.buffer(Integer.MIN_VALUE);
        l.launch("max_redux", Dim3.of(8), Dim3.of(128), l.buffer(x), out, 1000);
        assertEquals(java.util.Arrays.stream(x).max().getAsInt(), l.ints(out, 1)[0]);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 33, 300})
    void softmaxOfRows(int columns) {
        Launcher l = load("reductions");
        float[] x = floats(5 * columns);
        long y = l.empty(4L * x.length);
        l.launch("softmax_rows", Dim3.of(5), Dim3.of(128), l.buffer(x), y, columns);
        float[] got = l.floats(y, x.length);
        for (int r = 0; r < 5; r++) {
            double sum = 0;
            for (int c = 0; c < columns; c++) sum += Math.exp(x[r * columns + c]);
            for (int c = 0; c < columns; c++)
                assertEquals(Math.exp(x[r * columns + c]) / sum, got[r * columns + c], 1e-6);
        }
    }

    @Test
    void transpose() {
        Launcher l = load("tiles");
        int rows = 45;
        int columns = 70;
        float[] x = floats(rows * columns);
        long y = l.empty(4L * x.length);
        l.launch("transpose", Dim3.of(3, 2), Dim3.of(32, 8), l.buffer(x), y, rows, columns);
        float[] got = l.floats(y, x.length);
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++) assertEquals(x[r * columns + c], got[c * rows + r]);
    }

    @Test
    void tiledProduct() {
        Launcher l = load("tiles");
        int m = 37;
        int n = 50;
        int k = 41;
        float[] a = floats(m * k);
        float[] b = floats(k * n);
        long c = l.empty(4L * m * n);
        l.launch("gemm", Dim3.of((n + 15) / 16, (m + 15) / 16), Dim3.of(16, 16), l.buffer(a), l.buffer(b), c, m, n, k);
        float[] got = l.floats(c, m * n);
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double want = 0;
                for (int t = 0; t < k; t++) want += a[i * k + t] * b[t * n + j];
                assertEquals(want, got[i * n + j], 1e-4);
            }
        }
    }

    @Test
    void vectorsOfFour() {
        Launcher l = load("tiles");
        float[] x = floats(400);
        long y = l.empty(1600);
        l.launch("copy_vectors", Dim3.of(2), Dim3.of(64), l.buffer(x), y, 100);
        float[] got = l.floats(y, 400);
        for (int i = 0; i < 400; i++) assertEquals(x[i / 4 * 4 + 3 - i % 4], got[i]);
    }

    @Test
    void histogram() {
        Launcher l = load("integers");
        byte[] x = new byte[3000];
        random.nextBytes(x);
        long bins = l.buffer(new int[256]);
        l.launch("histogram", Dim3.of(4), Dim3.of(96), l.buffer(x), bins, x.length);
        int[] want = new int[256];
        for (byte b : x) want[b & 0xff]++;
        assertArrayEquals(want, l.ints(bins, 256));
    }

    @Test
    void integerOperations() {
        Launcher l = load("integers");
        int n = 100;
        int[] x = random.ints(n).toArray();
        long y = l.empty(8L * n);
        l.launch("hash", Dim3.of(2), Dim3.of(64), l.buffer(x), y, n);
        long[] got = l.longs(y, n);
        int[] primes = {(int) 2654435761L, (int) 2246822519L, (int) 3266489917L, 668265263, 374761393, 7, 11, 13};
        for (int i = 0; i < n; i++) {
            int h = x[i];
            for (int r = 0; r < 8; r++) {
                h = h * primes[r] + (h >>> 13);
                h ^= Integer.reverse(h) + Integer.bitCount(h) - Integer.numberOfLeadingZeros(h);
                h = Integer.rotateLeft(h, r + 1);
                // __byte_perm(h, i, 0x2134): bytes 4, 3, 1, 2 from the lowest on.
                h ^= (i & 0xff) | (h >>> 24) << 8 | (h >>> 8 & 0xff) << 16 | (h >>> 16 & 0xff) << 24;
            }
            long high = Math.unsignedMultiplyHigh((h & 0xffff_ffffL) << 20, 0x9E3779B97F4A7C15L);
            assertEquals(Long.divideUnsigned(high, i + 3) + Integer.remainderUnsigned(h, 1000), got[i], "element " + i);
        }
    }

    @Test
    void lanesLeaveALoopAtDifferentTimes() {
        Launcher l = load("integers");
        int[] x = random.ints(200, 1, 100_000).toArray();
        long steps = l.empty(800);
        l.launch("collatz", Dim3.of(4), Dim3.of(64), l.buffer(x), steps, 200);
        int[] want = new int[200];
        for (int i = 0; i < 200; i++) {
            for (long v = x[i]; v != 1; v = v % 2 == 0 ? v / 2 : 3 * v + 1) want[i]++;
        }
        assertArrayEquals(want, l.ints(steps, 200));
    }

    @Test
    void localArrayAndSwitch() {
        Launcher l = load("integers");
        int[] program = random.ints(50).toArray();
        long out = l.empty(4 * 64);
        l.launch("machine", Dim3.of(1), Dim3.of(64), l.buffer(program), out, program.length);
        int[] want = new int[64];
        for (int i = 0; i < 64; i++) {
            int[] r = new int[8];
            for (int k = 0; k < 8; k++) r[k] = i + k;
            for (int op : program) {
                int d = op >> 8 & 7;
                int a = r[op >> 16 & 7];
                int b = r[op >> 24 & 7];
                r[d] = switch (op + i & 3) {
                    case 0 -> a + b;
                    case 1 -> a * b;
                    case 2 -> a ^ b >> 3;
                    default -> a - b;
                };
            }
            for (int v : r) want[i] = want[i] * 31 + v;
        }
        assertArrayEquals(want, l.ints(out, 64));
    }

    @Test
    void lastBlockAddsWhatAllWrote() {
        Launcher l = load("integers");
        int[] x = ints(1000, 1000);
        long partial = l.empty(4 * 16);
        long out = l.empty(4);
        for (int run = 0; run < 3; run++) {
            l.launch("last_block", Dim3.of(16), Dim3.of(64), l.buffer(x), partial, out, 1000);
            assertEquals(java.util.Arrays.stream(x).sum(), l.ints(out, 1)[0]);
        }
    }

    private static short bf16(float v) {
        return (short) Floats.encode(
                io.sinter.codegen.ptx.lang.PtxType.BF16, v, io.sinter.codegen.ptx.lang.FloatMode.Rounding.RN);
    }

    private static float bf16(short v) {
        return Float.intBitsToFloat(v << 16);
    }

    @Test
    void pairsOfHalves() {
        Launcher l = load("halves");
        short[] x = new short[200];
        short[] y = new short[200];
        for (int i = 0; i < 200; i++) {
            x[i] = Float.floatToFloat16((float) random.nextGaussian());
            y[i] = Float.floatToFloat16((float) random.nextGaussian());
        }
        long z = l.empty(400);
        l.launch("halves", Dim3.of(2), Dim3.of(64), l.buffer(x), l.buffer(y), z, 100);
        short[] got = l.shorts(z, 200);
        for (int i = 0; i < 200; i++) {
            float a = Float.float16ToFloat(x[i]);
            float b = Float.float16ToFloat(y[i]);
            float fma = Float.float16ToFloat(Float.floatToFloat16((float) ((double) a * b + a)));
            float square = Float.float16ToFloat(Float.floatToFloat16(b * b));
            assertEquals(Math.max(fma, square), Float.float16ToFloat(got[i]), 0, "element " + i);
        }
    }

    @Test
    void functionsOfTheLibrary() {
        Launcher l = load("halves");
        short[] x = new short[100];
        for (int i = 0; i < 100; i++) x[i] = bf16((float) random.nextGaussian() * 3);
        long y = l.empty(400);
        long z = l.empty(200);
        l.launch("bfloats", Dim3.of(2), Dim3.of(64), l.buffer(x), y, z, 100);
        for (int i = 0; i < 100; i++) {
            double v = bf16(x[i]);
            double want =
                    Math.tanh(v) + Math.exp(v) * Math.log(Math.abs(v) + 1) + 1 / Math.sqrt(v * v + 1) + Math.sin(v);
            assertEquals(want, l.floats(y, 100)[i], 4e-6 * Math.max(1, Math.abs(want)));
            assertEquals(bf16((float) v * 1.7f), l.shorts(z, 100)[i]);
        }
    }

    @Test
    void productByTensorCores() {
        Launcher l = load("halves");
        int m = 128;
        int n = 64;
        int k = 96;
        short[] a = new short[m * k];
        short[] b = new short[k * n];
        for (int i = 0; i < a.length; i++) a[i] = bf16((float) random.nextGaussian());
        for (int i = 0; i < b.length; i++) b[i] = bf16((float) random.nextGaussian());
        long c = l.empty(4L * m * n);
        l.launch("gemm_mma", Dim3.of(n / 64, m / 64), Dim3.of(128), l.buffer(a), l.buffer(b), c, m, n, k);
        float[] got = l.floats(c, m * n);
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double want = 0;
                for (int t = 0; t < k; t++) want += bf16(a[i * k + t]) * bf16(b[t * n + j]);
                assertEquals(want, got[i * n + j], 1e-4);
            }
        }
    }
}
