// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.Comparison;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.PtxType;

/**
 * Arithmetic on floats of any format. The usual operations on f32 have loops of their own; everything else is computed in double, rounded
 * to odd, and rounded to its format. Approximate functions are correctly rounded, or nearly so.
 */
final class FloatOps implements LaneOp {
    private FloatOps() {}

    /** An operation on values that doubles hold exactly; its result is exact or rounded to odd. */
    private interface Function {
        double apply(double a, double b, double c);
    }

    static Two binary(Arithmetic.BinaryOp op, FloatMode mode, PtxType t) {
        if (t == PtxType.F32 && plain(mode)) {
            Two fast = single(op);
            if (fast != null) return fast;
        }
        if (t == PtxType.F64)
            return (d, a, b) -> {
                for (int i = 0; i < LANES; i++) {
                    double x = Double.longBitsToDouble(a[i]);
                    double y = Double.longBitsToDouble(b[i]);
                    d[i] = Double.doubleToRawLongBits(inDouble(op, x, y, mode));
                }
            };
        Function f = function(op, mode);
        Three three = lanes(f, mode, t);
        return (d, a, b) -> three.run(d, a, b, b);
    }

    private static boolean plain(FloatMode m) {
        boolean nearest = m.rounding() == Rounding.NONE || m.rounding() == Rounding.RN;
        return nearest && !m.ftz() && !m.nan() && !m.xorSignAbs() && !m.relu() && !m.sat();
    }

    private static float f(long bits) {
        return Float.intBitsToFloat((int) bits);
    }

    private static long bits(float f) {
        return Float.floatToRawIntBits(f) & 0xffff_ffffL;
    }

    private static Two single(Arithmetic.BinaryOp op) {
        return switch (op) {
            case ADD ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = bits(f(a[i]) + f(b[i]));
                };
            case SUB ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = bits(f(a[i]) - f(b[i]));
                };
            case MUL ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = bits(f(a[i]) * f(b[i]));
                };
            case DIV ->
                (d, a, b) -> {
                    for (int i = 0; i < LANES; i++) d[i] = bits(f(a[i]) / f(b[i]));
                };
            case MIN, MAX, REM, COPYSIGN -> null;
        };
    }

    static Three fma(FloatMode mode, PtxType t) {
        if (t == PtxType.F32 && plain(mode)) {
            return (d, a, b, c) -> {
                for (int i = 0; i < LANES; i++) d[i] = bits(Math.fma(f(a[i]), f(b[i]), f(c[i])));
            };
        }
        if (t == PtxType.F64) {
            return (d, a, b, c) -> {
                for (int i = 0; i < LANES; i++) {
                    double x = Double.longBitsToDouble(a[i]);
                    double y = Double.longBitsToDouble(b[i]);
                    double z = Double.longBitsToDouble(c[i]);
                    double r = Math.fma(x, y, z);
                    d[i] = Double.doubleToRawLongBits(
                            directed(mode) ? Floats.directed(r, Floats.fmaRest(x, y, z, r), mode.rounding()) : r);
                }
            };
        }
        return lanes((a, b, c) -> Floats.addOdd(a * b, c), mode, t);
    }

    private static boolean directed(FloatMode m) {
        return m.rounding() == Rounding.RZ || m.rounding() == Rounding.RM || m.rounding() == Rounding.RP;
    }

    private static double inDouble(Arithmetic.BinaryOp op, double x, double y, FloatMode mode) {
        double r =
                switch (op) {
                    case ADD -> x + y;
                    case SUB -> x - y;
                    case MUL -> x * y;
                    case DIV -> x / y;
                    default -> function(op, mode).apply(x, y, 0);
                };
        if (!directed(mode) || Double.isNaN(r)) return r;
        double rest =
                switch (op) {
                    case ADD -> Floats.fmaRest(x, 1, y, r);
                    case SUB -> Floats.fmaRest(x, 1, -y, r);
                    case MUL -> Floats.fmaRest(x, y, 0, r);
                    case DIV -> Math.signum(Math.fma(-r, y, x)) * Math.signum(y);
                    default -> 0;
                };
        return Floats.directed(r, rest, mode.rounding());
    }

    private static Function function(Arithmetic.BinaryOp op, FloatMode mode) {
        Function f =
                switch (op) {
                    case ADD -> (a, b, _) -> Floats.addOdd(a, b);
                    case SUB -> (a, b, _) -> Floats.addOdd(a, -b);
                    case MUL -> (a, b, _) -> a * b;
                    case DIV -> (a, b, _) -> Floats.divideOdd(a, b);
                    case MIN ->
                        (a, b, _) -> Double.isNaN(a) && !mode.nan()
                                ? b
                                : Double.isNaN(b) && !mode.nan() ? a : Math.min(a, b);
                    case MAX ->
                        (a, b, _) -> Double.isNaN(a) && !mode.nan()
                                ? b
                                : Double.isNaN(b) && !mode.nan() ? a : Math.max(a, b);
                    case COPYSIGN -> (a, b, _) -> Math.copySign(b, a);
                    case REM -> throw new IllegalArgumentException("no remainder of floats");
                };
        if (!mode.xorSignAbs()) return f;
        return (a, b, c) -> {
            double r = f.apply(Math.abs(a), Math.abs(b), c);
            boolean negative = Double.doubleToRawLongBits(a) < 0 != Double.doubleToRawLongBits(b) < 0;
            return Double.isNaN(r) ? r : Math.copySign(r, negative ? -1 : 1);
        };
    }

    /** A function of up to three operands on every lane, on both halves of packed types. */
    private static Three lanes(Function f, FloatMode mode, PtxType t) {
        if (!t.isPair()) {
            return (d, a, b, c) -> {
                for (int i = 0; i < LANES; i++) d[i] = one(f, mode, t, a[i], b[i], c[i]);
            };
        }
        PtxType half = half(t);
        return (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
                long low = one(f, mode, half, a[i] & 0xffff, b[i] & 0xffff, c[i] & 0xffff);
                long high = one(f, mode, half, a[i] >>> 16, b[i] >>> 16, c[i] >>> 16);
                d[i] = high << 16 | low;
            }
        };
    }

    static PtxType half(PtxType pair) {
        return switch (pair) {
            case F16X2 -> PtxType.F16;
            case BF16X2 -> PtxType.BF16;
            case E4M3X2 -> PtxType.E4M3;
            case E5M2X2 -> PtxType.E5M2;
            default -> throw new IllegalArgumentException("no pair of floats: " + pair);
        };
    }

    private static long one(Function f, FloatMode mode, PtxType t, long a, long b, long c) {
        double v = f.apply(operand(mode, t, a), operand(mode, t, b), operand(mode, t, c));
        return result(mode, t, v);
    }

    /** An operand's value, flushed if the mode says so. */
    static double operand(FloatMode mode, PtxType t, long bits) {
        double v = Floats.decode(t, bits);
        return mode.ftz() && Math.abs(v) < least(t) ? Math.copySign(0.0, v) : v;
    }

    /** Bits of a result that is exact or rounded to odd: rounded, flushed, clamped. */
    static long result(FloatMode mode, PtxType t, double v) {
        if (mode.sat()) v = Double.isNaN(v) ? 0 : Math.clamp(v, 0.0, 1.0);
        if (mode.relu() && v < 0) v = 0;
        long bits = Floats.encode(t, v, mode.rounding());
        if (mode.ftz()) {
            double r = Floats.decode(t, bits);
            if (Math.abs(r) < least(t)) return Floats.encode(t, Math.copySign(0.0, r), Rounding.RN);
        }
        return bits;
    }

    private static double least(PtxType t) {
        return t == PtxType.F16 ? 0x1p-14 : t == PtxType.F64 ? 0 : Float.MIN_NORMAL;
    }

    static One unary(Arithmetic.UnaryOp op, FloatMode mode, PtxType t) {
        long sign = t.isPair() ? 0x8000_8000L : 1L << t.bits() - 1;
        One f =
                switch (op) {
                    case ABS ->
                        (d, a) -> {
                            for (int i = 0; i < LANES; i++) d[i] = a[i] & ~sign;
                        };
                    case NEG ->
                        (d, a) -> {
                            for (int i = 0; i < LANES; i++) d[i] = a[i] ^ sign;
                        };
                    default -> null;
                };
        if (f == null || !mode.ftz()) return f;
        Three flush = lanes((a, _, _) -> a, mode, t);
        return (d, a) -> {
            f.run(d, a);
            flush.run(d, d, d, d);
        };
    }

    static One apply(Arithmetic.Function function, FloatMode mode, PtxType t) {
        if (t == PtxType.F64) return inDouble(function, mode);
        Function f =
                switch (function) {
                    case RCP -> (a, _, _) -> Floats.divideOdd(1, a);
                    case SQRT -> (a, _, _) -> Floats.sqrtOdd(a);
                    case RSQRT -> (a, _, _) -> 1 / Math.sqrt(a);
                    case SIN -> (a, _, _) -> Math.sin(a);
                    case COS -> (a, _, _) -> Math.cos(a);
                    case LG2 -> (a, _, _) -> Math.log(a) / LN2;
                    case EX2 -> (a, _, _) -> Math.pow(2, a);
                    case TANH -> (a, _, _) -> Math.tanh(a);
                };
        Three three = lanes(f, mode, t);
        return (d, a) -> three.run(d, a, a, a);
    }

    private static final double LN2 = Math.log(2);

    private static One inDouble(Arithmetic.Function function, FloatMode mode) {
        boolean approximate = mode.rounding() == Rounding.APPROX;
        return (d, a) -> {
            for (int i = 0; i < LANES; i++) {
                double x = Double.longBitsToDouble(a[i]);
                double r =
                        switch (function) {
                            case RCP -> 1 / x;
                            case SQRT -> Math.sqrt(x);
                            case RSQRT -> 1 / Math.sqrt(x);
                            default -> throw new IllegalArgumentException("no " + function + " of f64");
                        };
                if (directed(mode)) {
                    double rest = function == Arithmetic.Function.RCP
                            ? Math.signum(Math.fma(-r, x, 1)) * Math.signum(x)
                            : Math.fma(-r, r, x);
                    r = Floats.directed(r, rest, mode.rounding());
                }
                // rcp.approx.ftz.f64 gives the high word alone.
                long bits = Double.doubleToRawLongBits(r);
                d[i] = approximate && function == Arithmetic.Function.RCP ? bits & 0xffff_ffff_0000_0000L : bits;
            }
        };
    }

    /** Bits for less, equal, greater, unordered. */
    private static int table(Comparison.Relation r) {
        return switch (r) {
            case LT -> 0b0001;
            case EQ -> 0b0010;
            case LE -> 0b0011;
            case GT -> 0b0100;
            case NE -> 0b0101;
            case GE -> 0b0110;
            case NUM -> 0b0111;
            case NAN -> 0b1000;
            case LTU -> 0b1001;
            case EQU -> 0b1010;
            case LEU -> 0b1011;
            case GTU -> 0b1100;
            case NEU -> 0b1101;
            case GEU -> 0b1110;
            case LO, LS, HI, HS -> throw new IllegalArgumentException("an unsigned comparison of floats");
        };
    }

    static Relation relation(Comparison.Relation r, PtxType t, boolean ftz) {
        int table = table(r);
        FloatMode mode = ftz ? FloatMode.DEFAULT.withFtz() : FloatMode.DEFAULT;
        return (a, b) -> {
            int m = 0;
            for (int i = 0; i < LANES; i++) {
                double x = operand(mode, t, a[i]);
                double y = operand(mode, t, b[i]);
                int code = x < y ? 0 : x == y ? 1 : x > y ? 2 : 3;
                m |= (table >> code & 1) << i;
            }
            return m;
        };
    }

    static boolean is(Comparison.TestFloat.FloatClass c, PtxType t, long bits) {
        double v = Floats.decode(t, bits);
        double least = t == PtxType.F64 ? Double.MIN_NORMAL : Float.MIN_NORMAL;
        return switch (c) {
            case FINITE -> Double.isFinite(v);
            case INFINITE -> Double.isInfinite(v);
            case NUMBER -> !Double.isNaN(v);
            case NOTANUMBER -> Double.isNaN(v);
            case NORMAL -> Double.isFinite(v) && Math.abs(v) >= least;
            case SUBNORMAL -> v != 0 && Math.abs(v) < least;
        };
    }
}
