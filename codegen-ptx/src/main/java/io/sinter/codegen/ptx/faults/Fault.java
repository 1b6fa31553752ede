// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.faults;

import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One change of one statement of a kernel.
 *
 * @param kind what sort of mistake it is
 * @param statement position in the kernel's body
 * @param replacement what stands there instead; null: nothing
 * @param site names the statement by the line of IR that it was written for, its opcode, and its number among those of both: survives
 *     changes of other code
 * @param change what was done, in words
 */
public record Fault(Kind kind, int statement, Statement replacement, String site, String change) {
    /** Sorts of mistakes in parallel code. */
    public enum Kind {
        /** Threads do not wait for each other. */
        BARRIER,
        /** An asynchronous operation is not, or not long enough, waited for, or not counted. */
        WAIT,
        /** An instruction is performed, or a branch or choice made, under another condition. */
        PREDICATE,
        /** An address or a number that addresses are made of is off by one element. */
        OFFSET,
        /** Two registers of a vector or fragment are exchanged. */
        FRAGMENT,
        /** A warp's lanes exchange over another distance, in another way, or among others. */
        SHUFFLE,
        /** A result is rounded otherwise. */
        ROUNDING,
        /** Shared memory is accessed in another buffer or stage. */
        STAGE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The kernel with this fault. */
    public Kernel in(Kernel k) {
        List<Statement> body = new ArrayList<>(k.body());
        if (replacement == null) body.remove(statement);
        else body.set(statement, replacement);
        return new Kernel(k.visible(), k.name(), k.parameters(), k.limits(), body);
    }

    /** Kind, site and change: what a proof that the fault makes no difference refers to. */
    @Override
    public String toString() {
        return kind + " " + site + ": " + change;
    }
}
