// SPDX-License-Identifier: Apache-2.0
package io.sinter.gen;

import static io.sinter.gen.SinterKernelHost.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.invoke.VarHandle;

/** Index checks and the ends of reductions, called by generated code outside its inner loops. */
public final class SinterKernelSupport {
    private static final VarHandle LONGS = JAVA_LONG.varHandle();

    private SinterKernelSupport() {}

    /** The first {@code count} slots of the parameter block at an address. */
    public static long[] slots(long params, int count) {
        long[] slots = new long[count];
        for (int i = 0; i < count; i++) slots[i] = MEMORY.get(JAVA_LONG_UNALIGNED, params + 8L * i);
        return slots;
    }

    /**
     * Checks a data-dependent index: {@code value} if it is in [0, bound), {@code value + bound} if {@code
     * wrap} and it is in [-bound, 0). Otherwise the error record at {@code errors} is set, if this is the
     * first error, and the result is 0.
     */
    public static long check(long value, long bound, boolean wrap, long site, long errors) {
        long wrapped = wrap && value < 0 ? value + bound : value;
        if (wrapped >= 0 && wrapped < bound) return wrapped;
        fail(value, bound, site, errors);
        return 0;
    }

    /**
     * Sets the error record (state, site, value, bound) unless it is set: state 0 none, 2 being written, 1
     * complete.
     */
    public static void fail(long value, long bound, long site, long errors) {
        if (!LONGS.compareAndSet(MEMORY, errors, 0L, 2L)) return;
        MEMORY.set(JAVA_LONG, errors + 8, site);
        MEMORY.set(JAVA_LONG, errors + 16, value);
        MEMORY.set(JAVA_LONG, errors + 24, bound);
        LONGS.setRelease(MEMORY, errors, 1L);
    }

    // The ends of reductions combine n (a power of two) lanes at an address pairwise: those at distance n/2, then n/4,
    // …
    // That is spelled out for a full vector of 512 bits, where it takes as long as four operations depend on each
    // other; a loop over memory would take several times that, once for every row of a row kernel.

    public static float sumF32(long address, int n) {
        if (n == 16) {
            float x0 = f32(address, 0) + f32(address, 8);
            float x1 = f32(address, 1) + f32(address, 9);
            float x2 = f32(address, 2) + f32(address, 10);
            float x3 = f32(address, 3) + f32(address, 11);
            float x4 = f32(address, 4) + f32(address, 12);
            float x5 = f32(address, 5) + f32(address, 13);
            float x6 = f32(address, 6) + f32(address, 14);
            float x7 = f32(address, 7) + f32(address, 15);
            x0 = x0 + x4;
            x1 = x1 + x5;
            x2 = x2 + x6;
            x3 = x3 + x7;
            x0 = x0 + x2;
            x1 = x1 + x3;
            return x0 + x1;
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF32(address, i, f32(address, i) + f32(address, i + half));
        }
        return f32(address, 0);
    }

    public static float prodF32(long address, int n) {
        if (n == 16) {
            float x0 = f32(address, 0) * f32(address, 8);
            float x1 = f32(address, 1) * f32(address, 9);
            float x2 = f32(address, 2) * f32(address, 10);
            float x3 = f32(address, 3) * f32(address, 11);
            float x4 = f32(address, 4) * f32(address, 12);
            float x5 = f32(address, 5) * f32(address, 13);
            float x6 = f32(address, 6) * f32(address, 14);
            float x7 = f32(address, 7) * f32(address, 15);
            x0 = x0 * x4;
            x1 = x1 * x5;
            x2 = x2 * x6;
            x3 = x3 * x7;
            x0 = x0 * x2;
            x1 = x1 * x3;
            return x0 * x1;
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF32(address, i, f32(address, i) * f32(address, i + half));
        }
        return f32(address, 0);
    }

    public static float maxF32(long address, int n) {
        if (n == 16) {
            float x0 = Math.max(f32(address, 0), f32(address, 8));
            float x1 = Math.max(f32(address, 1), f32(address, 9));
            float x2 = Math.max(f32(address, 2), f32(address, 10));
            float x3 = Math.max(f32(address, 3), f32(address, 11));
            float x4 = Math.max(f32(address, 4), f32(address, 12));
            float x5 = Math.max(f32(address, 5), f32(address, 13));
            float x6 = Math.max(f32(address, 6), f32(address, 14));
            float x7 = Math.max(f32(address, 7), f32(address, 15));
            x0 = Math.max(x0, x4);
            x1 = Math.max(x1, x5);
            x2 = Math.max(x2, x6);
            x3 = Math.max(x3, x7);
            x0 = Math.max(x0, x2);
            x1 = Math.max(x1, x3);
            return Math.max(x0, x1);
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF32(address, i, Math.max(f32(address, i), f32(address, i + half)));
        }
        return f32(address, 0);
    }

    public static float minF32(long address, int n) {
        if (n == 16) {
            float x0 = Math.min(f32(address, 0), f32(address, 8));
            float x1 = Math.min(f32(address, 1), f32(address, 9));
            float x2 = Math.min(f32(address, 2), f32(address, 10));
            float x3 = Math.min(f32(address, 3), f32(address, 11));
            float x4 = Math.min(f32(address, 4), f32(address, 12));
            float x5 = Math.min(f32(address, 5), f32(address, 13));
            float x6 = Math.min(f32(address, 6), f32(address, 14));
            float x7 = Math.min(f32(address, 7), f32(address, 15));
            x0 = Math.min(x0, x4);
            x1 = Math.min(x1, x5);
            x2 = Math.min(x2, x6);
            x3 = Math.min(x3, x7);
            x0 = Math.min(x0, x2);
            x1 = Math.min(x1, x3);
            return Math.min(x0, x1);
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF32(address, i, Math.min(f32(address, i), f32(address, i + half)));
        }
        return f32(address, 0);
    }

    private static float f32(long address, int i) {
        return MEMORY.get(JAVA_FLOAT, address + 4L * i);
    }

    private static void setF32(long address, int i, float v) {
        MEMORY.set(JAVA_FLOAT, address + 4L * i, v);
    }

    public static double sumF64(long address, int n) {
        if (n == 8) {
            double x0 = f64(address, 0) + f64(address, 4);
            double x1 = f64(address, 1) + f64(address, 5);
            double x2 = f64(address, 2) + f64(address, 6);
            double x3 = f64(address, 3) + f64(address, 7);
            x0 = x0 + x2;
            x1 = x1 + x3;
            return x0 + x1;
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF64(address, i, f64(address, i) + f64(address, i + half));
        }
        return f64(address, 0);
    }

    public static double prodF64(long address, int n) {
        if (n == 8) {
            double x0 = f64(address, 0) * f64(address, 4);
            double x1 = f64(address, 1) * f64(address, 5);
            double x2 = f64(address, 2) * f64(address, 6);
            double x3 = f64(address, 3) * f64(address, 7);
            x0 = x0 * x2;
            x1 = x1 * x3;
            return x0 * x1;
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF64(address, i, f64(address, i) * f64(address, i + half));
        }
        return f64(address, 0);
    }

    public static double maxF64(long address, int n) {
        if (n == 8) {
            double x0 = Math.max(f64(address, 0), f64(address, 4));
            double x1 = Math.max(f64(address, 1), f64(address, 5));
            double x2 = Math.max(f64(address, 2), f64(address, 6));
            double x3 = Math.max(f64(address, 3), f64(address, 7));
            x0 = Math.max(x0, x2);
            x1 = Math.max(x1, x3);
            return Math.max(x0, x1);
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF64(address, i, Math.max(f64(address, i), f64(address, i + half)));
        }
        return f64(address, 0);
    }

    public static double minF64(long address, int n) {
        if (n == 8) {
            double x0 = Math.min(f64(address, 0), f64(address, 4));
            double x1 = Math.min(f64(address, 1), f64(address, 5));
            double x2 = Math.min(f64(address, 2), f64(address, 6));
            double x3 = Math.min(f64(address, 3), f64(address, 7));
            x0 = Math.min(x0, x2);
            x1 = Math.min(x1, x3);
            return Math.min(x0, x1);
        }
        for (int half = n >> 1; half > 0; half >>= 1) {
            for (int i = 0; i < half; i++) setF64(address, i, Math.min(f64(address, i), f64(address, i + half)));
        }
        return f64(address, 0);
    }

    private static double f64(long address, int i) {
        return MEMORY.get(JAVA_DOUBLE, address + 8L * i);
    }

    private static void setF64(long address, int i, double v) {
        MEMORY.set(JAVA_DOUBLE, address + 8L * i, v);
    }

    public static int sumI32(long address, int n) {
        int s = 0;
        for (int i = 0; i < n; i++) s += MEMORY.get(JAVA_INT, address + 4L * i);
        return s;
    }

    public static int prodI32(long address, int n) {
        int s = 1;
        for (int i = 0; i < n; i++) s *= MEMORY.get(JAVA_INT, address + 4L * i);
        return s;
    }

    public static int maxI32(long address, int n) {
        int s = Integer.MIN_VALUE;
        for (int i = 0; i < n; i++) s = Math.max(s, MEMORY.get(JAVA_INT, address + 4L * i));
        return s;
    }

    public static int minI32(long address, int n) {
        int s = Integer.MAX_VALUE;
        for (int i = 0; i < n; i++) s = Math.min(s, MEMORY.get(JAVA_INT, address + 4L * i));
        return s;
    }

    public static long sumI64(long address, int n) {
        long s = 0;
        for (int i = 0; i < n; i++) s += MEMORY.get(JAVA_LONG, address + 8L * i);
        return s;
    }

    public static long prodI64(long address, int n) {
        long s = 1;
        for (int i = 0; i < n; i++) s *= MEMORY.get(JAVA_LONG, address + 8L * i);
        return s;
    }

    public static long maxI64(long address, int n) {
        long s = Long.MIN_VALUE;
        for (int i = 0; i < n; i++) s = Math.max(s, MEMORY.get(JAVA_LONG, address + 8L * i));
        return s;
    }

    public static long minI64(long address, int n) {
        long s = Long.MAX_VALUE;
        for (int i = 0; i < n; i++) s = Math.min(s, MEMORY.get(JAVA_LONG, address + 8L * i));
        return s;
    }
}
