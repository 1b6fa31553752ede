// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import java.util.List;

/**
 * The finished sums of a tile in the registers of its threads. They are handed out in slices, of which each thread gets 4 neighbouring columns of a row,
 * once or several times. A slice is made available by code of its own; what follows is written once for all of them.
 */
interface GemmSums {
    /** Number of slices. */
    int slices();

    /** Makes a slice available. */
    void expose(int slice);

    /** How often each thread gets sums of a slice. */
    int rounds();

    /** What the threads that share slices do before they read one, and after. */
    void sync();

    /**
     * Sums of the slice that was exposed.
     *
     * @param row within the tile
     * @param column within the tile, of the first of 4
     */
    record Sums(Operand row, Operand column, List<Operand> values) {}

    /** The sums that a thread gets in a round of a slice, whose numbers are in registers. */
    Sums sums(Reg slice, Reg round);
}
