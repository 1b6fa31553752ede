// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import java.util.List;

/** Compares results of a backend with the reference evaluator's. */
public final class Closeness {
    /**
     * The element that is farthest from what it should be.
     *
     * @param result number of the result
     * @param element row-major number of the element
     * @param error {@code |got - want|} in units of the greatest magnitude among the finite elements of the result (1 at least)
     */
    public record Difference(int result, int element, double got, double want, double error) {
        @Override
        public String toString() {
            return "result " + result + ", element " + element + ": " + got + " instead of " + want;
        }
    }

    private Closeness() {}

    /** What floats of a dtype may differ by, as {@link Difference#error} counts; integers must be equal. */
    public static double tolerance(DType dtype) {
        return switch (dtype) {
            case F64 -> 1e-10;
            case F32 -> 1e-4;
            case F16 -> 1e-2;
            case BF16 -> 5e-2;
            case I64, I32, I16, I8, U8, BOOL -> 0;
        };
    }

    /**
     * The worst difference beyond the tolerance; null if there is none. NaN equals NaN.
     *
     * @throws IllegalArgumentException if numbers or types of the results differ
     */
    public static Difference worst(List<RefArray> got, List<RefArray> want) {
        return worst(got, want, 1);
    }

    /**
     * As {@link #worst(List, List)}.
     *
     * @param slack how many tolerances floats may differ by; 0 where nothing is rounded
     */
    public static Difference worst(List<RefArray> got, List<RefArray> want, double slack) {
        if (got.size() != want.size())
            throw new IllegalArgumentException(got.size() + " results instead of " + want.size());
        Difference worst = null;
        for (int r = 0; r < want.size(); r++) {
            RefArray g = got.get(r);
            RefArray w = want.get(r);
            if (!g.type().equals(w.type()))
                throw new IllegalArgumentException("result " + r + " is " + g.type() + ", not " + w.type());
            Difference d = w.dtype().isFloat() ? floats(r, g, w, slack) : integers(r, g, w);
            if (d != null && (worst == null || d.error > worst.error)) worst = d;
        }
        return worst;
    }

    private static Difference integers(int r, RefArray g, RefArray w) {
        for (int i = 0; i < w.size(); i++) {
            if (g.getLong(i) == w.getLong(i)) continue;
            return new Difference(r, i, g.getLong(i), w.getLong(i), Math.abs(g.getDouble(i) - w.getDouble(i)));
        }
        return null;
    }

    private static Difference floats(int r, RefArray g, RefArray w, double slack) {
        double scale = 1;
        for (int i = 0; i < w.size(); i++)
            if (Double.isFinite(w.getDouble(i))) scale = Math.max(scale, Math.abs(w.getDouble(i)));
        Difference worst = null;
        for (int i = 0; i < w.size(); i++) {
            double x = g.getDouble(i);
            double y = w.getDouble(i);
            if (x == y || Double.isNaN(x) && Double.isNaN(y)) continue;
            double error = Math.abs(x - y) / scale;
            if (error <= slack * tolerance(w.dtype())) continue;
            if (Double.isNaN(error)) error = Double.POSITIVE_INFINITY;
            if (worst == null || error > worst.error) worst = new Difference(r, i, x, y, error);
        }
        return worst;
    }
}
