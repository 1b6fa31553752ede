// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;

/** Values at which elementwise functions go wrong. */
final class ElementSamples {
    private static final double[] FLOATS = {
        0.0,
        -0.0,
        1,
        -1,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        0.1,
        -0.1,
        1e-3,
        -1e-3,
        1e-6,
        3.7,
        -3.7,
        8,
        -8,
        12,
        20,
        -20,
        100,
        -100,
        1000.5,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        Double.NaN
    };
    private static final long[] LONGS = {
        0,
        1,
        -1,
        2,
        -2,
        3,
        7,
        -8,
        31,
        63,
        100,
        127,
        -128,
        200,
        255,
        32767,
        -32768,
        1L << 31,
        Long.MIN_VALUE,
        Long.MAX_VALUE
    };

    private ElementSamples() {}

    /** A vector of edge cases of the dtype. */
    static RefArray edges(DType t) {
        if (t.isFloat()) return RefArray.of(t, Shape.of(FLOATS.length), FLOATS);
        return RefArray.ofLongs(t, Shape.of(LONGS.length), LONGS);
    }

    /** All pairs of edge cases, as two operands of one shape: {@code second} chooses which. */
    static RefArray pairs(DType t, boolean second) {
        RefArray e = edges(t);
        int n = e.size();
        RefArray r = RefArray.zeros(Type.of(t, n, n));
        for (int i = 0; i < n * n; i++) r.copy(i, e, second ? i % n : i / n);
        return r;
    }
}
