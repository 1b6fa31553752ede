// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.PtxType;
import java.math.BigDecimal;

/**
 * Formats of floats and their rounding. Results that a double cannot hold are rounded to odd first (Boldo and Melquiond 2008): the last
 * bit keeps whether something was lost, so that a second rounding, to a narrower format, is that of the exact value.
 */
final class Floats {
    private Floats() {}

    /** The value of bits of a format, as a double, which holds any of them exactly. */
    static double decode(PtxType t, long bits) {
        return switch (t) {
            case F64 -> Double.longBitsToDouble(bits);
            case F32 -> Float.intBitsToFloat((int) bits);
            case TF32 -> Float.intBitsToFloat((int) bits & 0xffff_e000);
            case F16 -> Float.float16ToFloat((short) bits);
            case BF16 -> Float.intBitsToFloat((int) bits << 16);
            case E4M3 -> small(bits, 4, 3, false);
            case E5M2 -> small(bits, 5, 2, true);
            default -> throw new IllegalArgumentException("no format of a float: " + t);
        };
    }

    private static double small(long bits, int exponentBits, int mantissaBits, boolean infinities) {
        int e = (int) (bits >> mantissaBits) & (1 << exponentBits) - 1;
        int m = (int) bits & (1 << mantissaBits) - 1;
        int bias = (1 << exponentBits - 1) - 1;
        double v;
        if (infinities && e == (1 << exponentBits) - 1) v = m == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        else if (!infinities && e == (1 << exponentBits) - 1 && m == (1 << mantissaBits) - 1) v = Double.NaN;
        else if (e == 0) v = m * Math.pow(2, 1 - bias - mantissaBits);
        else v = (1 + m / (double) (1 << mantissaBits)) * Math.pow(2, e - bias);
        return (bits >> exponentBits + mantissaBits & 1) != 0 ? -v : v;
    }

    /** The bits of a value, that is exact or rounded to odd, in a format. */
    static long encode(PtxType t, double v, Rounding r) {
        return switch (t) {
            case F64 -> Double.doubleToRawLongBits(v);
            case F32 -> Float.floatToRawIntBits(toFloat(v, r)) & 0xffff_ffffL;
            case TF32 -> round(v, 10, -126, 127, r, false, t);
            case F16 -> round(v, 10, -14, 15, r, false, t);
            case BF16 -> round(v, 7, -126, 127, r, false, t);
            case E4M3 -> round(v, 3, -6, 8, r, true, t);
            case E5M2 -> round(v, 2, -14, 15, r, true, t);
            default -> throw new IllegalArgumentException("no format of a float: " + t);
        };
    }

    /** A double to the nearest float in a direction. */
    static float toFloat(double v, Rounding r) {
        float f = (float) v;
        if (f == v || Double.isNaN(v)) return f;
        return switch (r) {
            case RZ -> Math.abs((double) f) > Math.abs(v) ? towardsZero(f) : f;
            case RM -> f > v ? Math.nextDown(f) : f;
            case RP -> f < v ? Math.nextUp(f) : f;
            case RNA -> {
                // A tie is rounded to even by the cast: away from zero instead.
                float away = v > 0 ? Math.nextUp(f) : Math.nextDown(f);
                yield Math.abs((double) f) < Math.abs(v)
                                && Math.abs(v) - Math.abs((double) f) == Math.abs((double) away) - Math.abs(v)
                        ? away
                        : f;
            }
            default -> f;
        };
    }

    private static float towardsZero(float f) {
        return f > 0 ? Math.nextDown(f) : Math.nextUp(f);
    }

    /** Rounds to a narrow format: mantissa bits, least and greatest exponent of normal numbers. */
    private static long round(
            double v, int mantissa, int least, int greatest, Rounding r, boolean satFinite, PtxType t) {
        boolean negative = Double.doubleToRawLongBits(v) < 0;
        if (Double.isNaN(v)) {
            return switch (t) {
                case TF32 -> 0x7fff_ffffL;
                case F16, BF16 -> 0x7fff;
                default -> 0x7f;
            };
        }
        double x = Math.abs(v);
        double limit = t == PtxType.E4M3 ? 448 : (2 - Math.scalb(1.0, -mantissa)) * Math.scalb(1.0, greatest);
        double q;
        if (x == Double.POSITIVE_INFINITY) {
            q = x;
        } else {
            int e = x == 0 ? least : Math.max(Math.getExponent(x), least);
            double unit = Math.scalb(1.0, e - mantissa);
            double n = x / unit;
            double down = Math.floor(n);
            double rest = n - down;
            boolean up =
                    switch (r) {
                        case RZ -> false;
                        case RM -> negative && rest > 0;
                        case RP -> !negative && rest > 0;
                        case RNA -> rest >= 0.5;
                        default -> rest > 0.5 || (rest == 0.5 && down % 2 != 0);
                    };
            q = (up ? down + 1 : down) * unit;
        }
        if (q > limit) {
            boolean stops = r == Rounding.RZ || (r == Rounding.RM && !negative) || (r == Rounding.RP && negative);
            q = satFinite || (stops && x != Double.POSITIVE_INFINITY) ? limit : Double.POSITIVE_INFINITY;
        }
        return switch (t) {
            case TF32 -> Float.floatToRawIntBits((float) (negative ? -q : q)) & 0xffff_ffffL;
            case BF16 -> Float.floatToRawIntBits((float) (negative ? -q : q)) >>> 16;
            case F16 -> Float.floatToFloat16((float) (negative ? -q : q)) & 0xffffL;
            default -> smallBits(q, mantissa, least) | (negative ? 0x80 : 0);
        };
    }

    private static long smallBits(double q, int mantissa, int least) {
        if (q == 0) return 0;
        int e = Math.max(Math.getExponent(q), least);
        long n = (long) (q / Math.scalb(1.0, e - mantissa));
        return n < 1L << mantissa ? n : (long) (e - least) << mantissa | n;
    }

    /** The neighbour of {@code rounded} with an odd last bit, if the exact value lies off it in the direction of {@code rest}'s sign. */
    static double toOdd(double rounded, double rest) {
        if (rest == 0
                || Double.isNaN(rest)
                || Double.isInfinite(rounded)
                || (Double.doubleToRawLongBits(rounded) & 1) != 0) {
            return rounded;
        }
        return rest > 0 ? Math.nextUp(rounded) : Math.nextDown(rounded);
    }

    /** {@code a + b} of doubles, rounded to odd. */
    static double addOdd(double a, double b) {
        double s = a + b;
        if (Double.isNaN(s) || Double.isInfinite(s)) return s;
        double bb = s - a;
        return toOdd(s, (a - (s - bb)) + (b - bb));
    }

    /** {@code a / b} of floats held in doubles, rounded to odd. */
    static double divideOdd(double a, double b) {
        double q = a / b;
        if (Double.isNaN(q) || Double.isInfinite(q) || Double.isInfinite(b) || q == 0) return q;
        double rest = Math.fma(-q, b, a);
        return toOdd(q, b < 0 ? -rest : rest);
    }

    static double sqrtOdd(double a) {
        double s = Math.sqrt(a);
        return s == 0 || Double.isNaN(s) || Double.isInfinite(s) ? s : toOdd(s, Math.fma(-s, s, a));
    }

    /** The double next to an exact result in a direction; {@code nearest} is it rounded to nearest, {@code rest} has the error's sign. */
    static double directed(double nearest, double rest, Rounding r) {
        if (rest == 0 || Double.isNaN(nearest)) return nearest;
        return switch (r) {
            case RZ ->
                nearest > 0 == rest > 0 || nearest == 0
                        ? nearest
                        : nearest > 0 ? Math.nextDown(nearest) : Math.nextUp(nearest);
            case RM -> rest < 0 ? Math.nextDown(nearest) : nearest;
            case RP -> rest > 0 ? Math.nextUp(nearest) : nearest;
            default -> nearest;
        };
    }

    /** The sign of {@code exact a*b+c − r}, for finite operands. */
    static double fmaRest(double a, double b, double c, double r) {
        if (!Double.isFinite(a) || !Double.isFinite(b) || !Double.isFinite(c)) return 0;
        if (Double.isInfinite(r)) return r > 0 ? -1 : 1;
        BigDecimal exact = new BigDecimal(a).multiply(new BigDecimal(b)).add(new BigDecimal(c));
        return exact.compareTo(new BigDecimal(r));
    }

    static float flush(float f) {
        return Math.abs(f) < Float.MIN_NORMAL ? Math.copySign(0f, f) : f;
    }
}
