// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;

/**
 * Convolutions of f32 with two spatial axes, and their gradients, by fused multiply-adds, to the bit: every sum goes along its channels or matrices, rows and
 * columns, in this order; what is beyond an edge counts as 0.
 */
record ConvModel(long[] stride, long[] padLow, long[] dilation) {
    /** What a sum adds up, at the places of its three variables. */
    private interface Term {
        /** The sum with one product more. */
        float added(float sum, int a, int b, int c);
    }

    private static float sum(int[] extents, Term term) {
        float s = 0;
        for (int a = 0; a < extents[0]; a++)
            for (int b = 0; b < extents[1]; b++) for (int c = 0; c < extents[2]; c++) s = term.added(s, a, b, c);
        return s;
    }

    private static int dim(Type t, int axis) {
        return Math.toIntExact(t.dim(axis));
    }

    /** An element of four axes; 0 where there is none. */
    private static float at(RefArray x, int a, int b, int c, int d) {
        Type t = x.type();
        if (c < 0 || c >= t.dim(2) || d < 0 || d >= t.dim(3)) return 0;
        return (float) x.getDouble(((a * dim(t, 1) + b) * dim(t, 2) + c) * dim(t, 3) + d);
    }

    /** The place of an input that a tap of an output's window meets. */
    private int input(int axis, int output, int tap) {
        return Math.toIntExact(output * stride[axis] - padLow[axis] + tap * dilation[axis]);
    }

    /** The place of the output whose window has an input under a tap; −1 if there is none. */
    private int output(int axis, int input, int tap) {
        long from = input + padLow[axis] - tap * dilation[axis];
        return from >= 0 && from % stride[axis] == 0 ? Math.toIntExact(from / stride[axis]) : -1;
    }

    private interface Element {
        float at(int a, int b, int c, int d);
    }

    private static RefArray all(Type t, Element e) {
        int d = dim(t, 3);
        int c = dim(t, 2) * d;
        int b = dim(t, 1) * c;
        return RefArray.of(t, i -> e.at(i / b, i % b / c, i % c / d, i % d));
    }

    RefArray forward(RefArray x, RefArray w, Type y, float bias) {
        int[] sums = {dim(w.type(), 1), dim(w.type(), 2), dim(w.type(), 3)};
        return all(
                y,
                (n, o, r, s) -> bias
                        + sum(
                                sums,
                                (all, c, i, j) ->
                                        Math.fma(at(w, o, c, i, j), at(x, n, c, input(0, r, i), input(1, s, j)), all)));
    }

    RefArray byInput(RefArray dy, RefArray w, Type x, float bias) {
        int[] sums = {dim(w.type(), 0), dim(w.type(), 2), dim(w.type(), 3)};
        return all(
                x,
                (n, c, r, s) -> bias
                        + sum(
                                sums,
                                (all, o, i, j) -> Math.fma(
                                        at(w, o, c, i, j), at(dy, n, o, output(0, r, i), output(1, s, j)), all)));
    }

    RefArray byWeight(RefArray x, RefArray dy, Type w) {
        int[] sums = {dim(dy.type(), 0), dim(dy.type(), 2), dim(dy.type(), 3)};
        return all(
                w,
                (o, c, i, j) -> sum(
                        sums,
                        (all, n, r, s) ->
                                Math.fma(at(dy, n, o, r, s), at(x, n, c, input(0, r, i), input(1, s, j)), all)));
    }
}
