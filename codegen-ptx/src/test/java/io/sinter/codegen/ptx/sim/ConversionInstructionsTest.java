// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.Test;

/** Conversions of floats, and arithmetic of pairs of 16 bits. */
class ConversionInstructionsTest extends InstructionCheck {
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
            long[] got = run("fma.rn." + t + " %d, %x, %y, %x;", 32, 32, a, b, b);
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
        long[] got = run(op + "." + t + " %d, %x, %y;", 32, 32, a, b, b);
        for (int i = 0; i < N; i++) {
            for (int s = 0; s <= 16; s += 16) {
                assertEquals(
                        rounded(brain, f.applyAsDouble(value(brain, a[i] >> s), value(brain, b[i] >> s))),
                        got[i] >> s & 0xffff,
                        op + "." + t);
            }
        }
    }
}
