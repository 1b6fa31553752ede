// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Arithmetic of f32 and f64, one instruction at a time. */
class FloatInstructionsTest extends InstructionCheck {
    private static float flush(float x) {
        return Math.abs(x) < Float.MIN_NORMAL ? Math.copySign(0f, x) : x;
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
        long[] got = run(opcode + " %d, %x;", 32, 32, bits(a), bits(a), bits(a));
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
        long[] got = run(code, 64, 64, a, b, b);
        for (int i = 0; i < N; i++) {
            double x = Double.longBitsToDouble(a[i]);
            double y = Double.longBitsToDouble(b[i]);
            assertEquals(f.applyAsDouble(x, y), Double.longBitsToDouble(got[i]), code + " of " + x + ", " + y);
        }
    }
}
