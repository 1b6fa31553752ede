// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.runtime.Device;
import io.sinter.runtime.Options;
import io.sinter.runtime.Session;
import io.sinter.runtime.cache.CacheOptions;
import java.nio.file.Path;
import java.util.Arrays;

/** Small programs for tests of the cache: any number of them, no two alike, with the results that they must give. */
final class CachePrograms {
    private CachePrograms() {}

    /** A session of one thread on the CPU, with its cache in a folder, or with none (null). */
    static Session open(Path cache) {
        return open(Device.JVM, cache);
    }

    /** As {@link #open(Path)}, on a device. */
    static Session open(Device device, Path cache) {
        CacheOptions where = cache == null ? CacheOptions.NONE : CacheOptions.NONE.withFolder(cache);
        return Session.open(
                Options.fromProperties().withDevice(device).withThreads(1).withCache(where));
    }

    /**
     * Program number {@code n}: a product with an epilogue and a row kernel. Every number has shapes of its own, and every third a kernel of its own,
     * so programs share kernels.
     */
    static double[] run(int n) {
        int rows = 2 + n % 5;
        int columns = 3 + n / 5;
        Tensor x = Tensor.from(numbers(rows * columns, n), rows, columns);
        Tensor w = Tensor.from(numbers(columns * 4, n + 1), columns, 4);
        Tensor y = x.matmul(w);
        for (int k = 0; k < n % 3; k++) y = y.mul(0.5).exp();
        try (var _ = Sinter.noGrad()) {
            Tensor r = F.softmax(y.tanh(), 1).sum(0);
            double[] out = new double[4];
            for (int i = 0; i < 4; i++) out[i] = r.get(i).item();
            return out;
        } finally {
            // What is pending would keep its session alive: thousands of them here.
            Sinter.flush();
        }
    }

    private static float[] numbers(int count, int seed) {
        float[] a = new float[count];
        for (int i = 0; i < count; i++) a[i] = (float) Math.sin(1 + i * 0.7 + seed);
        return a;
    }

    /** Results of the first {@code count} programs, compiled without a cache. */
    static double[][] expected(int count) {
        return expected(Device.JVM, count);
    }

    /** As {@link #expected(int)}, on a device. */
    static double[][] expected(Device device, int count) {
        try (Session s = open(device, null);
                var _ = s.use()) {
            double[][] results = new double[count][];
            for (int i = 0; i < count; i++) results[i] = run(i);
            return results;
        }
    }

    /** Runs one program in the current session; returns what is wrong with its result, or null. */
    static String check(int n, double[] expected) {
        return check(n, expected, 0);
    }

    /**
     * As {@link #check(int, double[])}.
     *
     * @param rounding by how much each number may differ
     */
    static String check(int n, double[] expected, double rounding) {
        try {
            double[] got = run(n);
            boolean right = got.length == expected.length;
            for (int i = 0; right && i < got.length; i++) right = Math.abs(got[i] - expected[i]) <= rounding;
            return right
                    ? null
                    : "program " + n + " gave " + Arrays.toString(got) + " instead of " + Arrays.toString(expected);
        } catch (RuntimeException | LinkageError e) {
            return "program " + n + ": " + e;
        }
    }
}
