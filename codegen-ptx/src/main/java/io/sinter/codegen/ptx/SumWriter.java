// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Bitwise.LogicOp;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import java.util.List;

/** Writes a tile's sums: through the epilogue, or as a part of sums that a second kernel adds up. */
final class SumWriter {
    private final GemmCode g;
    private final GemmSums sums;
    /** Null if sums are in parts. */
    private final GemmEpilogue epilogue;

    SumWriter(GemmCode g, GemmSums sums) {
        this.g = g;
        this.sums = sums;
        epilogue = g.schedule.splits() == 1 ? new GemmEpilogue(g) : null;
    }

    /**
     * @param firstRow rows of all batches before this one
     * @param split which part of the sum it is
     */
    void write(TilePlace at, Operand firstRow, Operand split) {
        GemmSchedule.Tile tile = g.schedule.tile();
        Operand lastRow = g.c.scalars.addLong(at.row(), g.out.constant(tile.rows()));
        Operand lastColumn = g.c.scalars.addLong(at.column(), g.out.constant(tile.columns()));
        Reg high = g.out.setp(Relation.LE, PtxType.S64, lastRow, g.rows);
        Reg whole = g.out.setp(Relation.LE, PtxType.S64, lastColumn, g.columns, LogicOp.AND, high);
        Reg fast = epilogue == null ? null : epilogue.fast(whole);
        g.loop(sums.slices(), slice -> {
            expose(slice);
            sums.sync();
            g.loop(sums.rounds(), round -> {
                GemmSums.Sums s = sums.sums(slice, round);
                Operand m = g.c.scalars.addLong(at.row(), g.ints.wide(s.row()));
                Operand n = g.c.scalars.addLong(at.column(), g.ints.wide(s.column()));
                if (epilogue == null) partial(firstRow, split, m, n, s.values());
                else epilogue.write(m, n, s.values(), fast);
            });
            if (sums.slices() > 1) sums.sync();
        });
    }

    /** Registers have fixed names: a branch for each slice. */
    private void expose(Reg slice) {
        String end = g.out.newLabel();
        for (int i = 0; i < sums.slices(); i++) {
            String next = g.out.newLabel();
            boolean isLast = i == sums.slices() - 1;
            if (!isLast) g.out.branchIf(g.out.setp(Relation.NE, PtxType.S32, slice, g.out.constant(i)), next);
            sums.expose(i);
            if (!isLast) g.out.branch(end);
            g.out.label(next);
        }
        g.out.label(end);
    }

    private void partial(Operand firstRow, Operand split, Operand m, Operand n, List<Operand> values) {
        Reg low = g.out.setp(Relation.LT, PtxType.S64, m, g.rows);
        Reg inside = g.out.setp(Relation.LT, PtxType.S64, n, g.paddedColumns, LogicOp.AND, low);
        g.c.memory.when(inside, () -> {
            Operand to = g.partial(split, g.c.scalars.addLong(firstRow, m), n);
            PtxType type = GemmFinish.type(g.kernel);
            int chunk = 16 / type.bytes();
            for (int i = 0; i < values.size(); i += chunk) {
                Operand.Vector some = new Operand.Vector(values.subList(i, i + chunk));
                g.out.add(Memory.Store.of(Space.GLOBAL, type, g.out.at(to, (long) i * type.bytes()), some));
            }
        });
    }
}
