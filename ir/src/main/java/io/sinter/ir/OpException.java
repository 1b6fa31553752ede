// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import java.util.List;

/**
 * An operator was given operands that it does not take: shapes, dtypes or attributes. The message names the operator, every operand's
 * type, what is wrong and what to do; the frontend adds the user's source line.
 */
public final class OpException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    public OpException(String message) {
        super(message);
    }

    /** The usual form: {@code matmul(f32[2,3], f32[4,5]): inner extents 3 and 4 differ; …}. */
    public static OpException of(String op, List<Type> operands, String problem) {
        StringBuilder b = new StringBuilder(op).append('(');
        for (int i = 0; i < operands.size(); i++) b.append(i == 0 ? "" : ", ").append(operands.get(i));
        return new OpException(b.append("): ").append(problem).toString());
    }

    /** The same with the problem as a format, of {@code %s} only. */
    public static OpException of(String op, List<Type> operands, String format, Object... arguments) {
        return of(op, operands, String.format(java.util.Locale.ROOT, format, arguments));
    }
}
