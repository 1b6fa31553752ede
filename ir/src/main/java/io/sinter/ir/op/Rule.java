// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import java.util.List;

/** Checks that type rules share, with their error texts. */
final class Rule {
    private Rule() {}

    /** The operator takes {@code n} operands. */
    static void arity(Op op, List<Type> in, int n) {
        if (in.size() != n) {
            throw OpException.of(
                    op.name(), in, "takes " + n + (n == 1 ? " operand" : " operands") + ", got " + in.size());
        }
    }

    /** {@code axis} is an axis of operand {@code i}. */
    static void axis(Op op, List<Type> in, int i, int axis) {
        int rank = in.get(i).rank();
        if (axis < 0 || axis >= rank) {
            throw OpException.of(
                    op.name(),
                    in,
                    rank == 0
                            ? "axis " + axis + " of a scalar, which has none; reshape it to [1] first"
                            : "axis " + axis + " is outside [0, " + (rank - 1) + "]: the operand has rank " + rank);
        }
    }

    /** All operands have the dtype of the first. */
    static void sameDtype(Op op, List<Type> in) {
        for (Type t : in) {
            if (t.dtype() != in.get(0).dtype()) {
                throw OpException.of(
                        op.name(),
                        in,
                        "dtypes "
                                + in.get(0).dtype()
                                + " and "
                                + t.dtype()
                                + " differ; cast one operand to the other's dtype");
            }
        }
    }

    /** All operands have the shape of the first. */
    static void sameShape(Op op, List<Type> in) {
        for (Type t : in) {
            if (!t.shape().equals(in.get(0).shape())) {
                throw OpException.of(
                        op.name(),
                        in,
                        "shapes "
                                + in.get(0).shape()
                                + " and "
                                + t.shape()
                                + " differ; expand the operands to one shape first");
            }
        }
    }

    /** Operand {@code i} is of a float type. */
    static void isFloat(Op op, List<Type> in, int i) {
        if (!in.get(i).dtype().isFloat()) {
            throw OpException.of(
                    op.name(),
                    in,
                    "needs a floating-point operand, got " + in.get(i).dtype() + "; cast it to f32 first");
        }
    }

    /** Operand {@code i} holds i64 indices. */
    static void isIndex(Op op, List<Type> in, int i) {
        if (in.get(i).dtype() != io.sinter.ir.DType.I64) {
            throw OpException.of(
                    op.name(), in, "indices must be i64, got " + in.get(i).dtype() + "; cast them");
        }
    }
}
