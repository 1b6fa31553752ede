// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Var;
import java.util.List;

/** How the elements of attention's blocks lie in the threads of a CTA, and what multiplies blocks. A thread's elements are its rows times its columns. */
interface AttentionCells {
    /**
     * A thread's places along a side of a block, ascending.
     *
     * @param base differs from thread to thread
     * @param offsets from there, the same for all
     */
    record Places(Operand base, int... offsets) {
        int count() {
            return offsets.length;
        }
    }

    /** One side of a product: an expression, the variable of its lines, from which line on, and how many there are. */
    record Lines(Expr value, Var line, Operand from, Operand size) {}

    Places rows();

    Places columns();

    /** Threads of a warp that have a row between them: powers of two that lanes are apart, in the order in which what they have is combined. */
    int[] laneDistances();

    /** Neighbouring threads that add up what is known of one query. */
    int threadsOfQuery();

    /** Adds {@code Σ left[row, step] · right[column, step]} to a block, over all of a variable. */
    void product(Lines left, Lines right, Var step, List<Reg> sums);

    /** What {@link #weighted} is to read next, with the same operands: it may be on its way from now on. */
    void begin(Lines right, Var step, Operand first);

    /** Keeps the weights of one of the thread's rows for {@link #weighted}; rows in their order. */
    void weigh(int row, List<Operand> values);

    /** The weights that were kept of one of the thread's rows, in their order again; others may be kept then. */
    List<Operand> weights(int row);

    /** Adds {@code Σ weights[row, step] · right[step, column]} to a block, over the steps of the block of weights, from {@code first} on. */
    void weighted(Lines right, Var step, Operand first, List<Reg> sums);
}
