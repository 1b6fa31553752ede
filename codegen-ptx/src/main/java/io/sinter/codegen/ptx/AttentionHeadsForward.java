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
import io.sinter.codegen.ptx.lang.WarpOp;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention forward with whole heads in shared memory ({@link AttentionHeads}; Dao 2023, "FlashAttention-2"). A CTA has some rows of queries, in
 * registers for good, and goes through blocks of keys and values, which come by asynchronous copies while those before them are in use. Blocks that all
 * rows see go without a mask; of causal attention the rows with most keys come first, of all heads, so that what is left at the end is short.
 *
 * <p>Exponentials are those of the hardware, to base 2, whose argument takes one multiply-add: what they lack is far below what weights lose that
 * are rounded to 16 bits. Maxima are of scores before they are scaled; for that, a negative scale changes the signs of queries instead.
 */
final class AttentionHeadsForward {
    /** A block of keys and one of values. */
    private static final int STAGE = 2 * AttentionHeads.BLOCK;

    private static final float LOG2_E = (float) (1 / Math.log(2));

    private final AttentionKernel kernel;
    private final AttentionSchedule schedule;
    private final KernelBuilder out;
    private final AttentionCode all;
    /** Tiles of 16 rows of each warp. */
    private final int tiles;
    /** Queries of a CTA. */
    private final int rows;

    /** Shared memory: queries, then two stages. */
    private final Operand.Symbol memory;

    private AttentionHeadsForward(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        this.kernel = kernel;
        this.schedule = schedule;
        out = new KernelBuilder(entry);
        all = new AttentionCode(kernel, schedule, out, file);
        rows = schedule.queries();
        tiles = rows / (AttentionHeads.WARPS * AttentionHeads.TILE);
        memory = out.shared("heads", 256, queryBytes() + 2 * STAGE);
    }

    private long queryBytes() {
        return 2L * rows * schedule.features();
    }

    static PtxKernel emit(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        return new AttentionHeadsForward(kernel, schedule, entry, file).emit();
    }

    private PtxKernel emit() {
        Reg number = out.mov(PtxType.B64, all.special(Operand.Special.CTAID_X));
        String again = out.newLabel();
        String exit = out.newLabel();
        out.label(again);
        // Everything is computed for each block anew: what a loop over blocks would keep in registers, sums need.
        AttentionCode g = all.anew();
        Operand down = out.shr(
                PtxType.U64,
                g.scalars.addLong(g.extent(kernel.i()), out.constant(rows - 1)),
                out.constant(Integer.numberOfTrailingZeros(rows)));
        Operand batches = out.constant(1);
        for (Var v : kernel.batch()) batches = g.scalars.mulLong(batches, g.extent(v));
        out.branchIf(out.setp(Relation.GE, PtxType.S64, number, g.scalars.mulLong(batches, down)), exit);
        ScalarEmitter.Divisor by = g.scalars.divisor(kernel.causal() ? batches : down);
        Operand quotient = g.scalars.quotient(number, by);
        Operand rest = g.scalars.rest(number, quotient, by);
        Operand block =
                kernel.causal() ? out.sub(PtxType.S64, g.scalars.addLong(down, out.constant(-1)), quotient) : rest;
        new Block(kernel.causal() ? rest : quotient, g.scalars.mulLong(block, out.constant(rows))).write();
        out.assign(PtxType.B64, number, out.add(PtxType.S64, number, all.special(Operand.Special.NCTAID_X)));
        out.branch(again);
        out.label(exit);
        out.ret();
        LaunchRule rule =
                new LaunchRule.Blocks(kernel.batch(), kernel.i(), kernel.e(), rows, schedule.features(), all.threads);
        String listing = KernelText.print(kernel) + "// " + schedule.note() + "\n";
        return new PtxKernel(out.build(), listing, rule, null, List.of());
    }

    /** The magnitude of the scale. */
    private Reg magnitude(AttentionCode g) {
        return out.abs(
                PtxType.F32, g.scalars.register(DType.F32, g.c.value(g.scale).lane(0)));
    }

    /** A row of a thread in a tile: what its scores amount to so far. */
    private record Row(Reg max, Reg sum) {}

    /** The code for a CTA's block of queries. */
    private final class Block {
        private final AttentionCode g;
        private final AttentionHeads h;
        private final IntCode ints;
        private final Operand batch;
        private final Operand row0;
        private final int keys;
        private final Operand keyCount;
        /** By what scores are multiplied to be exponents of 2: not 0, for the sake of those of −∞. */
        private final Reg factor;

        private final Reg minusFactor;
        private final Reg zero;
        private final Reg base;
        private final Operand stages;
        private final Operand warpRow;
        private final Source k;
        private final Source v;
        /** Where the block's keys end that any of its queries sees. */
        private final Operand end;

        private final List<List<List<Operand>>> q = new ArrayList<>();
        private final List<List<Reg>> sums = new ArrayList<>();
        private final List<List<Row>> state = new ArrayList<>();
        /** Bytes to the stage that is in use. */
        private final Reg stage;

        private final Operand keyPlace;
        private final Operand valuePlace;

        Block(Operand batch, Operand row0) {
            g = all.anew();
            h = new AttentionHeads(g, schedule);
            ints = h.ints;
            this.batch = batch;
            this.row0 = row0;
            LoopEmitter.bind(g.c, kernel.batch(), batch);
            keys = h.lines;
            keyCount = g.extent(kernel.j());
            Reg product = out.mul(PtxType.F32, magnitude(g), out.constant(LOG2_E));
            factor = out.binary(
                    Arithmetic.BinaryOp.MAX,
                    FloatMode.DEFAULT.withNan(),
                    PtxType.F32,
                    product,
                    out.constant(Float.MIN_NORMAL));
            minusFactor = out.neg(PtxType.F32, factor);
            zero = out.mov(PtxType.F32, g.zero());
            base = out.mov(PtxType.U32, memory);
            stages = ints.add(base, queryBytes());
            warpRow = ints.mul(h.warp, (long) AttentionHeads.TILE * tiles);
            // Nobody reads the last block any more.
            out.barrier();
            k = h.source(g.k, kernel.j(), out.constant(0), kernel.d());
            v = h.source(g.v, kernel.j(), out.constant(0), kernel.e());
            end = kernel.causal()
                    ? out.min(PtxType.S64, keyCount, g.scalars.addLong(row0, out.constant(rows)))
                    : keyCount;
            stage = out.mov(PtxType.B32, out.constant(0));
            keyPlace = h.rightColumns(stages);
            valuePlace = h.rightSteps(ints.add(stages, AttentionHeads.BLOCK));
        }

        void write() {
            Source queries = h.source(g.q, kernel.i(), row0, kernel.d());
            h.copy(queries, base, h.there(h.left(g.extent(kernel.i()), row0), rows));
            bring(out.constant(0), stages);
            out.add(new AsyncCopy.Wait(0));
            out.barrier();
            Reg negative = out.setp(Relation.LT, PtxType.F32, g.c.value(g.scale).lane(0), g.zero());
            Operand signs = out.selp(PtxType.B32, out.constant(0x80008000L), out.constant(0), negative);
            Operand place = h.leftRows(base, warpRow);
            for (int t = 0; t < tiles; t++) {
                List<List<Operand>> steps = new ArrayList<>();
                for (int s = 0; s < h.features / AttentionHeads.TILE; s++)
                    steps.add(h.matrices(h.along(place, s), AttentionHeads.TILE * t, false).stream()
                            .map(x -> (Operand) out.xor(PtxType.B32, x, signs))
                            .toList());
                q.add(steps);
                List<Reg> o = new ArrayList<>();
                for (int i = 0; i < h.features / 2; i++) o.add(g.register(g.zero()));
                sums.add(o);
                List<Row> both = new ArrayList<>();
                for (int half = 0; half < 2; half++)
                    both.add(new Row(g.register(g.number(Double.NEGATIVE_INFINITY)), g.register(g.zero())));
                state.add(both);
            }
            // Of causal attention the first query sees its own key and those before it.
            Operand seen = kernel.causal()
                    ? out.min(PtxType.S64, keyCount, g.scalars.addLong(row0, out.constant(1)))
                    : keyCount;
            Operand whole = out.and(PtxType.B64, seen, out.constant(-keys));
            Operand by = out.constant(keys);
            g.c.loop(out.constant(0), whole, by, first -> keys(first, false));
            g.c.loop(whole, end, by, first -> keys(first, true));
            finish();
        }

        /** Copies the next keys and values, which begin at {@code first}, to a stage. */
        private void bring(Operand first, Operand to) {
            List<Reg> there = h.there(h.left(keyCount, first), keys);
            h.copy(k, to, there);
            h.copy(v, ints.add(to, AttentionHeads.BLOCK), there);
            out.add(new AsyncCopy.Commit());
        }

        private void keys(Operand first, boolean masked) {
            out.add(new AsyncCopy.Wait(0));
            // This stage is there for all, and nobody reads the other any more.
            out.barrier();
            Reg other = out.xor(PtxType.B32, stage, out.constant(STAGE));
            Operand next = g.scalars.addLong(first, out.constant(keys));
            g.c.memory.when(out.setp(Relation.LT, PtxType.S64, next, end), () -> bring(next, ints.add(stages, other)));
            List<List<Reg>> scores = scores();
            List<List<Operand>> weights = new ArrayList<>();
            for (int t = 0; t < tiles; t++) weights.add(weights(t, scores.get(t), first, masked));
            weigh(weights);
            out.assign(PtxType.B32, stage, other);
        }

        private List<List<Reg>> scores() {
            List<List<Reg>> all = new ArrayList<>();
            for (int t = 0; t < tiles; t++) all.add(h.tile(keys));
            Operand at = ints.add(keyPlace, stage);
            for (int s = 0; s < h.features / AttentionHeads.TILE; s++) {
                Operand step = h.along(at, s);
                for (int pair = 0; pair < keys / 16; pair++) {
                    List<Operand> b = h.matrices(step, 16 * pair, false);
                    for (int t = 0; t < tiles; t++)
                        h.multiply(all.get(t), 2 * pair, q.get(t).get(s), b, s == 0 ? zero : null);
                }
            }
            return all;
        }

        private Operand row(int t, int half) {
            Operand within = ints.add(ints.add(warpRow, h.laneRow), (long) AttentionHeads.TILE * t + 8L * half);
            return g.scalars.addLong(row0, ints.wide(within));
        }

        /** How many of the block's keys, from the thread's first on, a row sees. */
        private Operand visible(Operand row, Operand first) {
            Operand last = kernel.causal()
                    ? out.min(PtxType.S64, keyCount, g.scalars.addLong(row, out.constant(1)))
                    : keyCount;
            Operand mine = g.scalars.addLong(first, ints.wide(ints.mul(h.lanePlace, 2)));
            Operand n = out.min(PtxType.S64, out.sub(PtxType.S64, last, mine), out.constant(keys));
            return ints.low(out.max(PtxType.S64, n, out.constant(0)));
        }

        /** Weights of a tile; what has been summed with others is made what it would be with the new maxima. */
        private List<Operand> weights(int t, List<Reg> scores, Operand first, boolean masked) {
            Operand[] all = new Operand[scores.size()];
            for (int half = 0; half < 2; half++) {
                Row row = state.get(t).get(half);
                Operand visible = masked ? visible(row(t, half), first) : null;
                List<Operand> s = new ArrayList<>();
                for (int i = 0; i < keys / 4; i++) {
                    Operand x = scores.get(i / 2 * 4 + 2 * half + i % 2);
                    if (masked) {
                        Reg seen = out.setp(Relation.GT, PtxType.S32, visible, out.constant(i / 2 * 8 + i % 2));
                        x = out.selp(PtxType.F32, x, g.number(Double.NEGATIVE_INFINITY), seen);
                    }
                    s.add(x);
                }
                Operand most = row.max;
                Operand here = s.getFirst();
                for (int i = 1; i < s.size(); i++) here = g.scalars.combine(Combine.MAX, DType.F32, here, s.get(i));
                most = g.scalars.combine(Combine.MAX, DType.F32, most, g.butterfly(Combine.MAX, here, 2));
                // Where all is hidden so far, every exponential is 0.
                Reg none = out.setp(Relation.EQ, PtxType.F32, most, g.number(Double.NEGATIVE_INFINITY));
                Operand shift = out.mul(PtxType.F32, g.scalars.select(DType.F32, none, g.zero(), most), minusFactor);
                Operand before = exp2(row.max, shift);
                Operand part = null;
                for (int i = 0; i < s.size(); i++) {
                    Operand e = exp2(s.get(i), shift);
                    all[i / 2 * 4 + 2 * half + i % 2] = e;
                    part = part == null ? e : out.add(PtxType.F32, part, e);
                }
                g.scalars.assign(DType.F32, row.sum, out.mad(PtxType.F32, row.sum, before, part));
                g.scalars.assign(DType.F32, row.max, most);
                for (int i = 0; i < h.features / 4; i++) {
                    Reg x = sums.get(t).get(i / 2 * 4 + 2 * half + i % 2);
                    g.scalars.assign(DType.F32, x, out.mul(PtxType.F32, x, before));
                }
            }
            return List.of(all);
        }

        private Reg exp2(Operand score, Operand shift) {
            Reg exponent = out.mad(PtxType.F32, score, factor, shift);
            return out.apply(Arithmetic.Function.EX2, FloatMode.APPROX.withFtz(), PtxType.F32, exponent);
        }

        private void weigh(List<List<Operand>> weights) {
            Operand at = ints.add(valuePlace, stage);
            List<Operand> pairs = new ArrayList<>();
            for (int pair = 0; pair < h.features / 16; pair++) pairs.add(h.along(at, pair));
            for (int s = 0; s < keys / AttentionHeads.TILE; s++) {
                List<List<Operand>> a = new ArrayList<>();
                for (int t = 0; t < tiles; t++) a.add(h.asLeft(weights.get(t), s));
                for (int pair = 0; pair < pairs.size(); pair++) {
                    List<Operand> b = h.matrices(pairs.get(pair), AttentionHeads.TILE * s, true);
                    for (int t = 0; t < tiles; t++) h.multiply(sums.get(t), 2 * pair, a.get(t), b, null);
                }
            }
        }

        /** Divides by the sums, and stores. */
        private void finish() {
            AttentionCode g = this.g.anew();
            AttentionHeads h = new AttentionHeads(g, schedule);
            LoopEmitter.bind(g.c, kernel.batch(), batch);
            Operand count = g.extent(kernel.i());
            Reg scale = magnitude(g);
            for (int t = 0; t < tiles; t++) {
                List<Operand> result = new ArrayList<>(sums.get(t));
                for (int half = 0; half < 2; half++) {
                    Row row = state.get(t).get(half);
                    Operand total = g.butterfly(Combine.SUM, row.sum, 2);
                    Reg none = out.setp(Relation.EQ, PtxType.F32, total, g.zero());
                    Operand inverse = out.div(PtxType.F32, out.constant(1f), total);
                    for (int i = 0; i < h.features / 4; i++) {
                        int at = i / 2 * 4 + 2 * half + i % 2;
                        Operand x = out.mul(PtxType.F32, result.get(at), inverse);
                        result.set(at, g.scalars.select(DType.F32, none, g.zero(), x));
                    }
                    Operand lse = out.mad(PtxType.F32, row.max, scale, g.log(total));
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
