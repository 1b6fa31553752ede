// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/** Checks of layers' settings. */
final class Check {
    private Check() {}

    static void positive(String what, long value) {
        if (value < 1) throw new IllegalArgumentException(what + " must be positive, not " + value);
    }

    static void notNegative(String what, long value) {
        if (value < 0) throw new IllegalArgumentException(what + " must not be negative, not " + value);
    }

    static long[] count(String what, long[] values, int n) {
        if (values.length != n)
            throw new IllegalArgumentException(what + " has " + values.length + " extents, not " + n);
        return values;
    }

    static void rank(String layer, Tensor x, int least, int most) {
        if (x.rank() < least || x.rank() > most) {
            throw new IllegalArgumentException(layer + "(" + x.type() + "): the input must have " + least
                    + (least == most ? "" : " or " + most) + " axes");
        }
    }

    static void extent(String layer, Tensor x, int axis, long extent) {
        if (x.size(axis) != extent) {
            throw new IllegalArgumentException(layer + "(" + x.type() + "): axis " + axis + " must have extent "
                    + extent + ", not " + x.size(axis));
        }
    }

    static void probability(String what, double p) {
        if (!(p >= 0 && p <= 1)) throw new IllegalArgumentException(what + ": probability " + p + " is not in [0, 1]");
    }

    static void divides(String what, long part, long whole) {
        if (part < 1 || whole % part != 0)
            throw new IllegalArgumentException(what + ": " + whole + " is not divisible by " + part);
    }
}
