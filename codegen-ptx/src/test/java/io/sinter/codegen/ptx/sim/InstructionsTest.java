// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

/** Instructions one by one, over values that are likely to go wrong, against plain Java. */
class InstructionsTest {
    private static final int N = 256;
    private final Random random = new Random(3);

    /**
     * Runs {@code code} in each of 256 threads, with a in %x, b in %y, c in %z of a type; its result is %d of another type.
     *
     * @param in bits of the operands' type, {@code out} of the result's
     */
    private static long[] run(String code, String in, String out, long[] a, long[] b, long[] c) {
        int inBits = Integer.parseInt(in.replaceAll("\\D", ""));
        int outBits = Integer.parseInt(out.replaceAll("\\D", ""));
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

    private static long pack(Launcher l, long[] v, int bits) {
        long p = l.empty((long) N * bits / 8);
        for (int i = 0; i < N; i++) l.device.memory().find(p, 0).store.put(i * bits / 8, bits / 8, v[i]);
        return p;
    }

    private long[] integers(int bits) {
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
        java.util.Collections.shuffle(
                java.util.Arrays.asList(
                        java.util.stream.LongStream.of(v).boxed().toArray(Long[]::new)),
                random);
        for (int i = N - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            long t = v[i];
            v[i] = v[j];
            v[j] = t;
        }
        return v;
    }

    private static long s(long v, int bits) {
        return v << 64 - bits >> 64 - bits;
    }

    private void binary(String opcode, int bits, int outBits, LongBinaryOperator f) {
        long[] a = integers(bits);
        long[] b = integers(bits);
        long[] got = run(opcode + " %d, %x, %y;", "b" + bits, "b" + outBits, a, b, b);
        long m = outBits == 64 ? -1 : (1L << outBits) - 1;
        for (int i = 0; i < N; i++) {
            long want = f.applyAsLong(a[i], b[i]) & m;
            assertEquals(
                    Long.toHexString(want),
                    Long.toHexString(got[i]),
                    opcode + " of " + Long.toHexString(a[i]) + ", " + Long.toHexString(b[i]));
        }
    }

    private void unary(String code, int bits, int outBits, LongUnaryOperator f) {
        long[] a = integers(bits);
        long[] got = run(code, "b" + bits, "b" + outBits, a, a, a);
        long m = outBits == 64 ? -1 : (1L << outBits) - 1;
        for (int i = 0; i < N; i++) {
            assertEquals(
                    Long.toHexString(f.applyAsLong(a[i]) & m),
                    Long.toHexString(got[i]),
                    code + " of " + Long.toHexString(a[i]));
        }
    }

    @Test
    void integerArithmetic() {
        for (int w : new int[] {16, 32, 64}) {
            binary("add.u" + w, w, w, Long::sum);
            binary("sub.s" + w, w, w, (a, b) -> a - b);
            binary("mul.lo.s" + w, w, w, (a, b) -> a * b);
            binary("min.s" + w, w, w, (a, b) -> Math.min(s(a, w), s(b, w)));
            binary("max.u" + w, w, w, (a, b) -> Long.compareUnsigned(a, b) > 0 ? a : b);
            binary("div.s" + w, w, w, (a, b) -> b == 0 ? -1 : s(a, w) / s(b, w));
            binary("rem.u" + w, w, w, (a, b) -> b == 0 ? a : Long.remainderUnsigned(a, b));
            binary("and.b" + w, w, w, (a, b) -> a & b);
            binary("xor.b" + w, w, w, (a, b) -> a ^ b);
            unary("abs.s" + w + " %d, %x;", w, w, a -> Math.abs(s(a, w)));
            unary("neg.s" + w + " %d, %x;", w, w, a -> -a);
            unary("not.b" + w + " %d, %x;", w, w, a -> ~a);
            unary("cnot.b" + w + " %d, %x;", w, w, a -> a == 0 ? 1 : 0);
        }
        binary("mul.hi.s32", 32, 32, (a, b) -> s(a, 32) * s(b, 32) >> 32);
        binary("mul.hi.u32", 32, 32, (a, b) -> a * b >>> 32);
        binary("mul.hi.s64", 64, 64, Math::multiplyHigh);
        binary("mul.hi.u64", 64, 64, Math::unsignedMultiplyHigh);
        binary("mul.wide.s32", 32, 64, (a, b) -> s(a, 32) * s(b, 32));
        binary("mul.wide.u16", 16, 32, (a, b) -> a * b);
        binary("add.sat.s32", 32, 32, (a, b) -> Math.clamp(s(a, 32) + s(b, 32), Integer.MIN_VALUE, Integer.MAX_VALUE));
        unary("mad.lo.s32 %d, %x, 3, %x;", 32, 32, a -> 4 * a);
        unary("mad.hi.u32 %d, %x, %x, 5;", 32, 32, a -> (a * a >>> 32) + 5);
        unary("sad.s32 %d, %x, 100, 7;", 32, 32, a -> Math.abs(s(a, 32) - 100) + 7);
        unary("add.cc.u32 %u0, %x, %x; addc.u32 %d, %x, 0;", 32, 32, a -> a + (2 * a >>> 32));
        unary("sub.cc.u32 %u0, %x, 100; subc.u32 %d, %x, 0;", 32, 32, a -> a - (a < 100 ? 1 : 0));
    }

    @Test
    void bits() {
        for (int w : new int[] {32, 64}) {
            int m = w - 1;
            unary("popc.b" + w + " %d, %x;", w, 32, Long::bitCount);
            unary("clz.b" + w + " %d, %x;", w, 32, a -> Long.numberOfLeadingZeros(a) - (64 - w));
            unary("brev.b" + w + " %d, %x;", w, w, a -> Long.reverse(a) >>> 64 - w);
            unary("bfind.u" + w + " %d, %x;", w, 32, a -> 63 - Long.numberOfLeadingZeros(a));
            unary("bfind.s" + w + " %d, %x;", w, 32, a -> 63 - Long.numberOfLeadingZeros(s(a, w) < 0 ? ~s(a, w) : a));
            unary("shl.b" + w + " %d, %x, 5;", w, w, a -> a << 5);
            unary("shl.b" + w + " %d, %x, " + w + ";", w, w, a -> 0);
            unary("shr.s" + w + " %d, %x, 200;", w, w, a -> s(a, w) >> m);
            unary("shr.u" + w + " %d, %x, 7;", w, w, a -> a >>> 7);
            unary("bfe.u" + w + " %d, %x, 4, 9;", w, w, a -> a >>> 4 & 511);
            unary("bfe.s" + w + " %d, %x, 4, 9;", w, w, a -> s(a >>> 4, 9));
            unary("bfe.s" + w + " %d, %x, " + (w - 3) + ", 9;", w, w, a -> s(a, w) >> w - 3);
            unary("bfi.b" + w + " %d, 5, %x, 8, 4;", w, w, a -> a & ~0xf00L | 0x500);
            unary("bfi.b" + w + " %d, %x, 0, " + (w - 4) + ", 20;", w, w, a -> a << w - 4);
        }
        unary("shf.l.wrap.b32 %d, %x, 0x12345678, 36;", 32, 32, a -> 0x23456780L | a >>> 28);
        unary("shf.r.clamp.b32 %d, %x, 0x12345678, 40;", 32, 32, a -> 0x12345678);
        unary("lop3.b32 %d, %x, 0xff00ff00, 0x0ff00ff0, 0x96;", 32, 32, a -> a ^ 0xff00ff00L ^ 0x0ff00ff0L);
        unary(
                "lop3.b32 %d, %x, 0xff00ff00, 0x0ff00ff0, 0xe8;",
                32, 32, a -> a & 0xff00ff00L | a & 0x0ff00ff0L | 0x0f000f00L);
        unary(
                "prmt.b32 %d, %x, 0x44332211, 0x4b10;",
                32, 32, a -> a & 0xffff | ((a >> 31 & 1) != 0 ? 0xff0000 : 0) | 0x11000000L);
        unary(
                "dp4a.u32.s32 %d, %x, 0x01ff0203, 10;",
                32, 32, a -> 10 + (a >> 24 & 255) - (a >> 16 & 255) + 2 * (a >> 8 & 255) + 3 * (a & 255));
        unary("mov.b32 {%h0, %h1}, %x; mov.b32 %d, {%h1, %h0};", 32, 32, a -> a >>> 16 | a << 16);
        unary("mov.b64 {%u0, %u1}, %x; mov.b64 %d, {%u1, %u0};", 64, 64, a -> a >>> 32 | a << 32);
    }

    @Test
    void integerConversions() {
        unary("cvt.s64.s32 %d, %x;", 32, 64, a -> s(a, 32));
        unary("cvt.u64.u32 %d, %x;", 32, 64, a -> a);
        unary("cvt.u32.u64 %d, %x;", 64, 32, a -> a);
        unary("cvt.s32.s8 %d, %x;", 32, 32, a -> (byte) a);
        unary("cvt.s16.s32 %d, %x;", 32, 32, a -> (short) a);
        unary("cvt.u16.u32 %d, %x;", 32, 32, a -> a & 0xffff);
        unary("cvt.sat.s8.s32 %d, %x;", 32, 32, a -> Math.clamp(s(a, 32), -128, 127));
        unary("cvt.sat.u8.s32 %d, %x;", 32, 32, a -> Math.clamp(s(a, 32), 0, 255));
        unary("cvt.sat.s32.u64 %d, %x;", 64, 32, a -> a < 0 ? Integer.MAX_VALUE : Math.min(a, Integer.MAX_VALUE));
        unary("cvt.sat.u32.s64 %d, %x;", 64, 32, a -> Math.clamp(a, 0, 0xffff_ffffL));
    }

    @Test
    void comparisons() {
        for (String w : new String[] {"32", "64"}) {
            int bits = Integer.parseInt(w);
            relation("lt.s" + w, bits, (a, b) -> s(a, bits) < s(b, bits));
            relation("ge.s" + w, bits, (a, b) -> s(a, bits) >= s(b, bits));
            relation("gt.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) > 0);
            relation("le.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) <= 0);
            relation("lo.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) < 0);
            relation("hs.u" + w, bits, (a, b) -> Long.compareUnsigned(a, b) >= 0);
            relation("eq.b" + w, bits, (a, b) -> a == b);
            relation("ne.s" + w, bits, (a, b) -> a != b);
        }
        unary(
                "setp.lt.s32 %q0|%q1, %x, 5; selp.b32 %u0, 1, 0, %q0; selp.b32 %u1, 2, 0, %q1; add.u32 %d, %u0, %u1;",
                32, 32, a -> s(a, 32) < 5 ? 1 : 2);
        unary(
                "setp.lt.s32 %q0, %x, 5; setp.gt.and.s32 %q1, %x, -5, !%q0; selp.b32 %d, 1, 0, %q1;",
                32, 32, a -> s(a, 32) >= 5 ? 1 : 0);
        unary(
                "setp.lt.s32 %q0, %x, 5; setp.gt.s32 %q1, %x, -5; xor.pred %q2, %q0, %q1; not.pred %q2, %q2; selp.b32 %d, 1, 0, %q2;",
                32, 32, a -> s(a, 32) < 5 == s(a, 32) > -5 ? 1 : 0);
        unary("set.lt.u32.s32 %d, %x, 5;", 32, 32, a -> s(a, 32) < 5 ? -1 : 0);
        unary("slct.s32.s32 %d, 10, 20, %x;", 32, 32, a -> s(a, 32) >= 0 ? 10 : 20);
    }

    private interface Relation {
        boolean holds(long a, long b);
    }

    private void relation(String r, int bits, Relation f) {
        binary(
                "setp." + r + " %q0, %x, %y; selp.b32 %d, 1, 0, %q0; mov.b32 %d, %d; //",
                bits,
                32,
                (a, b) -> f.holds(a, b) ? 1 : 0);
    }

    private float[] floats() {
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

    private static long[] bits(float[] v) {
        long[] b = new long[N];
        for (int i = 0; i < N; i++) b[i] = Float.floatToRawIntBits(v[i]) & 0xffff_ffffL;
        return b;
    }

    private static void same(float want, long gotBits, String what) {
        float got = Float.intBitsToFloat((int) gotBits);
        if (Float.isNaN(want)) assertEquals(want, got, what);
        else
            assertEquals(
                    Integer.toHexString(Float.floatToRawIntBits(want)),
                    Long.toHexString(gotBits),
                    what + ": " + want + ", got " + got);
    }

    private interface F3 {
        float of(float a, float b, float c);
    }

    private void f32(String code, F3 f) {
        float[] a = floats();
        float[] b = floats();
        float[] c = floats();
        long[] got = run(code, "b32", "b32", bits(a), bits(b), bits(c));
        for (int i = 0; i < N; i++)
            same(f.of(a[i], b[i], c[i]), got[i], code + " of " + a[i] + ", " + b[i] + ", " + c[i]);
    }

    private static float flush(float x) {
        return Math.abs(x) < Float.MIN_NORMAL ? Math.copySign(0f, x) : x;
    }

    /** An exact value rounded to f32 in a direction. */
    private static float round(BigDecimal exact, RoundingMode mode) {
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

    @Test
    void floatArithmetic() {
        f32("add.rn.f32 %d, %x, %y;", (a, b, _) -> a + b);
        f32("sub.f32 %d, %x, %y;", (a, b, _) -> a - b);
        f32("mul.rn.f32 %d, %x, %y;", (a, b, _) -> a * b);
        f32("fma.rn.f32 %d, %x, %y, %z;", Math::fma);
        f32("div.rn.f32 %d, %x, %y;", (a, b, _) -> a / b);
        f32("add.rn.ftz.f32 %d, %x, %y;", (a, b, _) -> flush(flush(a) + flush(b)));
        f32("mul.rn.ftz.f32 %d, %x, %y;", (a, b, _) -> flush(flush(a) * flush(b)));
        f32("add.rn.sat.f32 %d, %x, %y;", (a, b, _) -> Float.isNaN(a + b) ? 0f : Math.clamp(a + b, 0f, 1f));
        f32("min.f32 %d, %x, %y;", (a, b, _) -> Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.min(a, b));
        f32("max.NaN.f32 %d, %x, %y;", (a, b, _) -> Math.max(a, b));
        f32("abs.f32 %d, %x;", (a, _, _) -> Math.abs(a));
        f32("neg.ftz.f32 %d, %x;", (a, _, _) -> flush(-a));
        f32("copysign.f32 %d, %x, %y;", (a, b, _) -> Math.copySign(b, a));
        f32("sqrt.rn.f32 %d, %x;", (a, _, _) -> (float) Math.sqrt(a));
        f32("rcp.rn.f32 %d, %x;", (a, _, _) -> 1 / a);
        f32("setp.ltu.f32 %q0, %x, %y; selp.f32 %d, %x, %y, %q0;", (a, b, _) -> !(a >= b) ? a : b);
        f32("setp.gt.ftz.f32 %q0, %x, %y; selp.f32 %d, %x, %y, %q0;", (a, b, _) -> flush(a) > flush(b) ? a : b);
        f32("testp.infinite.f32 %q0, %x; selp.f32 %d, 0f3F800000, %y, %q0;", (a, b, _) -> Float.isInfinite(a) ? 1 : b);
        f32("set.nan.f32.f32 %d, %x, %y;", (a, b, _) -> Float.isNaN(a) || Float.isNaN(b) ? 1 : 0);
    }

    @Test
    void directedRounding() {
        String[] names = {"rz", "rm", "rp"};
        RoundingMode[] modes = {RoundingMode.DOWN, RoundingMode.FLOOR, RoundingMode.CEILING};
        for (int k = 0; k < 3; k++) {
            RoundingMode m = modes[k];
            f32(
                    "add." + names[k] + ".f32 %d, %x, %y;",
                    two((a, b, _) -> round(new BigDecimal(a).add(new BigDecimal(b)), m), (a, b, _) -> a + b));
            f32(
                    "mul." + names[k] + ".f32 %d, %x, %y;",
                    two((a, b, _) -> round(new BigDecimal(a).multiply(new BigDecimal(b)), m), (a, b, _) -> a * b));
            f32(
                    "fma." + names[k] + ".f32 %d, %x, %y, %z;",
                    finite(
                            (a, b, c) -> round(
                                    new BigDecimal(a)
                                            .multiply(new BigDecimal(b))
                                            .add(new BigDecimal(c)),
                                    m),
                            Math::fma));
            f32(
                    "div." + names[k] + ".f32 %d, %x, %y;",
                    two(
                            (a, b, _) -> round(new BigDecimal(a).divide(new BigDecimal(b), new MathContext(120)), m),
                            (a, b, _) -> a / b));
        }
    }

    private static F3 two(F3 exact, F3 otherwise) {
        F3 f = finite(exact, otherwise);
        return (a, b, _) -> f.of(a, b, 1);
    }

    /** {@code exact} where all is finite and no operand or result is zero, whose sign BigDecimal has not. */
    private static F3 finite(F3 exact, F3 otherwise) {
        return (a, b, c) -> {
            float simple = otherwise.of(a, b, c);
            boolean all = Float.isFinite(a) && Float.isFinite(b) && Float.isFinite(c);
            if (!all || a == 0 || b == 0 || Math.fma((double) a, b, c) == 0 || a + b == 0) return simple;
            return exact.of(a, b, c);
        };
    }

    @Test
    void approximateFunctionsAreWithinTheirBounds() {
        approximate("ex2.approx.f32", a -> Math.pow(2, a), -100, 100, 0x1p-22, 0);
        approximate("lg2.approx.f32", a -> Math.log(a) / Math.log(2), 1e-3, 1e3, 0, 0x1p-21);
        approximate("rsqrt.approx.f32", a -> 1 / Math.sqrt(a), 1e-6, 1e6, 0x1p-22, 0);
        approximate("rcp.approx.ftz.f32", a -> 1 / a, 1e-6, 1e6, 0x1p-23, 0);
        approximate("sqrt.approx.f32", Math::sqrt, 0, 1e6, 0x1p-23, 0);
        approximate("tanh.approx.f32", Math::tanh, -5, 5, 0x1p-11, 0);
        approximate("sin.approx.f32", Math::sin, -3, 3, 0, 0x1p-20);
        approximate("cos.approx.f32", Math::cos, -3, 3, 0, 0x1p-20);
    }

    private void approximate(
            String opcode, DoubleUnaryOperator f, double from, double to, double relative, double absolute) {
        float[] a = new float[N];
        for (int i = 0; i < N; i++) a[i] = (float) random.nextDouble(from, to);
        long[] got = run(opcode + " %d, %x;", "b32", "b32", bits(a), bits(a), bits(a));
        for (int i = 0; i < N; i++) {
            double want = f.applyAsDouble(a[i]);
            assertEquals(
                    want,
                    Float.intBitsToFloat((int) got[i]),
                    absolute + relative * Math.abs(want),
                    opcode + " of " + a[i]);
        }
    }

    @Test
    void doubles() {
        f64("add.rn.f64 %d, %x, %y;", Double::sum);
        f64("mul.rn.f64 %d, %x, %y;", (a, b) -> a * b);
        f64("div.rn.f64 %d, %x, %y;", (a, b) -> a / b);
        f64("fma.rn.f64 %d, %x, %y, %x;", (a, b) -> Math.fma(a, b, a));
        f64("max.f64 %d, %x, %y;", (a, b) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b));
        f64("sqrt.rn.f64 %d, %x;", (a, _) -> Math.sqrt(a));
        f64("add.rp.f64 %d, %x, %y;", (a, b) -> up(a, b));
        f64("cvt.rn.f32.f64 %u0, %x; cvt.f64.f32 %d, %u0;", (a, _) -> (float) a);
        f64("cvt.rzi.s64.f64 %v0, %x; cvt.rn.f64.s64 %d, %v0;", (a, _) -> Double.isNaN(a) ? Long.MIN_VALUE : (long) a);
        f64("cvt.rni.f64.f64 %d, %x;", (a, _) -> Math.rint(a));
    }

    private static double up(double a, double b) {
        double s = a + b;
        if (!Double.isFinite(s) || !Double.isFinite(a) || !Double.isFinite(b)) return s;
        return new BigDecimal(a).add(new BigDecimal(b)).compareTo(new BigDecimal(s)) > 0 ? Math.nextUp(s) : s;
    }

    private void f64(String code, DoubleBinaryOperator f) {
        double[] special = {0.0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, 1e300, 3.5, -2.5};
        long[] a = new long[N];
        long[] b = new long[N];
        for (int i = 0; i < N; i++) {
            a[i] = Double.doubleToRawLongBits(i % 5 == 0 ? special[random.nextInt(7)] : random.nextGaussian() * 1000);
            b[i] = Double.doubleToRawLongBits(i % 7 == 0 ? special[random.nextInt(7)] : random.nextGaussian());
        }
        long[] got = run(code, "b64", "b64", a, b, b);
        for (int i = 0; i < N; i++) {
            double x = Double.longBitsToDouble(a[i]);
            double y = Double.longBitsToDouble(b[i]);
            assertEquals(f.applyAsDouble(x, y), Double.longBitsToDouble(got[i]), code + " of " + x + ", " + y);
        }
    }

    @Test
    void conversionsOfFloats() {
        f32("cvt.rzi.s32.f32 %u0, %x; cvt.rn.f32.s32 %d, %u0;", (a, _, _) -> (int) a);
        f32("cvt.rni.s32.f32 %u0, %x; cvt.rn.f32.s32 %d, %u0;", (a, _, _) -> (int) Math.rint(a));
        f32("cvt.rmi.f32.f32 %d, %x;", (a, _, _) -> (float) Math.floor(a));
        f32("cvt.rpi.f32.f32 %d, %x;", (a, _, _) -> (float) Math.ceil(a));
        f32(
                "cvt.rzi.u32.f32 %u0, %x; cvt.rn.f32.u32 %d, %u0;",
                (a, _, _) -> a >= 0x1p32f ? 0x1p32f : a < 0 || Float.isNaN(a) ? 0 : (float) (long) a);
        f32("cvt.sat.f32.f32 %d, %x;", (a, _, _) -> Float.isNaN(a) ? 0f : Math.clamp(a, 0f, 1f));
        f32("cvt.rn.f16.f32 %h0, %x; cvt.f32.f16 %d, %h0;", (a, _, _) -> Float.float16ToFloat(Float.floatToFloat16(a)));
        f32("cvt.rn.bf16.f32 %h0, %x; cvt.f32.bf16 %d, %h0;", (a, _, _) -> bf16(a));
        f32("cvt.rn.bf16x2.f32 %u0, %x, %y; mov.b32 {%h0, %h1}, %u0; cvt.f32.bf16 %d, %h1;", (a, _, _) -> bf16(a));
        f32(
                "cvt.rn.f16x2.f32 %u0, %x, %y; mov.b32 {%h0, %h1}, %u0; cvt.f32.f16 %d, %h0;",
                (_, b, _) -> Float.float16ToFloat(Float.floatToFloat16(b)));
        f32(
                "cvt.rz.bf16.f32 %h0, %x; cvt.f32.bf16 %d, %h0;",
                (a, _, _) -> Float.isNaN(a) ? a : Float.intBitsToFloat(Float.floatToRawIntBits(a) & 0xffff0000));
        f32(
                "cvt.rna.tf32.f32 %d, %x;",
                (a, _, _) -> !Float.isFinite(a)
                        ? a
                        : Float.intBitsToFloat(Float.floatToRawIntBits(a) + 0x1000 & 0xffffe000));
        unary(
                "cvt.rn.f32.u64 %d, %x;",
                64, 32, a -> Float.floatToRawIntBits(new BigDecimal(Long.toUnsignedString(a)).floatValue()));
        unary(
                "cvt.rz.f32.s64 %d, %x;",
                64, 32, a -> a == 0 ? 0 : Float.floatToRawIntBits(round(new BigDecimal(a), RoundingMode.DOWN)));
        // Every small float goes through f16 and back.
        unary(
                "and.b32 %u0, %x, 255; cvt.u16.u32 %h0, %u0; cvt.rn.f16x2.e4m3x2 %u1, %h0; cvt.rn.f16x2.e4m3x2 %d, %h0;",
                32, 32, a -> small(a & 255));
    }

    /** e4m3 as f16: in the low half, with zero in the high half. */
    private static long small(long b) {
        int e = (int) (b >> 3 & 15);
        int m = (int) (b & 7);
        double v = e == 15 && m == 7 ? Double.NaN : e == 0 ? m * 0x1p-9 : (8 + m) * Math.pow(2, e - 10);
        if (Double.isNaN(v)) return 0x7fff;
        return Float.floatToFloat16((float) ((b & 128) != 0 ? -v : v)) & 0xffff;
    }

    private static float bf16(float a) {
        if (Float.isNaN(a)) return a;
        int b = Float.floatToRawIntBits(a);
        return Float.intBitsToFloat(b + 0x7fff + (b >>> 16 & 1) & 0xffff0000);
    }

    @Test
    void halves() {
        for (int trial = 0; trial < 2; trial++) {
            boolean brain = trial == 1;
            String t = brain ? "bf16x2" : "f16x2";
            long[] a = new long[N];
            long[] b = new long[N];
            for (int i = 0; i < N; i++) {
                a[i] = half(brain) << 16 | half(brain);
                b[i] = half(brain) << 16 | half(brain);
            }
            check(t, "add.rn", brain, a, b, (x, y) -> x + y);
            check(t, "mul.rn", brain, a, b, (x, y) -> x * y);
            check(t, "max", brain, a, b, Math::max);
            long[] got = run("fma.rn." + t + " %d, %x, %y, %x;", "b32", "b32", a, b, b);
            for (int i = 0; i < N; i++) {
                for (int s = 0; s <= 16; s += 16) {
                    double exact = value(brain, a[i] >> s) * value(brain, b[i] >> s) + value(brain, a[i] >> s);
                    assertEquals(rounded(brain, exact), got[i] >> s & 0xffff);
                }
            }
        }
    }

    private long half(boolean brain) {
        return rounded(brain, random.nextGaussian());
    }

    private static double value(boolean brain, long bits) {
        return brain ? Float.intBitsToFloat((int) bits << 16) : Float.float16ToFloat((short) bits);
    }

    private static long rounded(boolean brain, double v) {
        return (brain ? Float.floatToRawIntBits(bf16((float) v)) >>> 16 : Float.floatToFloat16((float) v)) & 0xffff;
    }

    private static void check(String t, String op, boolean brain, long[] a, long[] b, DoubleBinaryOperator f) {
        long[] got = run(op + "." + t + " %d, %x, %y;", "b32", "b32", a, b, b);
        for (int i = 0; i < N; i++) {
            for (int s = 0; s <= 16; s += 16) {
                assertEquals(
                        rounded(brain, f.applyAsDouble(value(brain, a[i] >> s), value(brain, b[i] >> s))),
                        got[i] >> s & 0xffff,
                        op + "." + t);
            }
        }
    }

    @Test
    void warps() {
        long[] a = integers(32);
        check("shfl.sync.bfly.b32 %d, %x, 5, 31, -1;", a, (w, lane) -> w[lane ^ 5]);
        check("shfl.sync.down.b32 %d, %x, 3, 31, -1;", a, (w, lane) -> w[lane + 3 < 32 ? lane + 3 : lane]);
        check("shfl.sync.up.b32 %d, %x, 3, 0, -1;", a, (w, lane) -> w[lane >= 3 ? lane - 3 : lane]);
        check("shfl.sync.idx.b32 %d, %x, 9, 0x181f, -1;", a, (w, lane) -> w[lane & 24 | 1]);
        check(
                "shfl.sync.down.b32 %d|%q0, %x, 4, 0x181f, -1; selp.b32 %d, %d, 77, %q0;",
                a, (w, lane) -> lane % 8 < 4 ? w[lane + 4] : 77);
        check("setp.gt.s32 %q0, %x, 0; vote.sync.ballot.b32 %d, %q0, -1;", a, (w, _) -> ballot(w));
        check(
                "setp.gt.s32 %q0, %x, 0; vote.sync.any.pred %q1, !%q0, -1; selp.b32 %d, 1, 0, %q1;",
                a, (w, _) -> ballot(w) == 0xffff_ffffL ? 0 : 1);
        check(
                "redux.sync.add.s32 %d, %x, -1;",
                a, (w, _) -> java.util.stream.LongStream.of(w).sum() & 0xffff_ffffL);
        check(
                "redux.sync.min.s32 %d, %x, -1;",
                a,
                (w, _) -> java.util.stream.LongStream.of(w)
                                .map(v -> (int) v)
                                .min()
                                .getAsLong()
                        & 0xffff_ffffL);
        check(
                "and.b32 %u0, %x, 3; match.any.sync.b32 %d, %u0, -1;",
                a, (w, lane) -> {
                    long m = 0;
                    for (int i = 0; i < 32; i++) if ((w[i] & 3) == (w[lane] & 3)) m |= 1L << i;
                    return m;
                });
        check("elect.sync %d|%q0, -1; selp.b32 %d, 5, 6, %q0;", a, (_, lane) -> lane == 0 ? 5 : 6);
        check("activemask.b32 %d;", a, (_, _) -> 0xffff_ffffL);
        check("mov.u32 %d, %lanemask_lt;", a, (_, lane) -> (1L << lane) - 1);
    }

    private interface OfWarp {
        long value(long[] warp, int lane);
    }

    private static long ballot(long[] w) {
        long m = 0;
        for (int i = 0; i < 32; i++) if ((int) w[i] > 0) m |= 1L << i;
        return m;
    }

    private static void check(String code, long[] a, OfWarp f) {
        long[] got = run(code, "b32", "b32", a, a, a);
        for (int i = 0; i < N; i++) {
            assertEquals(
                    f.value(java.util.Arrays.copyOfRange(a, i & ~31, (i & ~31) + 32), i & 31),
                    got[i],
                    code + " lane " + (i & 31));
        }
    }
}
