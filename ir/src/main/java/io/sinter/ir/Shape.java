// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import java.util.Arrays;

/** The extents of a tensor, outermost first; immutable, with value equality. The empty shape is a scalar. */
public final class Shape {
    public static final Shape SCALAR = new Shape(new long[0]);

    private final long[] dims;

    private Shape(long[] dims) {
        this.dims = dims;
    }

    /**
     * A shape of these extents (copied).
     *
     * @throws IllegalArgumentException if an extent is negative or the number of elements overflows a long
     */
    public static Shape of(long... dims) {
        if (dims.length == 0) return SCALAR;
        long n = 1;
        for (long d : dims) {
            if (d < 0) throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(dims));
            if (n != 0 && d != 0 && n > Long.MAX_VALUE / d) {
                throw new IllegalArgumentException("too many elements in shape " + Arrays.toString(dims));
            }
            n *= d;
        }
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    public long dim(int axis) {
        return dims[axis];
    }

    /** Number of elements; 1 for a scalar. */
    public long numel() {
        long n = 1;
        for (long d : dims) n *= d;
        return n;
    }

    public long[] toArray() {
        return dims.clone();
    }

    /** Row-major (C-contiguous) strides, in elements. */
    public long[] strides() {
        long[] s = new long[dims.length];
        long n = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            s[i] = n;
            n *= dims[i];
        }
        return s;
    }

    /** This shape with {@code axis} replaced by {@code extent}. */
    public Shape with(int axis, long extent) {
        long[] d = dims.clone();
        d[axis] = extent;
        return of(d);
    }

    /** This shape without {@code axes} (which must be in range; order does not matter). */
    public Shape without(int... axes) {
        boolean[] drop = new boolean[dims.length];
        for (int a : axes) drop[a] = true;
        long[] d = new long[dims.length];
        int n = 0;
        for (int i = 0; i < dims.length; i++) if (!drop[i]) d[n++] = dims[i];
        return of(Arrays.copyOf(d, n));
    }

    /** This shape with an extent inserted before {@code axis}. */
    public Shape insert(int axis, long extent) {
        long[] d = new long[dims.length + 1];
        System.arraycopy(dims, 0, d, 0, axis);
        d[axis] = extent;
        System.arraycopy(dims, axis, d, axis + 1, dims.length - axis);
        return of(d);
    }

    @Override
    public boolean equals(Object o) {
        return o == this || o instanceof Shape s && Arrays.equals(dims, s.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    /** As in the text form: {@code [32,1024]}. */
    @Override
    public String toString() {
        StringBuilder b = new StringBuilder("[");
        for (int i = 0; i < dims.length; i++) b.append(i == 0 ? "" : ",").append(dims[i]);
        return b.append(']').toString();
    }
}
