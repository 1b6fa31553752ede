// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.ref.ExprInterpreter;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Accuracy of the functions that are spelled out: within 4 units in the last place of the reference, special values exactly. {@link ExponentialTest} has
 * those of f32.
 */
class MathCodeTest {
    private static final double MAX_ULPS = 4;

    @TestFactory
    Stream<DynamicTest> unary() {
        return Stream.of(Prim1.values())
                .filter(op -> op != Prim1.NOT && op != Prim1.ISNAN)
                .flatMap(op -> Stream.of(DType.F32, DType.F64)
                        .filter(t -> op != Prim1.EXP || t != DType.F32)
                        .map(t -> DynamicTest.dynamicTest(op + " " + t, () -> unary(op, t))));
    }

    @TestFactory
    Stream<DynamicTest> binary() {
        return Stream.of(Prim2.POW, Prim2.ATAN2).flatMap(op -> Stream.of(DType.F32, DType.F64)
                .map(t -> DynamicTest.dynamicTest(op + " " + t, () -> binary(op, t))));
    }

    private static void unary(Prim1 op, DType t) {
        Local x = new Local("x", t);
        Expr plain = Expr.un(op, new Expr.Ref(x));
        Expr spelled = new MathCode().expr(plain);
        for (double v : values(4000)) check(op, t, plain, spelled, Map.of(x, ExprInterpreter.encode(t, v)));
    }

    private static void binary(Prim2 op, DType t) {
        Local x = new Local("x", t);
        Local y = new Local("y", t);
        Expr plain = Expr.bin(op, new Expr.Ref(x), new Expr.Ref(y));
        Expr spelled = new MathCode().expr(plain);
        double[] values = values(60);
        for (double v : values) {
            for (double w : values)
                check(op, t, plain, spelled, Map.of(x, ExprInterpreter.encode(t, v), y, ExprInterpreter.encode(t, w)));
        }
    }

    private static void check(Enum<?> op, DType t, Expr plain, Expr spelled, Map<Local, Long> operands) {
        Map<Local, Long> byIdentity = new IdentityHashMap<>(operands);
        double expected =
                ExprInterpreter.decode(t, ExprInterpreter.eval(plain, new ExprInterpreter.Locals(byIdentity)));
        double actual =
                ExprInterpreter.decode(t, ExprInterpreter.eval(spelled, new ExprInterpreter.Locals(byIdentity)));
        double error = ulps(op, t, expected, actual);
        assertTrue(
                error <= MAX_ULPS,
                () -> actual + " instead of " + expected + ", off by " + error + " ulp; operands "
                        + operands.values().stream()
                                .map(b -> ExprInterpreter.decode(t, b))
                                .toList());
    }

    /** Distance in units of the last place of the expected value; signs of zeros and NaN must agree. */
    static double ulps(Enum<?> op, DType t, double expected, double actual) {
        if (Double.isNaN(expected) || Double.isNaN(actual))
            return Double.isNaN(expected) == Double.isNaN(actual) ? 0 : 1e300;
        if (expected == actual) return expected == 0 && 1 / expected != 1 / actual ? 1e300 : 0;
        double unit = t == DType.F32 ? Math.ulp((float) expected) : Math.ulp(expected);
        if (Double.isInfinite(expected)) unit = t == DType.F32 ? Math.ulp(Float.MAX_VALUE) : Math.ulp(Double.MAX_VALUE);
        // Near their zeros the reference itself is no better than this; reflection cancels digits.
        if (t == DType.F64 && (op == Prim1.LGAMMA || op == Prim1.DIGAMMA)) unit = Math.max(unit * 4, 2e-15);
        // So is its series for erf between 1 and 2.
        if (t == DType.F64 && (op == Prim1.ERFINV || op == Prim1.ERF)) unit *= 2;
        return Math.abs(actual - expected) / unit;
    }

    /** Special values and random ones of all magnitudes. */
    static double[] values(int random) {
        Random r = new Random(42);
        List<Double> special = List.of(
                0.0,
                -0.0,
                1.0,
                -1.0,
                0.5,
                -0.5,
                1.5,
                -1.5,
                2.5,
                2.0,
                -2.0,
                3.0,
                -3.0,
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY,
                1e-45,
                -1e-45,
                1e-40,
                (double) Float.MIN_NORMAL,
                Double.MIN_VALUE,
                1e-310,
                1e-10,
                -1e-10,
                1e-4,
                0x1p23,
                0x1p23 + 1,
                -0x1p22 - 0.5,
                0x1p31,
                0x1p52,
                0x1p53,
                0x1p53 + 2,
                1e10,
                -1e10,
                3e38,
                -3e38,
                1e300,
                -1e300,
                88.0,
                88.7,
                89.0,
                -87.0,
                -88.0,
                -103.0,
                -104.0,
                9.0,
                -9.0,
                20.0,
                100.0,
                0.9999999,
                1.0000001,
                -0.9999999,
                47999.0,
                48001.0,
                1e5,
                1048576.5,
                1e-7,
                3.9,
                4.1,
                709.7,
                710.2,
                -745.0,
                6381956970095103.0 * 0x1p797);
        double[] out = new double[special.size() + random];
        for (int i = 0; i < special.size(); i++) out[i] = special.get(i);
        for (int i = special.size(); i < out.length; i++) {
            out[i] = switch (i % 4) {
                case 0 -> r.nextDouble() * 2 - 1;
                case 1 -> r.nextGaussian() * 5;
                case 2 -> r.nextGaussian() * 60;
                default -> Math.scalb(r.nextDouble() + 0.5, r.nextInt(200) - 100) * (r.nextBoolean() ? 1 : -1);
            };
        }
        return out;
    }
}
