// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.op.Op;
import java.util.function.Predicate;

/**
 * What a code generator can do with kernels, as far as the compiler asks.
 *
 * @param templates the composites that it has templates for: of {@link Compiler#keptWhole}; the others are decomposed
 * @param sumsBesideRows whether a row kernel may reduce blocks of its rows column by column beside what it does in each of them. A task is a block then instead of
 *     a row: enough for the processors of a CPU, too few for those of a GPU
 */
public record Capabilities(Predicate<Op> templates, boolean sumsBesideRows) {
    /** Everything that there is in loop IR. */
    public static final Capabilities ALL = new Capabilities(Compiler::keptWhole, true);
}
