// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.op.Op;
import java.util.function.Predicate;

/**
 * What a code generator can do with kernels, as far as the compiler asks.
 *
 * @param templates the composites that it has templates for: of {@link Compiler#keptWhole}; the others are decomposed
 * @param largeTasks whether a task may be large: a block of a row kernel's rows, which it also reduces column by column; many short rows; a tile of
 *     crossing operands, which are turned in memory of its own. Enough tasks for the processors of a CPU, too few for those of a GPU
 * @param repeats cost of an element, in multiplications, up to which all kernels that read it compute it, each again from its one large operand: arithmetic
 *     is cheaper, beside memory, on a GPU than on a CPU. What costs more is stored by one of them
 * @param panels whether products of few rows read a right operand in panels of columns where it lies, as {@link
 *     io.sinter.ir.pass.InvariantTransposes} can lay it
 */
public record Capabilities(Predicate<Op> templates, boolean largeTasks, int repeats, boolean panels) {
    /** Everything that there is in loop IR. */
    public static final Capabilities ALL = new Capabilities(Compiler::keptWhole, true, 2, true);
}
