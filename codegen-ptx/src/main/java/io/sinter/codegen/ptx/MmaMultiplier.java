// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.WarpOp;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/** Products by tensor cores ({@code mma.sync}): each warp makes a rectangle of the tile. Its sums are handed out through {@link SumStage}. */
final class MmaMultiplier implements GemmMultiplier {
    private final GemmCode g;
    private final GemmSchedule.Math math;
    private final Fragments left;
    private final Fragments right;
    /** Fragments as they are loaded, of even steps and of odd ones. */
    private final List<List<List<Operand>>> leftQuarters;

    private final List<List<List<Operand>>> rightQuarters;
    private final PtxType sumType;
    /** Blocks of rows and of 8 columns of the warp. */
    private final int down;

    private final int across;
    /** Of each block of rows and columns the registers of a fragment. */
    private final List<List<Operand>> sums = new ArrayList<>();

    private final SumStage stage;

    MmaMultiplier(GemmCode g, Panel leftPanel, Panel rightPanel, Reg leftBase, Reg rightBase, Reg memory) {
        this.g = g;
        math = g.schedule.math();
        GemmSchedule.Tile t = g.schedule.tile();
        sumType = math == GemmSchedule.Math.F64 ? PtxType.F64 : PtxType.F32;
        int rows = t.rows() / t.warpsDown();
        int columns = t.columns() / t.warpsAcross();
        Operand warp = g.ints.div(g.thread, 32);
        Operand row = g.ints.mul(g.ints.div(warp, t.warpsAcross()), rows);
        Operand column = g.ints.mul(g.ints.mod(warp, t.warpsAcross()), columns);
        left = new Fragments(g, g.left, leftPanel, leftBase, rows, row);
        right = new Fragments(g, g.right, rightPanel, rightBase, columns, column);
        leftQuarters = List.of(left.registers(), left.registers());
        rightQuarters = List.of(right.registers(), right.registers());
        down = rows / math.shape().m();
        across = columns / math.shape().n();
        int each = math.shape().m() * math.shape().n() / 32;
        for (int i = 0; i < down * across; i++)
            sums.add(g.out.registers(sumType, each).elements());
        stage = new SumStage(g, memory, math.shape().m(), columns, row, column);
    }

    /** Bytes of shared memory that handing out sums takes. */
    static int stageBytes(GemmSchedule s) {
        return SumStage.bytes(s.math().shape().m(), s.math() == GemmSchedule.Math.F64 ? 8 : 4)
                * s.tile().warpsDown()
                * s.tile().warpsAcross();
    }

    @Override
    public void clear() {
        for (List<Operand> f : sums) for (Operand r : f) g.c.scalars.assign(g.kernel.acc(), (Reg) r, g.zero());
    }

    @Override
    public void multiply(Reg leftStage, Reg rightStage) {
        for (int s = 0; s < steps(); s++) {
            load(s, leftStage, rightStage);
            multiply(s, _ -> {});
        }
    }

    /** Steps of an instruction along k that a stage has. */
    int steps() {
        return g.schedule.tile().depth() / math.shape().k();
    }

    /** Blocks of rows of a warp: {@link #multiply(int, IntConsumer)} goes through them. */
    int rowBlocks() {
        return down;
    }

    /**
     * Loads the fragments of a step of a stage. There are registers for two: while one step is multiplied the next one, of this stage or of another, can be
     * loaded, if one of them is odd and one is even.
     */
    void load(int step, Reg leftStage, Reg rightStage) {
        left.load(step, leftStage, leftQuarters.get(step % 2));
        right.load(step, rightStage, rightQuarters.get(step % 2));
    }

    /**
     * Adds the products of a step that was loaded.
     *
     * @param beside writes code that stands behind the products of each block of rows
     */
    void multiply(int step, IntConsumer beside) {
        List<List<Operand>> a = left.operands(leftQuarters.get(step % 2));
        List<List<Operand>> b = right.operands(rightQuarters.get(step % 2));
        // Blocks of the right operand that are loaded together.
        int together = across / b.size();
        for (int i = 0; i < down; i++) {
            for (int j = 0; j < across; j++) {
                List<Operand> y = b.get(j / together);
                int part = y.size() / together;
                mma(i * across + j, a.get(i), y.subList(j % together * part, (j % together + 1) * part));
            }
            beside.accept(i);
        }
    }

    private void mma(int block, List<Operand> a, List<Operand> b) {
        Operand.Vector d = new Operand.Vector(sums.get(block));
        g.out.add(new Matrix.Mma(
                math.shape(),
                false,
                sumType,
                math.type(),
                math.type(),
                sumType,
                d,
                new Operand.Vector(a),
                new Operand.Vector(b),
                d));
    }

    @Override
    public int slices() {
        return down * across * math.shape().n() / SumStage.COLUMNS;
    }

    @Override
    public void expose(int slice) {
        int each = SumStage.COLUMNS / math.shape().n();
        int perRow = across / each;
        int first = slice / perRow * across + slice % perRow * each;
        stage.write(sums.subList(first, first + each));
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
