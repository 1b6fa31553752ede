// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.GemmSchedule.Source;
import io.sinter.codegen.ptx.GemmSchedule.Tile;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.loop.GemmKernel;
import java.util.List;

/**
 * Matrix products and convolutions: one template for every {@link GemmSchedule}. CTAs take tiles in turn, by groups of rows so that those that
 * run together share operands in the L2 cache. Panels of both operands go through shared memory in a ring of stages: while one is multiplied, the
 * next ones come. Then the sums go through the epilogue.
 *
 * <p>Rows and columns beyond the edges are not stored, steps of k beyond the last count as 0. Sums run over k in order, step by step of the
 * multiplying instruction, so neither tiles nor the way that operands take change a bit; {@link GemmSchedule#splits} do, and depend on extents alone.
 */
final class GemmEmitter {
    private static final int ALIGNMENT = 128;

    private final GemmKernel kernel;
    private final GemmSchedule schedule;
    private final Tile tile;
    private final String entry;
    private final int file;
    private final KernelBuilder out;
    private GemmCode g;
    private PanelWriter left;
    private PanelWriter right;
    private GemmMultiplier multiplier;
    private PanelRing ring;
    private int dynamicBytes;

    GemmEmitter(GemmKernel kernel, GemmSchedule schedule, String entry, int file) {
        this.kernel = kernel;
        this.schedule = schedule;
        this.entry = entry;
        this.file = file;
        tile = schedule.tile();
        out = new KernelBuilder(entry);
    }

    PtxKernel emit() {
        out.limits(Kernel.Limits.threads(tile.threads()));
        g = new GemmCode(kernel, schedule, out, file);
        prepare();
        Operand down = g.tiles(g.rows, tile.rows());
        Operand across = g.tiles(g.columns, tile.columns());
        Operand perMatrix = g.c.scalars.mulLong(down, across);
        Operand perSplit = g.c.scalars.mulLong(g.batches, perMatrix);
        Operand count = g.c.scalars.mulLong(perSplit, out.constant(schedule.splits()));
        SumWriter writer = new SumWriter(g, multiplier);
        g.loop(g.special(Operand.Special.CTAID_X), count, g.special(Operand.Special.NCTAID_X), number -> {
            Operand split = out.constant(0);
            Operand inSplit = number;
            if (schedule.splits() > 1) {
                split = g.quotient(number, perSplit);
                inSplit = g.remainder(number, perSplit);
            }
            Operand matrix = g.quotient(inSplit, perMatrix);
            g.decode(kernel.batch(), List.of(matrix));
            TilePlace at = TilePlace.of(g, g.remainder(inSplit, perMatrix), down, across);
            multiplier.clear();
            Operand part = split;
            left.tile(at.row(), () -> right.tile(at.column(), () -> sum(part)));
            // Others may still read panels, whose memory the sums go through.
            out.barrier();
            Operand firstRow = g.c.scalars.mulLong(matrix, g.rows);
            writer.write(at, firstRow, split);
            out.barrier();
        });
        out.ret();
        LaunchRule rule = new LaunchRule.Tiles(
                kernel.batch(),
                kernel.m(),
                kernel.n(),
                kernel.k(),
                schedule,
                kernel.acc().bytes(),
                LaunchRule.MAX_CTAS,
                dynamicBytes);
        PtxKernel next = schedule.splits() == 1 ? null : new GemmFinish(kernel, schedule, entry + "_sum", file).emit();
        return new PtxKernel(out.build(), g.listing(), rule, next, List.of());
    }

    /** Shared memory, and what depends on the thread alone. */
    private void prepare() {
        Panel leftPanel = Panel.of(g.left, schedule, kernel.acc().bytes());
        Panel rightPanel = Panel.of(g.right, schedule, kernel.acc().bytes());
        int leftBytes = leftPanel.stageBytes();
        int rightBytes = rightPanel.stageBytes();
        ring = new PanelRing(g, leftBytes, rightBytes);
        boolean tensor = schedule.math() != GemmSchedule.Math.FMA;
        long all = (long) tile.stages() * (leftBytes + rightBytes);
        if (tensor) all = Math.max(all, MmaMultiplier.stageBytes(schedule));
        dynamicBytes = all > Target.STATIC_SHARED_BYTES ? Math.toIntExact(all) : 0;
        Operand.Symbol memory =
                dynamicBytes > 0 ? new Operand.Symbol(PtxCodegen.DYNAMIC_SHARED) : out.shared("panels", ALIGNMENT, all);
        Reg leftBase = out.mov(PtxType.U32, memory);
        Reg rightBase = out.add(PtxType.U32, leftBase, out.constant((long) tile.stages() * leftBytes));
        left = writer(g.left, leftPanel, leftBase, schedule.left());
        right = writer(g.right, rightPanel, rightBase, schedule.right());
        multiplier = tensor
                ? new MmaMultiplier(g, leftPanel, rightPanel, leftBase, rightBase, leftBase)
                : new FmaMultiplier(g, leftPanel, rightPanel, leftBase, rightBase);
    }

    private PanelWriter writer(GemmOperand o, Panel panel, Reg base, Source source) {
        return switch (source) {
            case CODE -> new CodeWriter(g, o, panel, base);
            case ASYNC -> new AsyncWriter(g, o, panel, base);
            case TENSOR -> throw new IllegalStateException("tensor copies are for wgmma");
        };
    }

    private void sum(Operand split) {
        Operand depth = out.constant(tile.depth());
        Operand from = out.constant(0);
        Operand end = g.depth;
        if (schedule.splits() > 1) {
            Operand steps = g.tiles(g.tiles(g.depth, tile.depth()), schedule.splits());
            Operand part = g.c.scalars.mulLong(steps, depth);
            from = g.c.scalars.mulLong(split, part);
            end = out.min(PtxType.S64, g.c.scalars.addLong(from, part), g.depth);
        }
        if (left instanceof AsyncWriter l
                && right instanceof AsyncWriter r
                && multiplier instanceof MmaMultiplier m
                && m.steps() % 2 == 0) {
            new MmaPipeline(g, ring, l, r, m).sum(from, end);
            return;
        }
        sum(from, end, depth);
    }

    private void sum(Operand from, Operand last, Operand depth) {
        boolean async = left.isAsync() || right.isAsync();
        int ahead = tile.stages() - 1;
        left.begin(from);
        right.begin(from);
        for (int s = 0; s < ahead; s++) {
            Operand k0 = g.c.scalars.addLong(from, out.constant((long) s * tile.depth()));
            PanelRing.Stage stage = ring.stage(s);
            g.c.memory.when(out.setp(Relation.GT, PtxType.S64, last, k0), () -> {
                fetch(k0, stage);
                left.put(stage.left);
                right.put(stage.right);
            });
            if (async) out.add(new AsyncCopy.Commit());
        }
        PanelRing.Stage read = ring.stage(0);
        PanelRing.Stage write = ring.stage(ahead);
        g.loop(from, last, depth, k0 -> {
            if (async) out.add(new AsyncCopy.Wait(ahead - 1));
            // This stage is there for all, and nobody reads the one before any more.
            out.barrier();
            Operand next = g.c.scalars.addLong(k0, out.constant((long) ahead * tile.depth()));
            Reg more = out.setp(Relation.LT, PtxType.S64, next, last);
            g.c.memory.when(more, () -> fetch(next, write));
            if (async) out.add(new AsyncCopy.Commit());
            multiplier.multiply(read.left, read.right);
            if (schedule.left() == Source.CODE || schedule.right() == Source.CODE) {
                g.c.memory.when(more, () -> {
                    left.put(write.left);
                    right.put(write.right);
                });
            }
            read.advance();
            write.advance();
        });
        if (async) out.add(new AsyncCopy.Wait(0));
    }

    private void fetch(Operand k0, PanelRing.Stage stage) {
        left.fetch(k0, stage.left);
        right.fetch(k0, stage.right);
    }
}
