// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

/** Type of a value: element type and shape. Every value of the trace IR is dense and row-major; strides exist only below it. */
public record Type(DType dtype, Shape shape) {
    public static Type of(DType dtype, long... dims) {
        return new Type(dtype, Shape.of(dims));
    }

    public static Type scalar(DType dtype) {
        return new Type(dtype, Shape.SCALAR);
    }

    public long numel() {
        return shape.numel();
    }

    /** Bytes of a dense buffer of this type. */
    public long bytes() {
        return shape.numel() * dtype.bytes();
    }

    public int rank() {
        return shape.rank();
    }

    public long dim(int axis) {
        return shape.dim(axis);
    }

    public Type with(Shape s) {
        return new Type(dtype, s);
    }

    public Type with(DType d) {
        return new Type(d, shape);
    }

    // By hand, as tracing compares types all the time: what a record has by itself is slow until HotSpot has compiled
    // it.

    @Override
    public boolean equals(Object o) {
        return o == this || o instanceof Type t && dtype == t.dtype && shape.equals(t.shape);
    }

    @Override
    public int hashCode() {
        return 31 * dtype.ordinal() + shape.hashCode();
    }

    /** As in the text form: {@code f32[32,1024]}. */
    @Override
    public String toString() {
        return dtype + shape.toString();
    }
}
