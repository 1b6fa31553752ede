// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.AttentionHeads.Source;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/**
 * The gradients of keys and values with whole heads in shared memory. A CTA has some rows of both there, and goes through blocks of queries, of the
 * result's gradient, and of what {@link AttentionHeadsQueryGrad} has left of the queries. Scores are computed with keys as rows, so that weights are
 * left operands as they lie.
 */
final class AttentionHeadsKeyGrad extends AttentionHeadsKernel {
    /** Queries of a block: more would let the assembler keep keys' fragments in registers that there are none of. */
    private static final int QUERIES = 32;

    private final int blockBytes;
    private final int stageBytes;

    private AttentionHeadsKeyGrad(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        super(kernel, schedule, entry, file);
        blockBytes = 2 * QUERIES * schedule.features();
        // Queries, the gradient, and what is known of the queries.
        stageBytes = 2 * blockBytes + QUERIES * STATISTICS;
    }

    static PtxKernel emit(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        AttentionHeadsKeyGrad k = new AttentionHeadsKeyGrad(kernel, schedule, entry, file);
        LaunchRule rule = LaunchRule.Blocks.of(
                        kernel.batch(),
                        kernel.j(),
                        kernel.d(),
                        schedule.rows(),
                        schedule.features(),
                        AttentionHeads.THREADS)
                .withShared(Math.toIntExact(2 * k.rowBytes() + 2 * k.stageBytes));
        return k.emit(kernel.j(), false, rule, null);
    }

    @Override
    void block(Operand batch, Operand row0) {
        new Keys(batch, row0).write();
    }

    private final class Keys extends Block {
        private final Operand queryCount;
        private final Reg factor;
        private final Operand stages;
        private final Source q;
        private final Source dout;
        /** Where the thread copies what is known of queries from. */
        private final Operand statistics;

        private final Reg copies;

        private final List<List<Reg>> dk;
        private final List<List<Reg>> dv;
        private final Reg stage;
        private final Operand keyRows;
        private final Operand valueRows;
        private final Operand queryColumns;
        private final Operand doutColumns;
        private final Operand querySteps;
        private final Operand doutSteps;
        /** Of the thread's first column what is known. */
        private final Operand known;

        Keys(Operand batch, Operand row0) {
            super(batch, row0, new Operand.Symbol(PtxCodegen.DYNAMIC_SHARED));
            queryCount = g.extent(kernel.i());
            factor = out.mul(PtxType.F32, scale(g), out.constant(LOG2_E));
            stages = ints.add(base, 2 * rowBytes());
            Operand first = kernel.causal() ? row0 : out.constant(0);
            q = h.source(g.q, kernel.i(), first, kernel.d());
            dout = h.source(g.saved.get(1), kernel.i(), first, kernel.e());
            statistics = g.scalars.addLong(statistics(), ints.wide(ints.mul(h.thread, 16)));
            copies = out.setp(Relation.LT, PtxType.S32, h.thread, out.constant(QUERIES * STATISTICS / 16));
            stage = out.mov(PtxType.B32, out.constant(0));
            keyRows = h.leftRows(base, warpRow);
            valueRows = h.leftRows(ints.add(base, rowBytes()), warpRow);
            Operand gradients = ints.add(stages, blockBytes);
            queryColumns = h.rightColumns(stages);
            doutColumns = h.rightColumns(gradients);
            querySteps = h.rightSteps(stages);
            doutSteps = h.rightSteps(gradients);
            known = ints.add(ints.add(stages, 2L * blockBytes), ints.mul(h.lanePlace, 2L * STATISTICS));
            dk = results();
            dv = results();
        }

        void write() {
            Operand begin = kernel.causal() ? row0 : out.constant(0);
            g.c.memory.when(out.setp(Relation.LT, PtxType.S64, begin, queryCount), () -> {
                List<Reg> there = h.there(h.left(g.extent(kernel.j()), row0), rows);
                h.copy(h.source(g.k, kernel.j(), row0, kernel.d()), base, there);
                h.copy(h.source(g.v, kernel.j(), row0, kernel.e()), ints.add(base, rowBytes()), there);
                bring(begin, stages);
            });
            Operand by = out.constant(QUERIES);
            Operand behind = begin;
            if (kernel.causal()) {
                // Queries behind the last key see all of the block.
                behind = g.scalars.addLong(row0, out.constant(rows));
                Operand end = out.min(PtxType.S64, queryCount, behind);
                g.c.loop(begin, end, by, first -> queries(first, true));
            }
            g.c.loop(behind, queryCount, by, first -> queries(first, false));
            finish();
        }

        private void bring(Operand first, Operand to) {
            List<Reg> there = h.there(h.left(queryCount, first), QUERIES);
            h.copy(q, to, there);
            h.copy(dout, ints.add(to, blockBytes), there);
            Reg from = out.add(PtxType.S64, statistics, g.scalars.mulLong(first, out.constant(STATISTICS)));
            Operand at = ints.add(ints.add(to, 2L * blockBytes), ints.mul(h.thread, 16));
            out.add(Guard.when(copies), new AsyncCopy.Copy(true, List.of(), out.at(at), out.at(from), 16, null));
            out.add(new AsyncCopy.Commit());
        }

        private void queries(Operand first, boolean masked) {
            out.add(new AsyncCopy.Wait(0));
            out.barrier();
            Reg other = out.sub(PtxType.S32, out.constant(stageBytes), stage);
            Operand next = g.scalars.addLong(first, out.constant(QUERIES));
            g.c.memory.when(
                    out.setp(Relation.LT, PtxType.S64, next, queryCount), () -> bring(next, ints.add(stages, other)));
            List<List<Reg>> scores = products(rows(keyRows), ints.add(queryColumns, stage), 0, QUERIES);
            List<Operand> shifts = known(0);
            List<List<Operand>> weights = new ArrayList<>();
            for (int t = 0; t < tiles; t++) weights.add(weights(t, scores.get(t), shifts, first, masked));
            weigh(weights, ints.add(doutSteps, stage), 0, dv);
            List<List<Reg>> slopes = products(rows(valueRows), ints.add(doutColumns, stage), 0, QUERIES);
            List<Operand> deltas = known(1);
            List<List<Operand>> ds = new ArrayList<>();
            for (int t = 0; t < tiles; t++) ds.add(slopes(weights.get(t), slopes.get(t), deltas));
            weigh(ds, ints.add(querySteps, stage), 0, dk);
            out.assign(PtxType.B32, stage, other);
        }

        /** The gradients of scores, but for the scale. */
        private List<Operand> slopes(List<Operand> weights, List<Reg> slopes, List<Operand> deltas) {
            Operand[] all = new Operand[slopes.size()];
            for (int half = 0; half < 2; half++) {
                for (int i = 0; i < QUERIES / 4; i++) {
                    int at = cell(half, i);
                    Operand d = out.sub(PtxType.F32, slopes.get(at), deltas.get(i));
                    all[at] = out.mul(PtxType.F32, weights.get(at), d);
                }
            }
            return List.of(all);
        }

        private Fragment rows(Operand place) {
            return (t, s) -> h.matrices(h.along(place, s), AttentionHeads.TILE * t, false);
        }

        /** One of the numbers that are known of the queries in the thread's columns. */
        private List<Operand> known(int number) {
            Operand at = ints.add(known, stage);
            List<Operand> all = new ArrayList<>();
            for (int block = 0; block < QUERIES / 8; block++) {
                List<Operand> two = out.load(Space.SHARED, PtxType.F32, 4, out.at(at, 8L * STATISTICS * block))
                        .elements();
                all.add(two.get(number));
                all.add(two.get(2 + number));
            }
            return all;
        }

        private List<Operand> weights(int t, List<Reg> scores, List<Operand> shifts, Operand first, boolean masked) {
            Operand[] all = new Operand[scores.size()];
            for (int half = 0; half < 2; half++) {
                Operand hidden = masked ? ahead(row(t, half), firstColumn(first), QUERIES) : null;
                for (int i = 0; i < QUERIES / 4; i++) {
                    int at = cell(half, i);
                    Operand x = out.mad(PtxType.F32, scores.get(at), factor, shifts.get(i));
                    if (masked) {
                        Operand column = out.constant(i / 2 * 8 + i % 2);
                        Reg seen = out.setp(Relation.LE, PtxType.S32, hidden, column);
                        x = out.selp(PtxType.F32, x, g.number(Double.NEGATIVE_INFINITY), seen);
                    }
                    all[at] = exp2(x);
                }
            }
            return List.of(all);
        }

        private void finish() {
            AttentionCode g = anew();
            AttentionHeads h = new AttentionHeads(g, schedule);
            Reg scale = scale(g);
            List<List<Operand>> scaled = new ArrayList<>();
            for (List<Reg> tile : dk) {
                List<Operand> some = new ArrayList<>();
                for (Reg x : tile) some.add(out.mul(PtxType.F32, x, scale));
                scaled.add(some);
            }
            // Only this warp has read these rows of keys and values, each lane others than it writes.
            out.add(new WarpOp.Barrier(out.constant(-1)));
            store(g, h, scaled, base, 1, kernel.d());
            store(g, h, dv, ints.add(base, rowBytes()), 2, kernel.e());
        }

        private void store(
                AttentionCode g,
                AttentionHeads h,
                List<? extends List<? extends Operand>> result,
                Operand to,
                int number,
                Var along) {
            for (int t = 0; t < tiles; t++)
                h.put(List.copyOf(result.get(t)), to, ints.add(warpRow, (long) AttentionHeads.TILE * t));
            out.add(new WarpOp.Barrier(out.constant(-1)));
            h.store(
                    g.stores.get(number),
                    kernel.j(),
                    row0,
                    g.extent(kernel.j()),
                    along,
                    to,
                    warpRow,
                    AttentionHeads.TILE * tiles);
        }
    }
}
