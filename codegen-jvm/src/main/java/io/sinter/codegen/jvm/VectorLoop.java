// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.loop.Var;

/**
 * The vector loop that code is being compiled in: lane {@code l} stands for {@code variable = from + counter
 * + offset + l}.
 *
 * @param variable the loop's variable
 * @param lanes lanes of every vector in the loop
 * @param from first value of the variable in this call (long)
 * @param counter the JVM loop's counter (int)
 * @param offset constant distance of this copy of an unrolled body
 * @param count number of lanes that run (int; at least 1, perhaps more than {@code lanes}), or null: all
 */
public record VectorLoop(Var variable, int lanes, LocalVar from, LocalVar counter, int offset, Code count) {
    boolean isTail() {
        return count != null;
    }

    Species species(io.sinter.ir.DType element) {
        return new Species(element, lanes);
    }
}
