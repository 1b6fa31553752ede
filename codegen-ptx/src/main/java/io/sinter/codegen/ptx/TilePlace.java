// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.PtxType;

/** The first row and column of a tile. */
record TilePlace(Operand row, Operand column) {
    /** Rows of tiles that are taken together, so that what runs at a time shares operands in the L2 cache. */
    private static final int GROUP = 8;

    /** The place of a tile of a matrix that has so many tiles down and across. */
    static TilePlace of(GemmCode g, Operand number, Operand down, Operand across) {
        Operand perGroup = g.c.scalars.mulLong(across, g.out.constant(GROUP));
        Operand group = g.quotient(number, perGroup);
        Operand inGroup = g.remainder(number, perGroup);
        Operand first = g.c.scalars.mulLong(group, g.out.constant(GROUP));
        Operand high = g.out.min(PtxType.S64, g.out.sub(PtxType.S64, down, first), g.out.constant(GROUP));
        Operand row = g.c.scalars.addLong(first, g.remainder(inGroup, high));
        Operand column = g.quotient(inGroup, high);
        return new TilePlace(
                g.c.scalars.mulLong(row, g.out.constant(g.schedule.tile().rows())),
                g.c.scalars.mulLong(column, g.out.constant(g.schedule.tile().columns())));
    }
}
