// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import java.util.List;

/** Operators on elements at one position: all operands and the result have one shape. */
public sealed interface Elementwise extends Op permits Unary, Binary, Where, Cast, Bitcast {
    /**
     * The operator as scalar code of the loop IR.
     *
     * @param operands values of the operands, in the register types of their dtypes ({@link
     *     DType#compute})
     * @param in dtype of the first operand in memory (of the second for {@link Where}, whose first
     *     is bool)
     * @param out dtype of the result in memory
     * @return an expression of type {@code out.compute()}, already wrapped to the width of {@code
     *     out} where that is a narrow integer
     */
    Expr scalar(List<Expr> operands, DType in, DType out);
}
