// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.AttentionHeads.Source;
import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/** What the kernels of attention with whole heads ({@link AttentionHeads}) have in common: a CTA takes blocks of lines in turn, each of one head. */
abstract class AttentionHeadsKernel {
    static final float LOG2_E = (float) (1 / Math.log(2));

    /** Bytes of what is known of a query for the gradients: two floats. */
    static final int STATISTICS = 8;

    final AttentionKernel kernel;
    final AttentionSchedule schedule;
    final KernelBuilder out;
    private final AttentionCode all;
    /** Tiles of 16 rows of each warp, and rows of a CTA. */
    final int tiles;

    final int rows;

    AttentionHeadsKernel(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        this.kernel = kernel;
        this.schedule = schedule;
        out = new KernelBuilder(entry);
        all = new AttentionCode(kernel, schedule, out, file);
        rows = schedule.rows();
        tiles = rows / (AttentionHeads.WARPS * AttentionHeads.TILE);
    }

    /** Bytes of a CTA's rows. */
    long rowBytes() {
        return 2L * rows * schedule.features();
    }

    /** Code for a block of rows of a head. */
    abstract void block(Operand batch, Operand row0);

    /**
     * Writes the kernel. Of causal attention the blocks that meet most others come first, of all heads, so that what is left at the end is short.
     *
     * @param line the variable of the rows
     * @param last whether those are the last ones
     */
    PtxKernel emit(Var line, boolean last, LaunchRule rule, PtxKernel next) {
        Reg number = out.mov(PtxType.B64, all.special(Operand.Special.CTAID_X));
        String again = out.newLabel();
        String exit = out.newLabel();
        out.label(again);
        // Everything is computed for each block anew: what a loop over blocks would keep in registers, sums need.
        AttentionCode g = all.anew();
        Operand down = blocks(g, line);
        Operand batches = batches(g);
        out.branchIf(out.setp(Relation.GE, PtxType.S64, number, g.scalars.mulLong(batches, down)), exit);
        ScalarEmitter.Divisor by = g.scalars.divisor(kernel.causal() ? batches : down);
        Operand quotient = g.scalars.quotient(number, by);
        Operand rest = g.scalars.rest(number, quotient, by);
        Operand block = kernel.causal() ? quotient : rest;
        if (kernel.causal() && last) block = out.sub(PtxType.S64, g.scalars.addLong(down, out.constant(-1)), quotient);
        // Nobody reads the last block any more.
        out.barrier();
        block(kernel.causal() ? rest : quotient, g.scalars.mulLong(block, out.constant(rows)));
        out.assign(PtxType.B64, number, out.add(PtxType.S64, number, all.special(Operand.Special.NCTAID_X)));
        out.branch(again);
        out.label(exit);
        out.ret();
        String listing = KernelText.print(kernel) + "// " + schedule.note() + "\n";
        return new PtxKernel(out.build(), listing, rule, next, List.of());
    }

    private Operand blocks(AttentionCode g, Var line) {
        Operand up = g.scalars.addLong(g.extent(line), out.constant(rows - 1));
        return out.shr(PtxType.U64, up, out.constant(Integer.numberOfTrailingZeros(rows)));
    }

    private Operand batches(AttentionCode g) {
        Operand batches = out.constant(1);
        for (Var v : kernel.batch()) batches = g.scalars.mulLong(batches, g.extent(v));
        return batches;
    }

    /** A row of a thread in a tile is the first or the second of these. */
    static int cell(int half, int i) {
        return i / 2 * 4 + 2 * half + i % 2;
    }

    /** The code for a block of rows. */
    abstract class Block {
        final AttentionCode g;
        final AttentionHeads h;
        final IntCode ints;
        final Operand batch;
        final Operand row0;
        /** Shared memory. */
        final Reg base;
        /** The warp's first row in the block. */
        final Operand warpRow;

        final Reg zero;

        Block(Operand batch, Operand row0, Operand.Symbol memory) {
            g = all.anew();
            h = new AttentionHeads(g, schedule);
            ints = h.ints;
            this.batch = batch;
            this.row0 = row0;
            LoopEmitter.bind(g.c, kernel.batch(), batch);
            base = out.mov(PtxType.U32, memory);
            warpRow = ints.mul(h.warp, (long) AttentionHeads.TILE * tiles);
            zero = out.mov(PtxType.F32, g.zero());
        }

        /** The same for code from here on. */
        AttentionCode anew() {
            AttentionCode again = g.anew();
            LoopEmitter.bind(again.c, kernel.batch(), batch);
            return again;
        }

        Reg scale(AttentionCode g) {
            return g.scalars.register(DType.F32, g.c.value(g.scale).lane(0));
        }

        /** The thread's row of a tile. */
        Operand row(int t, int half) {
            Operand within = ints.add(ints.add(warpRow, h.laneRow), (long) AttentionHeads.TILE * t + 8L * half);
            return g.scalars.addLong(row0, ints.wide(within));
        }

        /** The fragments of the warp's rows in shared memory: by tiles and steps. */
        List<List<List<Operand>>> fragments(Operand block) {
            Operand place = h.leftRows(block, warpRow);
            List<List<List<Operand>>> all = new ArrayList<>();
            for (int t = 0; t < tiles; t++) {
                List<List<Operand>> steps = new ArrayList<>();
                for (int s = 0; s < h.features / AttentionHeads.TILE; s++)
                    steps.add(h.matrices(h.along(place, s), AttentionHeads.TILE * t, false));
                all.add(steps);
            }
            return all;
        }

        /** Sums for a result, all 0. */
        List<List<Reg>> results() {
            List<List<Reg>> all = new ArrayList<>();
            for (int t = 0; t < tiles; t++) {
                List<Reg> tile = new ArrayList<>();
                for (int i = 0; i < h.features / 2; i++) tile.add(g.register(g.zero()));
                all.add(tile);
            }
            return all;
        }

        /** Products over all features of the warp's rows with some lines. */
        List<List<Reg>> products(Fragment left, Operand columns, int firstLine, int count) {
            List<List<Reg>> all = new ArrayList<>();
            for (int t = 0; t < tiles; t++) all.add(h.tile(count));
            for (int s = 0; s < h.features / AttentionHeads.TILE; s++) {
                Operand step = h.along(columns, s);
                List<List<Operand>> a = new ArrayList<>();
                for (int t = 0; t < tiles; t++) a.add(left.of(t, s));
                for (int pair = 0; pair < count / 16; pair++) {
                    List<Operand> b = h.matrices(step, firstLine + 16 * pair, false);
                    for (int t = 0; t < tiles; t++) h.multiply(all.get(t), 2 * pair, a.get(t), b, s == 0 ? zero : null);
                }
            }
            return all;
        }

        /** Adds some lines, weighted, to a result. */
        void weigh(
                List<? extends List<? extends Operand>> weights, Operand steps, int firstLine, List<List<Reg>> sums) {
            List<Operand> pairs = new ArrayList<>();
            for (int pair = 0; pair < h.features / 16; pair++) pairs.add(h.along(steps, pair));
            for (int s = 0; s < weights.getFirst().size() / 8; s++) {
                List<List<Operand>> a = new ArrayList<>();
                for (int t = 0; t < tiles; t++) a.add(h.asLeft(weights.get(t), s));
                for (int pair = 0; pair < pairs.size(); pair++) {
                    List<Operand> b = h.matrices(pairs.get(pair), firstLine + AttentionHeads.TILE * s, true);
                    for (int t = 0; t < tiles; t++) h.multiply(sums.get(t), 2 * pair, a.get(t), b, null);
                }
            }
        }

        /** How far a position is ahead of another, at least 0 and at most {@code most}, in 32 bits. */
        Operand ahead(Operand position, Operand of, int most) {
            Operand n = out.min(PtxType.S64, out.sub(PtxType.S64, position, of), out.constant(most));
            return ints.low(out.max(PtxType.S64, n, out.constant(0)));
        }

        /** The first of the thread's columns of a block. */
        Operand firstColumn(Operand first) {
            return g.scalars.addLong(first, ints.wide(ints.mul(h.lanePlace, 2)));
        }

        Reg exp2(Operand exponent) {
            return out.apply(Arithmetic.Function.EX2, FloatMode.APPROX.withFtz(), PtxType.F32, exponent);
        }

        /** The address of {@link #STATISTICS} of the head's first query; there are some for each row of all blocks of queries. */
        Operand statistics() {
            Operand padded = g.scalars.mulLong(blocks(g, kernel.i()), out.constant((long) rows * STATISTICS));
            Operand ofBlock = g.scalars.mulLong(padded, batches(g));
            Operand before = g.scalars.mulLong(g.special(Operand.Special.CTAID_Y), ofBlock);
            return g.scalars.addLong(g.scratch, g.scalars.addLong(before, g.scalars.mulLong(batch, padded)));
        }
    }

    /** Code for the keys and values that some queries see, block after block: while one stage is used, the next one comes. */
    final class KeyStages {
        /** Bytes of keys and values. */
        static final int STAGE = 2 * AttentionHeads.BLOCK;

        /** Writes code for a block of keys, in the stage that many bytes from the first. */
        interface Body {
            void write(Operand first, boolean masked, Reg stage);
        }

        private final Block of;
        private final Operand stages;
        private final Operand count;
        private final Source k;
        private final Source v;
        /** Where the keys end that any of the queries sees. */
        private final Operand end;

        private final Reg stage;

        /** @param stages where the two are in shared memory */
        KeyStages(Block of, Operand stages) {
            this.of = of;
            this.stages = stages;
            AttentionCode g = of.g;
            count = g.extent(kernel.j());
            k = of.h.source(g.k, kernel.j(), out.constant(0), kernel.d());
            v = of.h.source(g.v, kernel.j(), out.constant(0), kernel.e());
            end = kernel.causal() ? out.min(PtxType.S64, count, g.scalars.addLong(of.row0, out.constant(rows))) : count;
            stage = out.mov(PtxType.B32, out.constant(0));
        }

        /** Copies the first keys and values. */
        void begin() {
            bring(out.constant(0), stages);
        }

        /** Copies the next keys and values, which begin at {@code first}, to a stage. */
        private void bring(Operand first, Operand to) {
            List<Reg> there = of.h.there(of.h.left(count, first), of.h.lines);
            of.h.copy(k, to, there);
            of.h.copy(v, of.ints.add(to, AttentionHeads.BLOCK), there);
            out.add(new AsyncCopy.Commit());
        }

        /** All blocks: those that every query sees whole, then those of which something is to be masked. */
        void run(Body body) {
            AttentionCode g = of.g;
            // Of causal attention the first query sees its own key and those before it.
            Operand seen =
                    kernel.causal() ? out.min(PtxType.S64, count, g.scalars.addLong(of.row0, out.constant(1))) : count;
            Operand whole = out.and(PtxType.B64, seen, out.constant(-of.h.lines));
            Operand by = out.constant(of.h.lines);
            g.c.loop(out.constant(0), whole, by, first -> block(first, false, body));
            g.c.loop(whole, end, by, first -> block(first, true, body));
        }

        private void block(Operand first, boolean masked, Body body) {
            out.add(new AsyncCopy.Wait(0));
            // This stage is there for all, and nobody reads the other any more.
            out.barrier();
            Reg other = out.xor(PtxType.B32, stage, out.constant(STAGE));
            Operand next = of.g.scalars.addLong(first, out.constant(of.h.lines));
            of.g.c.memory.when(
                    out.setp(Relation.LT, PtxType.S64, next, end), () -> bring(next, of.ints.add(stages, other)));
            body.write(first, masked, stage);
            out.assign(PtxType.B32, stage, other);
        }
    }

    /** Fragments of a left operand. */
    interface Fragment {
        List<Operand> of(int tile, int step);
    }
}
