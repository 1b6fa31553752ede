// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.LocalVar;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Var;
import java.util.Set;

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
 * @param kind which lanes those are
 */
public record VectorLoop(Var variable, int lanes, LocalVar from, LocalVar counter, int offset, Code count, Tail kind) {
    /** Where the lanes are that run, if not all do. */
    enum Tail {
        /** The first ones; the others are beyond the end. */
        FIRST,
        /** The first ones, as many in all tails of the method: {@code count} is a variable set in its outermost scope. */
        FIRST_ALIKE,
        /** The last ones, likewise; the others have run before, so their elements may be read again. */
        LAST_ALIKE
    }

    VectorLoop(Var variable, int lanes, LocalVar from, LocalVar counter, int offset, Code count) {
        this(variable, lanes, from, counter, offset, count, Tail.FIRST);
    }

    boolean isTail() {
        return count != null;
    }

    /** Whether there are elements for all lanes. */
    boolean readsAll() {
        return count == null || kind == Tail.LAST_ALIKE;
    }

    /** What the masks of a tail depend on. */
    Facts.Fact tail() {
        return kind != Tail.FIRST ? Facts.Fact.NONE : new Facts.Fact(Set.of(variable), Set.of(), Facts.Motion.FREE);
    }

    Species species(io.sinter.ir.DType element) {
        return new Species(element, lanes);
    }
}
