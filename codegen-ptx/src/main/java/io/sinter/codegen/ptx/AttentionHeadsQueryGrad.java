// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Stmt.Combine;
import java.util.ArrayList;
import java.util.List;

/**
 * The gradient of queries with whole heads in shared memory. A CTA has some rows of queries and of the result's gradient in registers, and goes through
 * the keys and values as forward does. What it knows of its queries, the logarithm of the sum and Σ dout · out, it leaves in scratch memory for {@link
 * AttentionHeadsKeyGrad}.
 */
final class AttentionHeadsQueryGrad extends AttentionHeadsKernel {
    /** Keys whose scores are in registers at once. */
    private static final int ABREAST = 32;

    /** Queries, the result and its gradient; the first two give way to two stages. */
    private final Operand.Symbol memory;

    private AttentionHeadsQueryGrad(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        super(kernel, schedule, entry, file);
        memory = out.shared("heads", 256, 3 * rowBytes());
    }

    static PtxKernel emit(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file, PtxKernel next) {
        LaunchRule rule = LaunchRule.Blocks.of(
                        kernel.batch(),
                        kernel.i(),
                        kernel.d(),
                        schedule.rows(),
                        schedule.features(),
                        AttentionHeads.THREADS)
                .withScratch(STATISTICS);
        return new AttentionHeadsQueryGrad(kernel, schedule, entry, file).emit(kernel.i(), true, rule, next);
    }

    @Override
    void block(Operand batch, Operand row0) {
        new Queries(batch, row0).write();
    }

    private final class Queries extends Block {
        private final int keys;
        private final Operand keyCount;
        private final Reg factor;
        private final KeyStages stages;
        private final List<List<List<Operand>>> q;
        private final List<List<List<Operand>>> dout;
        /** By tiles and halves: minus the logarithm of the sum, to base 2, and Σ dout · out. */
        private final List<List<Operand>> shifts = new ArrayList<>();

        private final List<List<Operand>> deltas = new ArrayList<>();
        private final List<List<Reg>> sums;
        private final Operand keyColumns;
        private final Operand valueColumns;
        private final Operand keySteps;

        Queries(Operand batch, Operand row0) {
            super(batch, row0, memory);
            keys = h.lines;
            keyCount = g.extent(kernel.j());
            factor = out.mul(PtxType.F32, scale(g), out.constant(LOG2_E));
            Operand result = ints.add(base, 2 * rowBytes());
            List<Reg> there = h.there(h.left(g.extent(kernel.i()), row0), rows);
            h.copy(h.source(g.q, kernel.i(), row0, kernel.d()), base, there);
            h.copy(h.source(g.saved.get(1), kernel.i(), row0, kernel.e()), ints.add(base, rowBytes()), there);
            h.copy(h.source(g.saved.get(0), kernel.i(), row0, kernel.e()), result, there);
            out.add(new AsyncCopy.Commit());
            out.add(new AsyncCopy.Wait(0));
            out.barrier();
            q = fragments(base);
            dout = fragments(ints.add(base, rowBytes()));
            statistics(fragments(result));
            // All have their rows: keys and values may come there.
            out.barrier();
            stages = new KeyStages(this, base);
            keyColumns = h.rightColumns(base);
            valueColumns = h.rightColumns(ints.add(base, AttentionHeads.BLOCK));
            keySteps = h.rightSteps(base);
            sums = results();
        }

        /** Computes what is known of each query, and leaves it in scratch memory. */
        private void statistics(List<List<List<Operand>>> result) {
            Operand count = g.extent(kernel.i());
            Operand to = statistics();
            Reg first = out.setp(Relation.EQ, PtxType.S32, h.lanePlace, out.constant(0));
            for (int t = 0; t < tiles; t++) {
                List<Reg> parts = List.of(g.register(g.zero()), g.register(g.zero()));
                for (int s = 0; s < result.get(t).size(); s++) {
                    for (int i = 0; i < 4; i++) {
                        List<Operand> x = h.apart(result.get(t).get(s).get(i));
                        List<Operand> y = h.apart(dout.get(t).get(s).get(i));
                        // Registers 0 and 2 of a fragment are of the first row.
                        Reg part = parts.get(i % 2);
                        for (int n = 0; n < 2; n++)
                            g.scalars.assign(DType.F32, part, out.mad(PtxType.F32, x.get(n), y.get(n), part));
                    }
                }
                List<Operand> shift = new ArrayList<>();
                List<Operand> delta = new ArrayList<>();
                for (int half = 0; half < 2; half++) {
                    Operand row = row(t, half);
                    Operand lse = g.values(g.saved.get(2), kernel.i(), g.within(List.of(row), count), null, null)
                            .getFirst();
                    // A query that sees nothing has −∞, and no score above it.
                    Reg none = out.setp(Relation.EQ, PtxType.F32, lse, g.number(Double.NEGATIVE_INFINITY));
                    Operand s = g.scalars.select(
                            DType.F32, none, g.zero(), out.mul(PtxType.F32, lse, out.constant(-LOG2_E)));
                    // Where there is no query, no weight is to be but 0.
                    Reg inside = out.setp(Relation.LT, PtxType.S64, row, count);
                    shift.add(g.scalars.select(DType.F32, inside, s, g.number(Double.NEGATIVE_INFINITY)));
                    delta.add(g.butterfly(Combine.SUM, parts.get(half), 2));
                    Reg at = out.add(PtxType.S64, to, g.scalars.mulLong(row, out.constant(STATISTICS)));
                    Operand both = Operand.Vector.of(shift.getLast(), delta.getLast());
                    out.add(Guard.when(first), Memory.Store.of(Space.GLOBAL, PtxType.F32, out.at(at), both));
                }
                shifts.add(shift);
                deltas.add(delta);
            }
        }

        void write() {
            stages.begin();
            stages.run(this::keys);
            finish();
        }

        private void keys(Operand first, boolean masked, Reg stage) {
            for (int line = 0; line < keys; line += ABREAST) {
                List<List<Reg>> scores =
                        products((t, s) -> q.get(t).get(s), ints.add(keyColumns, stage), line, ABREAST);
                List<List<Reg>> slopes =
                        products((t, s) -> dout.get(t).get(s), ints.add(valueColumns, stage), line, ABREAST);
                List<List<Operand>> weights = new ArrayList<>();
                for (int t = 0; t < tiles; t++)
                    weights.add(weights(t, scores.get(t), slopes.get(t), first, line, masked));
                weigh(weights, ints.add(keySteps, stage), line, sums);
            }
        }

        private List<Operand> weights(
                int t, List<Reg> scores, List<Reg> slopes, Operand first, int line, boolean masked) {
            Operand[] all = new Operand[scores.size()];
            for (int half = 0; half < 2; half++) {
                Operand visible = null;
                if (masked) {
                    Operand row = row(t, half);
                    Operand last = kernel.causal()
                            ? out.min(PtxType.S64, keyCount, g.scalars.addLong(row, out.constant(1)))
                            : keyCount;
                    visible = ahead(last, firstColumn(first), keys);
                }
                for (int i = 0; i < ABREAST / 4; i++) {
                    int at = cell(half, i);
                    Operand x = out.mad(
                            PtxType.F32, scores.get(at), factor, shifts.get(t).get(half));
                    if (masked) {
                        Operand column = out.constant(line + i / 2 * 8 + i % 2);
                        Reg seen = out.setp(Relation.GT, PtxType.S32, visible, column);
                        x = out.selp(PtxType.F32, x, g.number(Double.NEGATIVE_INFINITY), seen);
                    }
                    Operand d =
                            out.sub(PtxType.F32, slopes.get(at), deltas.get(t).get(half));
                    all[at] = out.mul(PtxType.F32, exp2(x), d);
                }
            }
            return List.of(all);
        }

        private void finish() {
            AttentionCode g = anew();
            AttentionHeads h = new AttentionHeads(g, schedule);
            Operand to = ints.add(base, 2 * rowBytes());
            Reg scale = scale(g);
            for (int t = 0; t < tiles; t++) {
                List<Operand> scaled = new ArrayList<>();
                for (Reg x : sums.get(t)) scaled.add(out.mul(PtxType.F32, x, scale));
                // Only this warp has read these rows of the result.
                h.put(scaled, to, ints.add(warpRow, (long) AttentionHeads.TILE * t));
            }
            out.add(new WarpOp.Barrier(out.constant(-1)));
            h.store(
                    g.stores.getFirst(),
                    kernel.i(),
                    row0,
                    g.extent(kernel.i()),
                    kernel.d(),
                    to,
                    warpRow,
                    AttentionHeads.TILE * tiles);
        }
    }
}
