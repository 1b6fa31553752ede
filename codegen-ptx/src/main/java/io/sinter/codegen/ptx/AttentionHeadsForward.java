// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.AttentionHeads.Source;
import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention forward with whole heads in shared memory ({@link AttentionHeads}; Dao 2023, "FlashAttention-2"). A CTA has some rows of queries, in
 * registers for good, and goes through blocks of keys and values, which come by asynchronous copies while those before them are in use. Blocks that all
 * rows see go without a mask.
 *
 * <p>Exponentials are those of the hardware, to base 2, whose argument takes one multiply-add: what they lack is far below what weights lose that
 * are rounded to 16 bits. Maxima are of scores before they are scaled; for that, a negative scale changes the signs of queries instead.
 */
final class AttentionHeadsForward extends AttentionHeadsKernel {

    /** Queries, then two stages. */
    private final Operand.Symbol memory;

    private AttentionHeadsForward(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        super(kernel, schedule, entry, file);
        memory = out.shared("heads", 256, rowBytes() + 2 * KeyStages.STAGE);
    }

    static PtxKernel emit(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        LaunchRule rule = LaunchRule.Blocks.of(
                kernel.batch(), kernel.i(), kernel.e(), schedule.rows(), schedule.features(), AttentionHeads.THREADS);
        return new AttentionHeadsForward(kernel, schedule, entry, file).emit(kernel.i(), true, rule, null);
    }

    @Override
    void block(Operand batch, Operand row0) {
        new Queries(batch, row0).write();
    }

    /** A row of a thread in a tile: what its scores amount to so far. */
    private record Row(Reg max, Reg sum) {}

    private final class Queries extends Block {
        private final int keys;
        private final Operand keyCount;
        /** By what scores are multiplied to be exponents of 2: not 0, for the sake of those of −∞. */
        private final Reg factor;

        private final Reg minusFactor;
        private final KeyStages stages;

        private final List<List<List<Operand>>> q = new ArrayList<>();
        private final List<List<Reg>> sums;
        private final List<List<Row>> state = new ArrayList<>();
        private final Operand keyPlace;
        private final Operand valuePlace;

        Queries(Operand batch, Operand row0) {
            super(batch, row0, memory);
            keys = h.lines;
            keyCount = g.extent(kernel.j());
            Reg product = out.mul(PtxType.F32, out.abs(PtxType.F32, scale(g)), out.constant(LOG2_E));
            factor = out.binary(
                    Arithmetic.BinaryOp.MAX,
                    FloatMode.DEFAULT.withNan(),
                    PtxType.F32,
                    product,
                    out.constant(Float.MIN_NORMAL));
            minusFactor = out.neg(PtxType.F32, factor);
            Operand first = ints.add(base, rowBytes());
            stages = new KeyStages(this, first);
            keyPlace = h.rightColumns(first);
            valuePlace = h.rightSteps(ints.add(first, AttentionHeads.BLOCK));
            sums = results();
        }

        void write() {
            Source queries = h.source(g.q, kernel.i(), row0, kernel.d());
            h.copy(queries, base, h.there(h.left(g.extent(kernel.i()), row0), rows));
            stages.begin();
            out.add(new AsyncCopy.Wait(0));
            out.barrier();
            Reg negative = out.setp(Relation.LT, PtxType.F32, scale(g), g.zero());
            Operand signs = out.selp(PtxType.B32, out.constant(0x80008000L), out.constant(0), negative);
            for (List<List<Operand>> tile : fragments(base)) {
                List<List<Operand>> signed = new ArrayList<>();
                for (List<Operand> step : tile)
                    signed.add(step.stream()
                            .map(x -> (Operand) out.xor(PtxType.B32, x, signs))
                            .toList());
                q.add(signed);
                List<Row> both = new ArrayList<>();
                for (int half = 0; half < 2; half++)
                    both.add(new Row(g.register(g.number(Double.NEGATIVE_INFINITY)), g.register(g.zero())));
                state.add(both);
            }
            stages.run(this::keys);
            finish();
        }

        private void keys(Operand first, boolean masked, Reg stage) {
            List<List<Reg>> scores = products((t, s) -> q.get(t).get(s), ints.add(keyPlace, stage), 0, keys);
            List<List<Operand>> weights = new ArrayList<>();
            for (int t = 0; t < tiles; t++) weights.add(weights(t, scores.get(t), first, masked));
            weigh(weights, ints.add(valuePlace, stage), 0, sums);
        }

        /** How many of the block's keys, from the thread's first on, a row sees. */
        private Operand visible(Operand row, Operand first) {
            Operand last = kernel.causal()
                    ? out.min(PtxType.S64, keyCount, g.scalars.addLong(row, out.constant(1)))
                    : keyCount;
            return ahead(last, firstColumn(first), keys);
        }

        /** Weights of a tile; what has been summed with others is made what it would be with the new maxima. */
        private List<Operand> weights(int t, List<Reg> scores, Operand first, boolean masked) {
            Operand[] all = new Operand[scores.size()];
            for (int half = 0; half < 2; half++) {
                Row row = state.get(t).get(half);
                Operand visible = masked ? visible(row(t, half), first) : null;
                List<Operand> s = new ArrayList<>();
                for (int i = 0; i < keys / 4; i++) {
                    Operand x = scores.get(cell(half, i));
                    if (masked) {
                        Reg seen = out.setp(Relation.GT, PtxType.S32, visible, out.constant(i / 2 * 8 + i % 2));
                        x = out.selp(PtxType.F32, x, g.number(Double.NEGATIVE_INFINITY), seen);
                    }
                    s.add(x);
                }
                Operand here = s.getFirst();
                for (int i = 1; i < s.size(); i++) here = g.scalars.combine(Combine.MAX, DType.F32, here, s.get(i));
                Operand most = g.scalars.combine(Combine.MAX, DType.F32, row.max, g.butterfly(Combine.MAX, here, 2));
                // Where all is hidden so far, every exponential is 0.
                Reg none = out.setp(Relation.EQ, PtxType.F32, most, g.number(Double.NEGATIVE_INFINITY));
                Operand shift = out.mul(PtxType.F32, g.scalars.select(DType.F32, none, g.zero(), most), minusFactor);
                Operand before = exp2(out.mad(PtxType.F32, row.max, factor, shift));
                Operand part = null;
                for (int i = 0; i < s.size(); i++) {
                    Operand e = exp2(out.mad(PtxType.F32, s.get(i), factor, shift));
                    all[cell(half, i)] = e;
                    part = part == null ? e : out.add(PtxType.F32, part, e);
                }
                g.scalars.assign(DType.F32, row.sum, out.mad(PtxType.F32, row.sum, before, part));
                g.scalars.assign(DType.F32, row.max, most);
                for (int i = 0; i < h.features / 4; i++) {
                    Reg x = sums.get(t).get(cell(half, i));
                    g.scalars.assign(DType.F32, x, out.mul(PtxType.F32, x, before));
                }
            }
            return List.of(all);
        }

        /** Divides by the sums, and stores. */
        private void finish() {
            AttentionCode g = anew();
            AttentionHeads h = new AttentionHeads(g, schedule);
            Operand count = g.extent(kernel.i());
            Reg magnitude = out.abs(PtxType.F32, scale(g));
            for (int t = 0; t < tiles; t++) {
                List<Operand> result = new ArrayList<>(sums.get(t));
                for (int half = 0; half < 2; half++) {
                    Row row = state.get(t).get(half);
                    Operand total = g.butterfly(Combine.SUM, row.sum, 2);
                    Reg none = out.setp(Relation.EQ, PtxType.F32, total, g.zero());
                    Operand inverse = out.div(PtxType.F32, out.constant(1f), total);
                    for (int i = 0; i < h.features / 4; i++) {
                        Operand x = out.mul(PtxType.F32, result.get(cell(half, i)), inverse);
                        result.set(cell(half, i), g.scalars.select(DType.F32, none, g.zero(), x));
                    }
                    Operand lse = out.mad(PtxType.F32, row.max, magnitude, g.log(total));
                    Operand shown = g.scalars.select(DType.F32, none, g.number(Double.NEGATIVE_INFINITY), lse);
                    storeSum(g, row(t, half), count, shown);
                }
                // Only this warp has read these rows of queries.
                h.put(result, base, ints.add(warpRow, (long) AttentionHeads.TILE * t));
            }
            out.add(new WarpOp.Barrier(out.constant(-1)));
            Stmt.Store target = g.stores.getFirst();
            h.store(target, kernel.i(), row0, count, kernel.e(), base, warpRow, AttentionHeads.TILE * tiles);
        }

        /** Stores the logarithm of a query's sum: of those that have it, one thread. */
        private void storeSum(AttentionCode g, Operand row, Operand count, Operand value) {
            g.side(1, () -> {
                g.c.bind(
                        kernel.i(),
                        Value.of(DType.I64, g.within(List.of(row), count).getFirst()));
                g.c.bind(g.result, Value.of(DType.F32, value));
                Reg first = out.setp(Relation.EQ, PtxType.S32, h.lanePlace, out.constant(0));
                Reg inside = out.and(PtxType.PRED, first, out.setp(Relation.LT, PtxType.S64, row, count));
                g.c.memory.store(g.stores.get(1), Value.of(DType.BOOL, inside));
            });
        }
    }
}
