// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import java.util.ArrayList;
import java.util.List;

/**
 * Shared memory through which a warp's sums go from fragments, in which a lane has 2 columns of several rows, to rows, of which each lane gets 4
 * neighbouring columns: so epilogues load and store runs. Slices are one block of rows and 32 columns; each warp has its own memory.
 */
final class SumStage {
    static final int COLUMNS = 32;
    /** Elements of a row: half-warps write pairs, and quarter-warps read fours, of different banks. */
    private static final int PITCH = COLUMNS + 8;

    private static final int EACH = 4;

    private final GemmCode g;
    private final int rows;
    private final int perRow;
    private final int bytes;
    private final PtxType type;
    private final Operand row;
    private final Operand column;
    private final Operand lane;
    private final Operand writing;
    private final Operand reading;

    /** Bytes for each warp. */
    static int bytes(int rows, int elementBytes) {
        return rows * PITCH * elementBytes;
    }

    /**
     * @param memory of all warps
     * @param rows of a block
     * @param columns of the warp
     * @param row the warp's first row in the tile
     * @param column its first column
     */
    SumStage(GemmCode g, Operand memory, int rows, int columns, Operand row, Operand column) {
        this.g = g;
        this.rows = rows;
        this.row = row;
        this.column = column;
        perRow = columns / COLUMNS;
        type = ScalarEmitter.type(g.kernel.acc());
        bytes = type.bytes();
        lane = g.ints.mod(g.thread, 32);
        Operand mine = g.ints.add(memory, g.ints.mul(g.ints.div(g.thread, 32), bytes(rows, bytes)));
        Operand pair = g.ints.add(g.ints.mul(g.ints.div(lane, 4), PITCH), g.ints.mul(g.ints.mod(lane, 4), 2));
        Operand four = g.ints.add(g.ints.mul(g.ints.div(lane, 8), PITCH), g.ints.mul(g.ints.mod(lane, 8), EACH));
        writing = g.ints.add(mine, g.ints.mul(pair, bytes));
        reading = g.ints.add(mine, g.ints.mul(four, bytes));
    }

    /** Writes the fragments of a slice's blocks of 8 columns: pairs of row {@code lane / 4}, then of the row 8 further. */
    void write(List<List<Operand>> blocks) {
        for (int b = 0; b < blocks.size(); b++) {
            List<Operand> f = blocks.get(b);
            for (int i = 0; i < f.size(); i += 2) {
                long element = (long) i / 2 * 8 * PITCH + 8L * b;
                g.out.store(
                        Space.SHARED,
                        type,
                        g.out.at(writing, element * bytes),
                        new Operand.Vector(f.subList(i, i + 2)));
            }
        }
    }

    /** A round takes 4 rows. */
    int rounds() {
        return rows / 4;
    }

    GemmSums.Sums read(Reg slice, Reg round) {
        Operand at = g.ints.add(reading, g.ints.mul(round, (long) 4 * PITCH * bytes));
        List<Operand> values = new ArrayList<>();
        int chunk = 16 / bytes;
        for (int i = 0; i < EACH; i += chunk) {
            values.addAll(g.out.load(Space.SHARED, type, chunk, g.out.at(at, (long) i * bytes))
                    .elements());
        }
        Operand blockRow = g.ints.add(row, g.ints.mul(g.ints.div(slice, perRow), rows));
        Operand r = g.ints.add(blockRow, g.ints.add(g.ints.mul(round, 4), g.ints.div(lane, 8)));
        Operand blockColumn = g.ints.add(column, g.ints.mul(g.ints.mod(slice, perRow), COLUMNS));
        Operand first = g.ints.add(blockColumn, g.ints.mul(g.ints.mod(lane, 8), EACH));
        return new GemmSums.Sums(r, first, values);
    }
}
