// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.List;

/** Statements of the loop IR. */
public sealed interface Stmt {
    /**
     * Runs {@code body} for each value of {@code var}, in order.
     *
     * <p>{@code VECTOR} promises that iterations are independent but for accumulators declared outside (which are then reduced lane-wise, in a
     * fixed order that depends on the vector width and extent alone), and that the generator may run them several at a time. Loops may
     * nest inside a VECTOR loop (they run with vector values); a VECTOR loop inside a VECTOR loop does not occur.
     *
     * @param limit the loop runs min(extent, limit) times: the last tile of a tiled range ({@code n - t * tile}, an index over outer
     *     variables; may be zero or negative, then the body does not run); null for the whole extent
     */
    record Loop(Var var, Index limit, Kind kind, List<Stmt> body) implements Stmt {
        public Loop(Var var, Kind kind, List<Stmt> body) {
            this(var, null, kind, body);
        }

        public enum Kind {
            SEQ,
            VECTOR,
            /** As SEQ, over one VECTOR loop that is short: generators should not spend more on starting that loop than on running it. */
            ROWS
        }
    }

    /** Defines a local, once per execution of the enclosing body. */
    record Let(Local local, Expr value) implements Stmt {}

    /** Declares an accumulator (or mutable local) with a start value. */
    record Declare(Local local, Expr init) implements Stmt {}

    /** {@code local = local op value}. */
    record Accumulate(Local local, Combine op, Expr value) implements Stmt {}

    /** {@code local = value}: a mutable local carried through a SEQ loop; the local was declared in the same or an outer body, never across a VECTOR loop. */
    record Set(Local local, Expr value) implements Stmt {}

    /**
     * Stores {@code value} (converted to the memory type) at {@code index}; only where {@code mask} is true if there is one (else null). The
     * value is evaluated, with its index checks, whatever the mask is; the index only where it is true.
     */
    record Store(Buf buffer, Index index, Expr value, Expr mask) implements Stmt {
        public Store(Buf buffer, Index index, Expr value) {
            this(buffer, index, value, null);
        }
    }

    /** Runs {@code body} if {@code cond} (uniform: it does not depend on a vector loop's variable). */
    record If(Expr cond, List<Stmt> body) implements Stmt {}

    /** How accumulators combine; all associative and commutative but for rounding. */
    enum Combine {
        SUM,
        PROD,
        /** NaN if any is NaN. */
        MAX,
        MIN
    }
}
