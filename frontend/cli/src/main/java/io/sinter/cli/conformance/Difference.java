// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.Tensor;
import io.sinter.ir.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Compares what Sinter returned with what PyTorch did. */
final class Difference {
    private Difference() {}

    /** Allowed differences: integers and bool must be equal. */
    static Registry.Tolerance standard(DType d) {
        return switch (d) {
            case F64 -> new Registry.Tolerance(1e-7, 1e-7, "");
            case F32 -> new Registry.Tolerance(1e-5, 1e-5, "");
            case F16 -> new Registry.Tolerance(1e-3, 1e-3, "half precision");
            case BF16 -> new Registry.Tolerance(1.6e-2, 1e-3, "eight bits of mantissa");
            case I64, I32, I16, I8, U8, BOOL -> new Registry.Tolerance(0, 0, "");
        };
    }

    /** Flattens lists, arrays, records and maps to their tensors and numbers. */
    static List<Object> flatten(Object o) {
        List<Object> r = new ArrayList<>();
        flatten(o, r);
        return r;
    }

    private static void flatten(Object o, List<Object> r) {
        switch (o) {
            case null -> r.add(null);
            case Iterable<?> many -> many.forEach(x -> flatten(x, r));
            case Object[] many -> Arrays.stream(many).forEach(x -> flatten(x, r));
            case long[] many -> Arrays.stream(many).forEach(r::add);
            case Record rec -> {
                for (var c : rec.getClass().getRecordComponents()) {
                    try {
                        flatten(c.getAccessor().invoke(rec), r);
                    } catch (ReflectiveOperationException e) {
                        throw new IllegalStateException(
                                "cannot read " + rec.getClass().getName() + "." + c.getName(), e);
                    }
                }
            }
            default -> r.add(o);
        }
    }

    /** Null if equal within the tolerance, else what differs, with the numbers. */
    static String between(String what, Object actual, Object expected, Registry.Tolerance wider) {
        if (expected instanceof Tensor e) {
            if (!(actual instanceof Tensor a)) return what + ": " + actual + " instead of a tensor " + e.type();
            return tensors(what, a, e, wider);
        }
        if (expected instanceof Number e && actual instanceof Number a) {
            Registry.Tolerance t =
                    e instanceof Long ? standard(DType.I64) : wider != null ? wider : standard(DType.F32);
            return close(a.doubleValue(), e.doubleValue(), t) ? null : what + ": " + a + " instead of " + e;
        }
        boolean same = expected == null ? actual == null : expected.equals(actual);
        return same ? null : what + ": " + actual + " instead of " + expected;
    }

    private static String tensors(String what, Tensor a, Tensor e, Registry.Tolerance wider) {
        if (!a.type().equals(e.type())) return what + ": " + a.type() + " instead of " + e.type();
        if (!e.dtype().isFloat()) {
            long[] got = a.toLongs();
            long[] want = e.toLongs();
            int wrong = 0;
            int first = -1;
            for (int i = 0; i < want.length; i++) {
                if (got[i] == want[i]) continue;
                if (wrong++ == 0) first = i;
            }
            if (wrong == 0) return null;
            return what + " " + e.type() + ": " + wrong + " of " + want.length + " differ, first at " + first + ": "
                    + got[first] + " instead of " + want[first];
        }
        Registry.Tolerance t = wider != null ? wider : standard(e.dtype());
        double[] got = a.toDoubles();
        double[] want = e.toDoubles();
        int wrong = 0;
        int worst = -1;
        double most = -1;
        for (int i = 0; i < want.length; i++) {
            if (close(got[i], want[i], t)) continue;
            wrong++;
            double d = Math.abs(got[i] - want[i]) / (t.absolute() + t.relative() * Math.abs(want[i]));
            if (Double.isNaN(d)) d = Double.POSITIVE_INFINITY;
            if (d > most) {
                most = d;
                worst = i;
            }
        }
        if (wrong == 0) return null;
        return String.format(
                Locale.ROOT,
                "%s %s: %d of %d differ, worst at %d: %.9g instead of %.9g (%.1f times the tolerance)",
                what,
                e.type(),
                wrong,
                want.length,
                worst,
                got[worst],
                want[worst],
                most);
    }

    private static boolean close(double a, double e, Registry.Tolerance t) {
        if (a == e || Double.isNaN(a) && Double.isNaN(e)) return true;
        if (Double.isInfinite(e)) return false;
        return Math.abs(a - e) <= t.absolute() + t.relative() * Math.abs(e);
    }
}
