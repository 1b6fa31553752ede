// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Shape;
import io.sinter.ir.ref.RefArray;

/**
 * A row-major array seen as lines along one axis. Lines are numbered as the elements of the shape without
 * that axis.
 *
 * @param n elements of a line
 * @param inner distance between neighbours of a line: the product of the extents after the axis
 * @param count number of lines
 */
record Lines(int n, int inner, int count) {
    static Lines of(Shape shape, int axis) {
        int inner = 1;
        int outer = 1;
        for (int i = 0; i < axis; i++) outer *= (int) shape.dim(i);
        for (int i = axis + 1; i < shape.rank(); i++) inner *= (int) shape.dim(i);
        return new Lines((int) shape.dim(axis), inner, outer * inner);
    }

    /** Row-major number of element {@code i} of a line. */
    int at(int line, int i) {
        return (line / inner * n + i) * inner + line % inner;
    }

    /** The values of a line. */
    double[] get(RefArray a, int line) {
        double[] v = new double[n];
        for (int i = 0; i < n; i++) v[i] = a.getDouble(at(line, i));
        return v;
    }
}
