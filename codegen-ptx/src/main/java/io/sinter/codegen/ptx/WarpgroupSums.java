// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.WarpOp;
import java.util.ArrayList;
import java.util.List;

/** The sums of a warp of {@code wgmma}: 16 rows of all columns, in fragments of 8 columns as {@code mma.sync} has them. */
final class WarpgroupSums implements GemmSums {
    private static final int ROWS = 16;

    private final GemmCode g;
    private final List<List<Operand>> blocks = new ArrayList<>();
    private final SumStage stage;

    WarpgroupSums(GemmCode g, Operand memory) {
        this.g = g;
        int columns = g.schedule.tile().columns();
        for (int i = 0; i < columns / 8; i++)
            blocks.add(g.out.registers(PtxType.F32, 4).elements());
        Operand row = g.ints.mul(g.ints.div(g.thread, 32), ROWS);
        stage = new SumStage(g, memory, ROWS, columns, row, g.out.constant(0));
    }

    /** Bytes of shared memory for each warp. */
    static int stageBytes() {
        return SumStage.bytes(ROWS, 4);
    }

    Operand.Vector registers() {
        return new Operand.Vector(blocks.stream().flatMap(List::stream).toList());
    }

    void clear() {
        for (List<Operand> b : blocks) for (Operand r : b) g.c.scalars.assign(g.kernel.acc(), (Reg) r, g.zero());
    }

    @Override
    public int slices() {
        return blocks.size() * 8 / SumStage.COLUMNS;
    }

    @Override
    public void expose(int slice) {
        int each = SumStage.COLUMNS / 8;
        stage.write(blocks.subList(slice * each, (slice + 1) * each));
    }

    @Override
    public int rounds() {
        return stage.rounds();
    }

    @Override
    public void sync() {
        g.out.add(new WarpOp.Barrier(g.out.constant(-1)));
    }

    @Override
    public Sums sums(Reg slice, Reg round) {
        return stage.read(slice, round);
    }
}
