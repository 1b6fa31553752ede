// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.FloatMode.Rounding;
import io.sinter.codegen.ptx.lang.PtxType;
import java.math.BigDecimal;
import java.math.BigInteger;

/** {@code cvt}: between integers and floats of all widths. */
final class Conversions implements LaneOp {
    private Conversions() {}

    private interface Scalar {
        long apply(long a);
    }

    static One one(FloatMode mode, PtxType d, PtxType a) {
        Scalar f = scalar(mode, d, a);
        return (to, from) -> {
            for (int i = 0; i < LANES; i++) to[i] = f.apply(from[i]);
        };
    }

    private static Scalar scalar(FloatMode mode, PtxType d, PtxType a) {
        if (d.isPair() && a.isPair()) {
            Scalar half = scalar(mode, FloatOps.half(d), FloatOps.half(a));
            int from = FloatOps.half(a).bits();
            int to = FloatOps.half(d).bits();
            return v -> half.apply(v >>> from) << to | half.apply(v & IntOps.mask(from));
        }
        if (a.isFloat()) return d.isFloat() ? floats(mode, d, a) : toInteger(mode, d, a);
        return d.isFloat() ? toFloat(mode, d, a) : integers(mode, d, a);
    }

    /** Two floats into a pair, {@code a} into the high half. */
    static Two pair(FloatMode mode, PtxType d, PtxType a) {
        PtxType half = FloatOps.half(d);
        return (to, x, y) -> {
            for (int i = 0; i < LANES; i++) {
                long high = FloatOps.result(mode, half, FloatOps.operand(mode, a, x[i]));
                long low = FloatOps.result(mode, half, FloatOps.operand(mode, a, y[i]));
                to[i] = high << half.bits() | low;
            }
        };
    }

    private static Scalar integers(FloatMode mode, PtxType d, PtxType a) {
        long mask = IntOps.mask(d.bits());
        if (!mode.sat()) return v -> IntOps.extend(a, v) & mask;
        return v -> {
            long x = IntOps.extend(a, v);
            if (d.isSigned()) {
                long max = mask >>> 1;
                if (!a.isSigned() && x < 0) return max;
                return Math.clamp(x, -max - 1, max) & mask;
            }
            if (a.isSigned() && x < 0) return 0;
            return Long.compareUnsigned(x, mask) > 0 ? mask : x;
        };
    }

    private static Scalar floats(FloatMode mode, PtxType d, PtxType a) {
        boolean integral = integral(mode.rounding());
        // f32 alone is flushed, whichever side it stands on.
        FloatMode in = mode.ftz() && a == PtxType.F32 ? mode : FloatMode.DEFAULT;
        FloatMode out = mode.ftz() && d != PtxType.F32
                ? new FloatMode(mode.rounding(), false, false, false, mode.relu(), mode.sat(), mode.satFinite())
                : mode;
        return v -> {
            double x = FloatOps.operand(in, a, v);
            if (integral) x = round(x, mode.rounding());
            if (d == PtxType.F64 && mode.sat()) x = Double.isNaN(x) ? 0 : Math.clamp(x, 0.0, 1.0);
            return FloatOps.result(out, d, x);
        };
    }

    private static boolean integral(Rounding r) {
        return r == Rounding.RNI || r == Rounding.RZI || r == Rounding.RMI || r == Rounding.RPI;
    }

    private static double round(double x, Rounding r) {
        return switch (r) {
            case RNI -> Math.rint(x);
            case RMI -> Math.floor(x);
            case RPI -> Math.ceil(x);
            default -> x < 0 ? Math.ceil(x) : Math.floor(x);
        };
    }

    private static Scalar toInteger(FloatMode mode, PtxType d, PtxType a) {
        long mask = IntOps.mask(d.bits());
        FloatMode in = mode.ftz() ? FloatMode.DEFAULT.withFtz() : FloatMode.DEFAULT;
        double low = d.isSigned() ? -Math.scalb(1.0, d.bits() - 1) : 0;
        double end = Math.scalb(1.0, d.isSigned() ? d.bits() - 1 : d.bits());
        return v -> {
            double x = round(FloatOps.operand(in, a, v), mode.rounding());
            if (Double.isNaN(x)) return d.bits() == 64 && a == PtxType.F64 ? Long.MIN_VALUE : 0;
            if (x < low) return d.isSigned() ? mask + 1 >>> 1 & mask | (d.bits() == 64 ? Long.MIN_VALUE : 0) : 0;
            if (x >= end) return d.isSigned() ? mask >>> 1 : mask;
            if (x >= 0x1p63) return (long) (x - 0x1p63) ^ Long.MIN_VALUE;
            return (long) x & mask;
        };
    }

    private static Scalar toFloat(FloatMode mode, PtxType d, PtxType a) {
        return v -> {
            long x = IntOps.extend(a, v);
            boolean unsigned = !a.isSigned() && x < 0;
            if (!unsigned && Math.abs(x) < 1L << 53) return FloatOps.result(mode, d, x);
            BigDecimal exact =
                    new BigDecimal(unsigned ? new BigInteger(Long.toUnsignedString(x)) : BigInteger.valueOf(x));
            double nearest = exact.doubleValue();
            int rest = exact.compareTo(new BigDecimal(nearest));
            double r = d == PtxType.F64 ? Floats.directed(nearest, rest, mode.rounding()) : Floats.toOdd(nearest, rest);
            return FloatOps.result(mode, d, r);
        };
    }
}
