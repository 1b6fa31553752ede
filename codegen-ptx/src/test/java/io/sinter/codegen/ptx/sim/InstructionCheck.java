// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Random;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;

/** Runs code in each of 256 threads, over values that are likely to go wrong, and compares with plain Java. */
abstract class InstructionCheck {
    static final int N = 256;
    final Random random = new Random(3);

    /**
     * Runs {@code code} in each of 256 threads, with a in %x, b in %y, c in %z; its result is %d.
     *
     * @param inBits of the operands
     * @param outBits of the result
     */
    static long[] run(String code, int inBits, int outBits, long[] a, long[] b, long[] c) {
        String ptx = """
                .version 8.0
                .target sm_90a
                .address_size 64
                .visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, .param .u64 d) {
                    .reg .b64 %%p<5>; .reg .b%1$d %%x, %%y, %%z; .reg .b%2$d %%d; .reg .b32 %%t, %%u<8>; .reg .b16 %%h<8>; .reg .b64 %%v<4>;
                    .reg .pred %%q<4>;
                    mov.u32 %%t, %%tid.x;
                    ld.param.u64 %%p0, [a]; mad.wide.u32 %%p0, %%t, %3$d, %%p0; ld.global.b%1$d %%x, [%%p0];
                    ld.param.u64 %%p0, [b]; mad.wide.u32 %%p0, %%t, %3$d, %%p0; ld.global.b%1$d %%y, [%%p0];
                    ld.param.u64 %%p0, [c]; mad.wide.u32 %%p0, %%t, %3$d, %%p0; ld.global.b%1$d %%z, [%%p0];
                    %5$s
                    ld.param.u64 %%p0, [d]; mad.wide.u32 %%p0, %%t, %4$d, %%p0; st.global.b%2$d [%%p0], %%d;
                    ret;
                }
                """.formatted(inBits, outBits, inBits / 8, outBits / 8, code);
        Launcher l = new Launcher(ptx);
        long d = l.empty(8L * N);
        l.launch("k", Dim3.of(1), Dim3.of(N), pack(l, a, inBits), pack(l, b, inBits), pack(l, c, inBits), d);
        long[] r = new long[N];
        for (int i = 0; i < N; i++) r[i] = l.device.memory().find(d, 0).store.get(i * outBits / 8, outBits / 8);
        return r;
    }

    static long pack(Launcher l, long[] v, int bits) {
        long p = l.empty((long) N * bits / 8);
        for (int i = 0; i < N; i++) l.device.memory().find(p, 0).store.put(i * bits / 8, bits / 8, v[i]);
        return p;
    }

    /** Zeros, ones, the least, the greatest, small ones and any, in any order. */
    long[] integers(int bits) {
        long[] v = new long[N];
        for (int i = 0; i < N; i++) {
            v[i] = switch (i % 8) {
                case 0 -> 0;
                case 1 -> -1;
                case 2 -> 1L << bits - 1;
                case 3 -> (1L << bits - 1) - 1;
                case 4 -> random.nextInt(40);
                default -> random.nextLong();
            };
            v[i] &= bits == 64 ? -1 : (1L << bits) - 1;
        }
        for (int i = N - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            long t = v[i];
            v[i] = v[j];
            v[j] = t;
        }
        return v;
    }

    static long s(long v, int bits) {
        return v << 64 - bits >> 64 - bits;
    }

    void binary(String opcode, int bits, int outBits, LongBinaryOperator f) {
        long[] a = integers(bits);
        long[] b = integers(bits);
        long[] got = run(opcode + " %d, %x, %y;", bits, outBits, a, b, b);
        long m = outBits == 64 ? -1 : (1L << outBits) - 1;
        for (int i = 0; i < N; i++) {
            long want = f.applyAsLong(a[i], b[i]) & m;
            assertEquals(
                    Long.toHexString(want),
                    Long.toHexString(got[i]),
                    opcode + " of " + Long.toHexString(a[i]) + ", " + Long.toHexString(b[i]));
        }
    }

    void unary(String code, int bits, int outBits, LongUnaryOperator f) {
        long[] a = integers(bits);
        long[] got = run(code, bits, outBits, a, a, a);
        long m = outBits == 64 ? -1 : (1L << outBits) - 1;
        for (int i = 0; i < N; i++) {
            assertEquals(
                    Long.toHexString(f.applyAsLong(a[i]) & m),
                    Long.toHexString(got[i]),
                    code + " of " + Long.toHexString(a[i]));
        }
    }

    float[] floats() {
        float[] v = new float[N];
        float[] special = {
            0f,
            -0f,
            1f,
            Float.NaN,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.MIN_VALUE,
            -Float.MIN_NORMAL / 2,
            Float.MAX_VALUE
        };
        for (int i = 0; i < N; i++) {
            v[i] = i % 4 == 0
                    ? special[random.nextInt(special.length)]
                    : i % 4 == 1
                            ? Float.intBitsToFloat(random.nextInt())
                            : (float) random.nextGaussian() * (1 << random.nextInt(12));
        }
        return v;
    }

    static long[] bits(float[] v) {
        long[] b = new long[N];
        for (int i = 0; i < N; i++) b[i] = Float.floatToRawIntBits(v[i]) & 0xffff_ffffL;
        return b;
    }

    static void same(float want, long gotBits, String what) {
        float got = Float.intBitsToFloat((int) gotBits);
        if (Float.isNaN(want)) assertEquals(want, got, what);
        else
            assertEquals(
                    Integer.toHexString(Float.floatToRawIntBits(want)),
                    Long.toHexString(gotBits),
                    what + ": " + want + ", got " + got);
    }

    interface F3 {
        float of(float a, float b, float c);
    }

    void f32(String code, F3 f) {
        float[] a = floats();
        float[] b = floats();
        float[] c = floats();
        long[] got = run(code, 32, 32, bits(a), bits(b), bits(c));
        for (int i = 0; i < N; i++)
            same(f.of(a[i], b[i], c[i]), got[i], code + " of " + a[i] + ", " + b[i] + ", " + c[i]);
    }

    /** An exact value rounded to f32 in a direction. */
    static float round(BigDecimal exact, RoundingMode mode) {
        float nearest = exact.floatValue();
        BigDecimal n = Float.isInfinite(nearest) ? null : new BigDecimal(nearest);
        int c = n == null ? (nearest > 0 ? -1 : 1) : exact.compareTo(n);
        return switch (mode) {
            case FLOOR -> c < 0 ? Math.nextDown(nearest) : nearest;
            case CEILING -> c > 0 ? Math.nextUp(nearest) : nearest;
            case DOWN ->
                nearest > 0 && c < 0 ? Math.nextDown(nearest) : nearest < 0 && c > 0 ? Math.nextUp(nearest) : nearest;
            default -> nearest;
        };
    }
}
