// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Local;
import io.sinter.ir.ref.ExprInterpreter;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEmitter;
import io.sinter.ir.ref.SpecialFunctions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Values known from elsewhere: published test vectors, exact cases, Python's and PyTorch's results;
 * and the texts of type errors.
 */
class ElementValuesTest {
    private static final double NAN = Double.NaN;

    private static double[] floats(Op op, double[]... operands) {
        List<RefArray> in = java.util.Arrays.stream(operands)
                .map(x -> RefArray.of(DType.F64, Shape.of(x.length), x))
                .toList();
        return new RefEmitter().emit(op, in).get(0).toDoubles();
    }

    private static long[] longs(Op op, DType t, long[]... operands) {
        List<RefArray> in = java.util.Arrays.stream(operands)
                .map(x -> RefArray.ofLongs(t, Shape.of(x.length), x))
                .toList();
        return new RefEmitter().emit(op, in).get(0).toLongs();
    }

    /** The scalar code of a unary operator in f32. */
    private static float code(Unary op, double x) {
        Local l = new Local("x", DType.F32);
        Expr e = op.scalar(List.of(new Expr.Ref(l)), DType.F32, DType.F32);
        long bits =
                ExprInterpreter.eval(e, new ExprInterpreter.Locals(Map.of(l, ExprInterpreter.encode(DType.F32, x))));
        return Float.intBitsToFloat((int) bits);
    }

    /** Known answers that come with the Random123 library (kat_vectors, philox4x32 10). */
    @Test
    void philoxKnownAnswers() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, RandomBits.philox(0, 0, 0));
        assertArrayEquals(new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, RandomBits.philox(-1, -1, -1));
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                RandomBits.philox(0x299f31d0a4093822L, 0x85a308d3243f6a88L, 0x0370734413198a2eL));
    }

    /** 20-digit values by mpmath 1.3. */
    @Test
    void specialFunctions() {
        assertEquals(0.8427007929497148693, SpecialFunctions.erf(1), 2e-16);
        assertEquals(1.5374597944280348502e-12, SpecialFunctions.erfc(5), 1e-27);
        assertEquals(5.663192408856143e-296, SpecialFunctions.erfc(26), 1e-309);
        assertEquals(0.47693627620446987338, SpecialFunctions.erfinv(.5), 2e-16);
        assertEquals(-0.42375494041107676687, SpecialFunctions.digamma(1.1), 1e-15);
        assertEquals(3.1780538303479456196, SpecialFunctions.lgamma(5), 5e-15);
        assertEquals(1.2655121234846454, SpecialFunctions.lgamma(-0.5), 1e-15);
        assertEquals(16.11809569376312, SpecialFunctions.lgamma(-0.9999999), 1e-13);
        assertEquals(-0.57721566490153286061, SpecialFunctions.digamma(1), 1e-15);
    }

    @Test
    void powersOfTwoAndTheirLogarithmsAreExact() {
        for (int k = -149; k <= 127; k++) {
            float p = Math.scalb(1f, k);
            assertEquals(p, code(Unary.EXP2, k), "2^" + k);
            assertEquals(k, code(Unary.LOG2, p), "log2 of 2^" + k);
        }
        assertEquals(0f, code(Unary.EXP2, -1000));
        assertEquals(Float.POSITIVE_INFINITY, code(Unary.EXP2, 1000));
    }

    @Test
    void tailsKeepTheirRelativeAccuracy() {
        for (double x = 0.1; x < 9; x += 0.37) {
            assertRelative(SpecialFunctions.erfc((float) x), code(Unary.ERFC, x), "erfc " + x);
            assertRelative(1 / (1 + Math.exp((float) (9 * x))), code(Unary.SIGMOID, -(float) (9 * x)), "sigmoid " + x);
        }
        for (double x : new double[] {1e-30, 1e-5, 0.3, 2, 1e6, 1e20, 3e38}) {
            double a = (float) x;
            double want = a > 1e9 ? Math.log(a) + Math.log(2) : Math.log1p(a + a * a / (1 + Math.sqrt(1 + a * a)));
            assertRelative(want, code(Unary.ASINH, x), "asinh " + x);
            assertEquals(-code(Unary.ASINH, x), code(Unary.ASINH, -x));
        }
    }

    private static void assertRelative(double want, float got, String what) {
        assertTrue(
                Math.abs(got - want) <= 5e-7 * Math.abs(want) + Float.MIN_VALUE,
                what + ": " + got + ", expected " + want);
    }

    @Test
    void remaindersAndQuotientsAsInPython() {
        double[] a = {7, -7, 7, -7, 1, -1, 5.5};
        double[] b = {3, 3, -3, -3, 0.1, Double.POSITIVE_INFINITY, 0};
        assertArrayEquals(
                new double[] {1, 2, -2, -1, 1 % 0.1, Double.POSITIVE_INFINITY, NAN}, floats(Binary.REMAINDER, a, b));
        assertArrayEquals(new double[] {2, -3, -3, 2, 9, -1, Double.POSITIVE_INFINITY}, floats(Binary.FLOORDIV, a, b));
        assertArrayEquals(new double[] {1, -1, 1, -1, 1 % 0.1, -1, NAN}, floats(Binary.FMOD, a, b));
        long[] i = {7, -7, 7, -7, 5, Long.MIN_VALUE};
        long[] j = {3, 3, -3, -3, 0, -1};
        assertArrayEquals(new long[] {1, 2, -2, -1, 0, 0}, longs(Binary.REMAINDER, DType.I64, i, j));
        assertArrayEquals(new long[] {2, -3, -3, 2, 0, Long.MIN_VALUE}, longs(Binary.FLOORDIV, DType.I64, i, j));
        assertArrayEquals(new long[] {2, -2, -2, 2, 0, Long.MIN_VALUE}, longs(Binary.DIV, DType.I64, i, j));
    }

    @Test
    void narrowIntegersWrap() {
        assertArrayEquals(new long[] {-128, 44}, new long[] {
            longs(Binary.ADD, DType.I8, new long[] {127}, new long[] {1})[0],
            longs(Binary.ADD, DType.U8, new long[] {200}, new long[] {100})[0]
        });
        assertArrayEquals(new long[] {254, 0}, longs(Unary.NEG, DType.U8, new long[] {2, 0}));
        assertArrayEquals(
                new long[] {3, 9, 0, 1},
                longs(Binary.POW, DType.I8, new long[] {3, 3, 2, -1}, new long[] {1, 2, -1, -2}));
        assertArrayEquals(
                new long[] {-1, 0, -1}, longs(Binary.SHR, DType.I32, new long[] {-5, 5, -5}, new long[] {40, 40, -1}));
    }

    @Test
    void castsTruncateSaturateAndWrap() {
        RefArray x = RefArray.of(DType.F32, Shape.of(6), -1.9, 300, 1e20, NAN, -1e20, 0.5);
        assertArrayEquals(
                new long[] {-1, 300, Integer.MAX_VALUE, 0, Integer.MIN_VALUE, 0},
                new Cast(DType.I32).evaluate(List.of(x)).get(0).toLongs());
        assertArrayEquals(
                new long[] {255, 44, 255, 0, 0, 0},
                new Cast(DType.U8).evaluate(List.of(x)).get(0).toLongs());
        assertArrayEquals(
                new long[] {1, 1, 1, 1, 1, 1},
                new Cast(DType.BOOL).evaluate(List.of(x)).get(0).toLongs());
        RefArray halves = RefArray.of(DType.F32, Shape.of(3), 1.00390625, 1.01171875, 65520);
        assertArrayEquals(
                new double[] {1, 1.015625, 65536},
                new Cast(DType.BF16).evaluate(List.of(halves)).get(0).toDoubles());
        assertEquals(
                Double.POSITIVE_INFINITY,
                new Cast(DType.F16).evaluate(List.of(halves)).get(0).getDouble(2));
    }

    @Test
    void typeErrorsSayWhatToDo() {
        Type f = Type.of(DType.F32, 2, 3);
        Type i = Type.of(DType.I64, 2, 3);
        Type p = Type.of(DType.BOOL, 2, 3);
        refused(Unary.EXP, "exp(i64[2,3]): needs a floating-point operand, got i64; cast it to f32 first", i);
        refused(Unary.NEG, "neg(bool[2,3]): is not defined on bool; use 'not'", p);
        refused(Unary.NOT, "not(f32[2,3]): is not defined on f32", f);
        refused(Binary.ADD, "add(f32[2,3], i64[2,3]): dtypes f32 and i64 differ; cast one operand", f, i);
        refused(Binary.ADD, "add(f32[2,3], f32[3]): shapes [2,3] and [3] differ; expand", f, Type.of(DType.F32, 3));
        refused(Binary.ADD, "add(bool[2,3], bool[2,3]): is not defined on bool; use and, or, xor", p, p);
        refused(Binary.AND, "and(f32[2,3], f32[2,3]): takes bool (logical) or integers (bitwise), got f32", f, f);
        refused(Binary.ADD, "add(f32[2,3]): takes 2 operands, got 1", f);
        refused(Where.INSTANCE, "the condition must be bool, got f32; compare it with 0", f, f, f);
        refused(new Bitcast(DType.F64), "no bitcast from f32 to f64; there are", f);
        refused(new Reshape(Shape.of(4)), "reshape(f32[2,3]): shape [4] has 4 elements, the operand has 6", f);
        refused(new Permute(0, 0), "[0, 0] is not a permutation of the 2 axes", f);
        refused(new Expand(Shape.of(2, 4)), "axis 1 has extent 3 and cannot become 4; only extent 1 expands", f);
        refused(new Slice(1, 1, 3, 1, false), "elements 1 to 3 of axis 1, whose extent is 3; shrink the slice", f);
        refused(new Slice(2, 0, 1, 1, false), "axis 2 is outside [0, 1]: the operand has rank 2", f);
        refused(new Window(1, 4, 1), "windows of 4 on axis 1, whose extent is 3; pad it first", f);
        refused(new Pad(new long[] {-1, 0}, new long[] {0, 0}), "negative padding -1, 0 of axis 0; slice instead", f);
        refused(new Concat(0), "shapes [2,3] and [2,4] differ off axis 0", f, Type.of(DType.F32, 2, 4));
    }

    private static void refused(Op op, String part, Type... in) {
        String message =
                assertThrows(OpException.class, () -> op.infer(List.of(in))).getMessage();
        assertTrue(message.contains(part), message);
        assertTrue(message.startsWith(op.name() + "("), message);
    }
}
