// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.GemmSchedule.Tile;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Control;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Matrix;
import io.sinter.codegen.ptx.lang.Mbarrier;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.Synchronization.Fence;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.loop.GemmKernel;
import java.util.List;
import java.util.function.Consumer;

/**
 * Matrix products on Hopper: {@code wgmma} on panels that tensor copies bring. Of three warpgroups the last one's first thread copies, and the others
 * multiply, 64 rows of the tile each, with most of the registers. A ring of stages lies between them, with two mbarriers a stage: one says that its
 * bytes are there, the other one that every multiplying warp has read them. CTAs stay and take tiles in turn, so copies of the next tile go on during an
 * epilogue.
 *
 * <p>Sums run over k in steps of 16, as those of {@code mma.sync} do.
 */
final class WarpgroupEmitter {
    /** Threads of a warpgroup. */
    static final int GROUP = 128;

    private static final int WARPS = 8;
    private static final int ROWS = 64;
    /** What the thread that copies needs, and what 64 × 256 sums over 128 threads need: all 65,536 of a multiprocessor together. */
    private static final int COPYING_REGISTERS = 40;

    private static final int MULTIPLYING_REGISTERS = 232;
    private static final int BARRIER_BYTES = 8;

    private final GemmKernel kernel;
    private final GemmSchedule schedule;
    private final Tile tile;
    private final KernelBuilder out;
    private final int file;
    private GemmCode g;
    private TensorPanel left;
    private TensorPanel right;
    private Operand barriers;
    private Operand down;
    private Operand across;
    private Operand perMatrix;
    private Operand count;

    WarpgroupEmitter(GemmKernel kernel, GemmSchedule schedule, String entry, int file) {
        this.kernel = kernel;
        this.schedule = schedule;
        this.file = file;
        tile = schedule.tile();
        out = new KernelBuilder(entry);
    }

    private static int panelBytes(Tile t) {
        return TensorPanel.stageBytes(t.rows() + t.columns());
    }

    /** Dynamic shared memory: panels, a stage of sums for each warp, barriers. */
    static int sharedBytes(Tile t) {
        return t.stages() * panelBytes(t) + WARPS * WarpgroupSums.stageBytes() + 2 * t.stages() * BARRIER_BYTES;
    }

    PtxKernel emit() {
        out.limits(Kernel.Limits.threads(schedule.threads()).withMinCtas(1));
        g = new GemmCode(kernel, schedule, out, file);
        Operand.Symbol leftMap = out.parameter(TensorBox.MAP_ALIGNMENT, TensorBox.MAP_BYTES);
        Operand.Symbol rightMap = out.parameter(TensorBox.MAP_ALIGNMENT, TensorBox.MAP_BYTES);
        Reg memory = out.mov(PtxType.U32, new Operand.Symbol(PtxCodegen.DYNAMIC_SHARED));
        int leftBytes = TensorPanel.stageBytes(tile.rows());
        left = new TensorPanel(g, g.left, leftMap, memory);
        right = new TensorPanel(g, g.right, rightMap, g.ints.add(memory, (long) tile.stages() * leftBytes));
        Operand stage = g.ints.add(memory, (long) tile.stages() * panelBytes(tile));
        barriers = g.ints.add(stage, (long) WARPS * WarpgroupSums.stageBytes());
        down = g.tiles(g.rows, tile.rows());
        across = g.tiles(g.columns, tile.columns());
        perMatrix = g.c.scalars.mulLong(down, across);
        count = g.c.scalars.mulLong(g.batches, perMatrix);
        WarpgroupSums sums = new WarpgroupSums(g, stage);
        SumWriter writer = new SumWriter(g, sums);
        Operand group = g.ints.div(g.thread, GROUP);
        Reg copies = out.setp(Relation.EQ, PtxType.U32, group, out.constant(WARPS / 4));
        Reg first = out.setp(Relation.EQ, PtxType.U32, g.thread, out.constant(0));
        g.c.memory.when(first, this::initialize);
        out.barrier();
        g.c.memory.when(copies, () -> {
            out.add(new Control.SetMaxRegisters(false, COPYING_REGISTERS));
            Reg one = out.setp(Relation.EQ, PtxType.U32, g.thread, out.constant(WARPS * 32L));
            g.c.memory.when(one, this::copy);
        });
        g.c.memory.when(out.not(PtxType.PRED, copies), () -> {
            out.add(new Control.SetMaxRegisters(true, MULTIPLYING_REGISTERS));
            multiply(sums, writer, group);
        });
        out.ret();
        LaunchRule rule = new LaunchRule.Tiles(
                kernel.batch(),
                kernel.m(),
                kernel.n(),
                kernel.k(),
                schedule,
                kernel.acc().bytes(),
                Target.SM_90A.multiprocessors(),
                sharedBytes(tile));
        return new PtxKernel(out.build(), g.listing(), rule, null, List.of(left.rule(), right.rule()));
    }

    /** The barrier of a stage that says: full, or (every one after those) empty. */
    private Operand barrier(Operand stage, boolean empty) {
        Operand first = g.ints.add(barriers, empty ? (long) tile.stages() * BARRIER_BYTES : 0);
        return g.ints.add(first, g.ints.mul(stage, BARRIER_BYTES));
    }

    private void initialize() {
        for (int s = 0; s < tile.stages(); s++) {
            for (boolean empty : new boolean[] {false, true}) {
                Operand at = barrier(out.constant(s), empty);
                out.add(new Mbarrier.Init(out.at(at), out.constant(empty ? WARPS : 1)));
            }
        }
        out.add(new Fence(Fence.Kind.FENCE_MBARRIER_INIT));
        left.prefetch();
        right.prefetch();
    }

    /** A place in the ring: the number of a stage, and the parity of how often the ring has been gone round. */
    private final class Ring {
        final Reg stage = out.mov(PtxType.B32, out.constant(0));
        final Reg parity;

        Ring(int parity) {
            this.parity = out.mov(PtxType.B32, out.constant(parity));
        }

        void advance() {
            g.ints.advance(stage, 1, tile.stages());
            Reg again = out.setp(Relation.EQ, PtxType.U32, stage, out.constant(0));
            out.assign(
                    PtxType.B32,
                    parity,
                    out.selp(PtxType.B32, out.xor(PtxType.B32, parity, out.constant(1)), parity, again));
        }

        void await(boolean empty) {
            Operand at = barrier(stage, empty);
            String again = out.newLabel();
            Reg done = out.register(PtxType.PRED);
            out.label(again);
            out.add(new Mbarrier.Test(
                    true, true, Memory.Order.NONE, Memory.Scope.NONE, Space.SHARED, done, out.at(at), parity, null));
            out.branchUnless(done, again);
        }
    }

    private void arrive(Operand barrier, Operand bytes) {
        out.add(new Mbarrier.Arrive(
                false,
                bytes != null,
                false,
                Memory.Order.NONE,
                Memory.Scope.NONE,
                Space.SHARED,
                new Operand.Sink(),
                out.at(barrier),
                bytes));
    }

    private void eachTile(Consumer<Work> body) {
        g.loop(g.special(Operand.Special.CTAID_X), count, g.special(Operand.Special.NCTAID_X), number -> {
            Operand matrix = g.quotient(number, perMatrix);
            g.decode(kernel.batch(), List.of(matrix));
            body.accept(new Work(TilePlace.of(g, g.remainder(number, perMatrix), down, across), matrix));
        });
    }

    private record Work(TilePlace at, Operand matrix) {}

    private void copy() {
        Ring ring = new Ring(1);
        eachTile(w -> g.loop(out.constant(0), g.depth, out.constant(tile.depth()), k0 -> {
            ring.await(true);
            Operand full = barrier(ring.stage, false);
            arrive(full, out.constant(panelBytes(tile)));
            left.copy(w.at.row(), k0, g.ints.mul(ring.stage, TensorPanel.stageBytes(tile.rows())), full);
            right.copy(w.at.column(), k0, g.ints.mul(ring.stage, TensorPanel.stageBytes(tile.columns())), full);
            ring.advance();
        }));
    }

    private void multiply(WarpgroupSums sums, SumWriter writer, Operand group) {
        Ring ring = new Ring(0);
        Operand a = left.descriptor(g.ints.mul(group, ROWS));
        Operand b = right.descriptor(out.constant(0));
        Reg leader = out.setp(Relation.EQ, PtxType.U32, g.ints.mod(g.thread, 32), out.constant(0));
        Reg add = out.setp(Relation.EQ, PtxType.U32, out.constant(0), out.constant(0));
        eachTile(w -> {
            sums.clear();
            Reg before = out.mov(PtxType.B32, out.constant(0));
            g.loop(out.constant(0), g.depth, out.constant(tile.depth()), k0 -> {
                ring.await(false);
                out.add(new Matrix.WgmmaFence());
                Operand x = stage(a, ring.stage, tile.rows());
                Operand y = stage(b, ring.stage, tile.columns());
                for (int s = 0; s < tile.depth() / 16; s++) product(sums, step(x, left, s), step(y, right, s), add);
                out.add(new Matrix.WgmmaCommit());
                // While these go on, those of the stage before are awaited and its memory is given back.
                out.add(new Matrix.WgmmaWait(1));
                Reg some = out.setp(Relation.GT, PtxType.S64, k0, out.constant(0));
                giveBack(before, out.and(PtxType.PRED, leader, some));
                out.assign(PtxType.B32, before, ring.stage);
                ring.advance();
            });
            out.add(new Matrix.WgmmaWait(0));
            Reg some = out.setp(Relation.GT, PtxType.S64, g.depth, out.constant(0));
            giveBack(before, out.and(PtxType.PRED, leader, some));
            writer.write(w.at, g.c.scalars.mulLong(w.matrix, g.rows), out.constant(0));
        });
    }

    private void giveBack(Reg stage, Reg when) {
        Operand at = barrier(stage, true);
        out.guarded(Guard.when(when), () -> arrive(at, null));
    }

    private Operand stage(Operand descriptor, Reg stage, int rows) {
        Operand distance = g.ints.mul(stage, TensorPanel.stageBytes(rows) >> 4);
        return out.add(PtxType.S64, descriptor, g.ints.wide(distance));
    }

    private Operand step(Operand descriptor, TensorPanel panel, int step) {
        return step == 0 ? descriptor : out.add(PtxType.S64, descriptor, out.constant((long) step * panel.step()));
    }

    private void product(WarpgroupSums sums, Operand a, Operand b, Reg add) {
        out.add(new Matrix.Wgmma(
                new Matrix.Shape(ROWS, tile.columns(), 16),
                PtxType.F32,
                schedule.math().type(),
                schedule.math().type(),
                sums.registers(),
                a,
                b,
                add,
                1,
                1,
                left.isTransposed(),
                right.isTransposed()));
    }
}
