// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Shape;
import java.util.Arrays;

/** Axes and shapes as users give them: negative axes count from the end, one extent may be -1. */
final class Axes {
    private Axes() {}

    /** {@code axis} in [0, rank); a scalar has an axis 0 and -1, as in PyTorch. */
    static int axis(String name, Tensor x, int axis) {
        int rank = Math.max(1, x.rank());
        if (axis < -rank || axis >= rank) {
            throw Errors.argument(
                    name,
                    x,
                    "axis " + axis + " is outside [" + -rank + ", " + (rank - 1) + "]: the operand has rank "
                            + x.rank());
        }
        return axis < 0 ? axis + rank : axis;
    }

    /** A position between axes: in [0, rank]. */
    static int gap(String name, Tensor x, int axis) {
        int rank = x.rank() + 1;
        if (axis < -rank || axis >= rank) {
            throw Errors.argument(name, x, "axis " + axis + " is outside [" + -rank + ", " + (rank - 1) + "]");
        }
        return axis < 0 ? axis + rank : axis;
    }

    /** Several different axes, ascending; all axes if {@code axes} is empty. */
    static int[] axes(String name, Tensor x, int... axes) {
        if (axes.length == 0) return all(x.rank());
        int[] r = new int[axes.length];
        for (int i = 0; i < r.length; i++) r[i] = axis(name, x, axes[i]);
        Arrays.sort(r);
        for (int i = 1; i < r.length; i++) {
            if (r[i] == r[i - 1])
                throw Errors.argument(name, x, "axis " + r[i] + " is given twice in " + Arrays.toString(axes));
        }
        return r;
    }

    static int[] all(int rank) {
        int[] r = new int[rank];
        for (int i = 0; i < rank; i++) r[i] = i;
        return r;
    }

    static long[] longs(int... values) {
        long[] r = new long[values.length];
        for (int i = 0; i < r.length; i++) r[i] = values[i];
        return r;
    }

    static Shape shape(String name, long... dims) {
        try {
            return Shape.of(dims);
        } catch (IllegalArgumentException e) {
            throw Errors.argument(name + ": " + e.getMessage());
        }
    }

    /** {@code dims} for {@code x}'s elements; one extent may be -1 and is then computed. */
    static Shape inferred(String name, Tensor x, long... dims) {
        long[] d = dims.clone();
        int unknown = -1;
        long known = 1;
        for (int i = 0; i < d.length; i++) {
            if (d[i] == -1) {
                if (unknown >= 0)
                    throw Errors.argument(
                            name, x, "two extents of " + Arrays.toString(dims) + " are -1; only one can be computed");
                unknown = i;
            } else if (d[i] < 0) {
                throw Errors.argument(name, x, "negative extent in " + Arrays.toString(dims));
            } else {
                known *= d[i];
            }
        }
        long n = x.numel();
        if (unknown >= 0 && known != 0 && n % known == 0) d[unknown] = n / known;
        else if (unknown >= 0 || known != n) {
            throw Errors.argument(
                    name,
                    x,
                    "shape " + Arrays.toString(dims) + " does not hold " + n + " elements"
                            + (unknown >= 0 && known == 0
                                    ? ": an extent of -1 is not determined beside an extent 0"
                                    : ""));
        }
        return Shape.of(d);
    }
}
