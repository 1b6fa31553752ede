// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.AttentionCells.Lines;
import io.sinter.codegen.ptx.AttentionCells.Places;
import io.sinter.codegen.ptx.lang.Bitwise.LogicOp;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Attention by blocks with the online softmax (Milakov and Gimelshein 2018; Dao 2023, "FlashAttention-2"), by tensor cores where operands have
 * 16 bits, else by plain fused multiply-adds: the matrix of all scores is never held. A CTA makes a block of 64 rows and 64 columns of a result; what
 * it needs of the scores it computes for itself, so that nothing is added up by several CTAs and the bits never depend on their order. The gradients of
 * queries, keys and values are three kernels; by plain multiply-adds those of keys and values are one.
 */
final class AttentionEmitter {
    /** Results of attention, and of its gradient. */
    enum Result {
        OUT(false),
        DQ(false),
        DK(true),
        DV(true),
        /** Both gradients of keys and values, where registers hold them. */
        KEYS(true);

        /** Whether its rows are keys; the columns of scores are queries then. */
        final boolean byKey;

        Result(boolean byKey) {
            this.byKey = byKey;
        }

        /** The variable along its columns; of two results, along those of the first. */
        private Var column(AttentionKernel kernel) {
            return switch (this) {
                case OUT, DV -> kernel.e();
                case DQ, DK, KEYS -> kernel.d();
            };
        }
    }

    private final AttentionKernel kernel;
    private final AttentionSchedule schedule;
    private final Result result;
    private final KernelBuilder out;
    private AttentionCode g;
    /** A thread's rows and columns within a block. */
    private Places down;

    private Places across;
    private final Var rowVar;
    private final Var columnVar;
    private Operand rows;
    private Operand columns;
    /** Of gradients. */
    private final AttentionQueries queries;

    /** Number of the matrix. */
    private Operand matrix;

    private AttentionEmitter(
            AttentionKernel kernel, AttentionSchedule schedule, String entry, int file, Result result) {
        this.kernel = kernel;
        this.schedule = schedule;
        this.result = result;
        out = new KernelBuilder(entry);
        queries = result == Result.OUT
                ? null
                : new AttentionQueries(out, kernel.acc().bytes(), result);
        g = new AttentionCode(kernel, schedule, out, file);
        rowVar = result.byKey ? kernel.j() : kernel.i();
        columnVar = result.byKey ? kernel.i() : kernel.j();
    }

    /** The kernel, or the kernels of the gradient. */
    static PtxKernel emit(AttentionKernel kernel, AttentionSchedule schedule, String entry, int file) {
        if (schedule.features() > 0) {
            if (kernel.pass() == AttentionKernel.Pass.FORWARD)
                return AttentionHeadsForward.emit(kernel, schedule, entry, file);
            PtxKernel keys = AttentionHeadsKeyGrad.emit(kernel, schedule, entry + "_keys", file);
            return AttentionHeadsQueryGrad.emit(kernel, schedule, entry, file, keys);
        }
        if (kernel.pass() == AttentionKernel.Pass.FORWARD)
            return new AttentionEmitter(kernel, schedule, entry, file, Result.OUT).emit(null);
        if (schedule.math() == GemmSchedule.Math.FMA) {
            PtxKernel keys = new AttentionEmitter(kernel, schedule, entry + "_keys", file, Result.KEYS).emit(null);
            return new AttentionEmitter(kernel, schedule, entry, file, Result.DQ).emit(keys);
        }
        PtxKernel dv = new AttentionEmitter(kernel, schedule, entry + "_dv", file, Result.DV).emit(null);
        PtxKernel dk = new AttentionEmitter(kernel, schedule, entry + "_dk", file, Result.DK).emit(dv);
        return new AttentionEmitter(kernel, schedule, entry, file, Result.DQ).emit(dk);
    }

    private PtxKernel emit(PtxKernel next) {
        AttentionCode all = g;
        Operand side = out.constant(AttentionCode.SIDE);
        Reg number = out.mov(PtxType.B64, all.special(Operand.Special.CTAID_X));
        String again = out.newLabel();
        String exit = out.newLabel();
        out.label(again);
        // Everything is computed for each block anew: what a loop over blocks would keep in registers, sums need.
        g = all.anew(schedule);
        down = g.cells.rows();
        across = g.cells.columns();
        rows = g.extent(rowVar);
        columns = g.extent(columnVar);
        Operand width = g.extent(result.column(kernel));
        Operand blocksDown = g.blocks(rows);
        Operand blocksAcross = g.blocks(width);
        // Of both results, whichever has more; CTAs take blocks in turn.
        if (result == Result.KEYS) blocksAcross = out.max(PtxType.S64, blocksAcross, g.blocks(g.extent(kernel.e())));
        Operand batches = out.constant(1);
        for (Var v : kernel.batch()) batches = g.scalars.mulLong(batches, g.extent(v));
        Operand count = g.scalars.mulLong(batches, g.scalars.mulLong(blocksDown, blocksAcross));
        out.branchIf(out.setp(Relation.GE, PtxType.S64, number, count), exit);
        ScalarEmitter.Divisor byAcross = g.scalars.divisor(blocksAcross);
        Operand rest = g.scalars.quotient(number, byAcross);
        Operand column = g.scalars.mulLong(g.scalars.rest(number, rest, byAcross), side);
        ScalarEmitter.Divisor by = g.scalars.divisor(kernel.causal() ? batches : blocksDown);
        Operand quotient = g.scalars.quotient(rest, by);
        Operand remainder = g.scalars.rest(rest, quotient, by);
        // Blocks that see the most come first, so that what is left at the end is little work: the last queries see
        // most keys.
        matrix = kernel.causal() ? remainder : quotient;
        Operand block = kernel.causal() ? quotient : remainder;
        if (kernel.causal() && !result.byKey)
            block = out.sub(PtxType.S64, g.scalars.addLong(blocksDown, out.constant(-1)), block);
        Operand row = g.scalars.mulLong(block, side);
        if (queries != null) queries.begin(g, batches, matrix);
        LoopEmitter.bind(g.c, kernel.batch(), matrix);
        if (result == Result.OUT) forward(row, column, width);
        else backward(row, column, width);
        out.assign(PtxType.B64, number, out.add(PtxType.S64, number, all.special(Operand.Special.NCTAID_X)));
        out.branch(again);
        out.label(exit);
        out.ret();
        LaunchRule.Blocks rule = LaunchRule.Blocks.of(
                kernel.batch(), rowVar, result.column(kernel), AttentionCode.SIDE, AttentionCode.SIDE, g.threads);
        if (schedule.math() == GemmSchedule.Math.FMA)
            rule = rule.withShared(AttentionFma.sharedBytes(schedule, g.bytes));
        // What the other gradients find there of the queries.
        if (result == Result.DQ) rule = rule.withScratch(g.bytes);
        String listing = KernelText.print(kernel) + "// " + schedule.note() + "\n";
        return new PtxKernel(out.build(), listing, rule, next, List.of());
    }

    /** The thread's row number {@code r} of a block that begins at {@code from}. */
    private Operand row(Operand from, int r) {
        return g.scalars.addLong(from, g.scalars.addLong(down.base(), out.constant(down.offsets()[r])));
    }

    /** The thread's columns of a block that begins at {@code from}. */
    private List<Operand> columns(Operand from) {
        Operand first = g.scalars.addLong(from, across.base());
        return Arrays.stream(across.offsets())
                .mapToObj(i -> g.scalars.addLong(first, out.constant(i)))
                .toList();
    }

    /** Products of queries and keys: of a block of rows with a block of columns. */
    private List<Reg> products(Operand row0, Operand column0) {
        List<Reg> all = g.block();
        Lines rowLines = new Lines(result.byKey ? g.k : g.q, rowVar, row0, rows);
        Lines columnLines = new Lines(result.byKey ? g.q : g.k, columnVar, column0, columns);
        g.cells.product(rowLines, columnLines, kernel.d(), all);
        return all;
    }

    /** Makes scores of the products of two blocks: −∞ where a key is hidden, or there is none. */
    private void score(List<Reg> products, Operand row0, Operand column0) {
        Operand scale = g.c.value(g.scale).lane(0);
        for (int r = 0; r < down.count(); r++) {
            List<Operand> bias = g.bias == null
                    ? null
                    : g.values(
                            g.bias,
                            columnVar,
                            g.within(columns(column0), columns),
                            rowVar,
                            g.within(List.of(row(row0, r)), rows).getFirst());
            for (int i = 0; i < across.count(); i++) {
                Reg x = products.get(r * across.count() + i);
                Operand s = out.mul(g.type, x, scale);
                g.scalars.assign(kernel.acc(), x, bias == null ? s : out.add(g.type, s, bias.get(i)));
            }
        }
        Operand last = g.scalars.addLong(column0, out.constant(AttentionCode.SIDE));
        Reg part = out.setp(Relation.GT, PtxType.S64, last, columns);
        if (kernel.causal()) {
            Operand ahead = out.sub(PtxType.S64, result.byKey ? column0 : row0, result.byKey ? row0 : column0);
            part = out.setp(Relation.LT, PtxType.S64, ahead, out.constant(AttentionCode.SIDE - 1), LogicOp.OR, part);
        }
        g.c.memory.when(part, () -> hide(products, row0, column0));
    }

    /** Where a key is hidden from a query, or there is none, scores are −∞. */
    private void hide(List<Reg> scores, Operand row0, Operand column0) {
        Operand first = g.scalars.addLong(column0, across.base());
        Operand left = near(out.sub(PtxType.S64, columns, first));
        Operand sees = kernel.causal() ? near(out.sub(PtxType.S64, row(row0, 0), first)) : null;
        for (int i = 0; i < across.count(); i++) {
            int offset = across.offsets()[i];
            Reg there = out.setp(Relation.GT, PtxType.S32, left, out.constant(offset));
            for (int r = 0; r < down.count(); r++) {
                Reg seen = there;
                if (kernel.causal()) {
                    Operand.Int least = out.constant(offset - (down.offsets()[r] - down.offsets()[0]));
                    seen = out.setp(
                            result.byKey ? Relation.LE : Relation.GE, PtxType.S32, sees, least, LogicOp.AND, there);
                }
                Reg s = scores.get(r * across.count() + i);
                g.scalars.assign(
                        kernel.acc(), s, g.scalars.select(kernel.acc(), seen, s, g.number(Double.NEGATIVE_INFINITY)));
            }
        }
    }

    /** A distance in 32 bits; one beyond a block is as far as its end. */
    private Operand near(Operand distance) {
        Operand most = out.min(PtxType.S64, distance, out.constant(AttentionCode.SIDE));
        Operand least = out.max(PtxType.S64, most, out.constant(-AttentionCode.SIDE));
        return out.cvt(FloatMode.DEFAULT, PtxType.U32, PtxType.U64, least);
    }

    /** Keys behind the last query of a block are hidden from all of it. */
    private Operand lastColumn(Operand row0) {
        if (!kernel.causal() || result.byKey) return columns;
        return out.min(PtxType.S64, columns, g.scalars.addLong(row0, out.constant(AttentionCode.SIDE)));
    }

    /** Queries before the first key of a block see none of it. */
    private Operand firstColumn(Operand row0) {
        return kernel.causal() && result.byKey ? row0 : out.constant(0);
    }

    /** What results' places are made of is not in registers before they are stored. */
    private void anew() {
        g = g.anew();
        LoopEmitter.bind(g.c, kernel.batch(), matrix);
    }

    // ---- forward

    private void forward(Operand row0, Operand value0, Operand width) {
        List<Reg> o = g.block();
        List<Reg> max = new ArrayList<>();
        List<Reg> sum = new ArrayList<>();
        for (int r = 0; r < down.count(); r++) {
            max.add(g.register(g.number(Double.NEGATIVE_INFINITY)));
            sum.add(g.register(g.zero()));
        }
        g.c.loop(out.constant(0), lastColumn(row0), out.constant(AttentionCode.SIDE), column0 -> {
            List<Reg> products = products(row0, column0);
            Lines right = new Lines(g.v, kernel.e(), value0, width);
            g.cells.begin(right, kernel.j(), column0);
            score(products, row0, column0);
            for (int r = 0; r < down.count(); r++) {
                List<Reg> s = products.subList(r * across.count(), (r + 1) * across.count());
                Operand most = s.getFirst();
                for (int i = 1; i < across.count(); i++)
                    most = g.scalars.combine(Combine.MAX, kernel.acc(), most, s.get(i));
                most = g.scalars.combine(Combine.MAX, kernel.acc(), max.get(r), g.overRow(Combine.MAX, most));
                // Where all is hidden so far, every exponential is 0.
                Reg none = out.setp(Relation.EQ, g.type, most, g.number(Double.NEGATIVE_INFINITY));
                Operand base = g.scalars.select(kernel.acc(), none, g.zero(), most);
                List<Operand> from = new ArrayList<>(s);
                from.add(max.get(r));
                List<Operand> e = g.exp(from.stream()
                        .map(f -> (Operand) out.sub(g.type, f, base))
                        .toList());
                Operand part = g.zero();
                for (int i = 0; i < across.count(); i++) part = i == 0 ? e.get(0) : out.add(g.type, part, e.get(i));
                Operand before = e.get(across.count());
                g.scalars.assign(
                        kernel.acc(), sum.get(r), out.mad(g.type, sum.get(r), before, g.overRow(Combine.SUM, part)));
                g.scalars.assign(kernel.acc(), max.get(r), most);
                for (int i = 0; i < across.count(); i++) {
                    Reg x = o.get(r * across.count() + i);
                    g.scalars.assign(kernel.acc(), x, out.mul(g.type, x, before));
                }
                g.cells.weigh(r, e.subList(0, across.count()));
            }
            g.cells.weighted(right, kernel.j(), column0, o);
        });
        anew();
        for (int r = 0; r < down.count(); r++) {
            Operand at = row(row0, r);
            // A row that sees nothing; NaN stays.
            Reg none = out.setp(Relation.EQ, g.type, sum.get(r), g.zero());
            Reg total = sum.get(r);
            List<Operand> values = new ArrayList<>();
            for (int i = 0; i < across.count(); i++) {
                Operand x = out.div(g.type, o.get(across.count() * r + i), total);
                values.add(g.scalars.select(kernel.acc(), none, g.zero(), x));
            }
            store(Result.OUT, at, columns(value0), width, values);
            Operand lse = out.add(g.type, max.get(r), g.log(total));
            Operand shown = g.scalars.select(kernel.acc(), none, g.number(Double.NEGATIVE_INFINITY), lse);
            storeSum(at, value0, shown);
        }
    }

    /** Stores the thread's columns of a row of a result. */
    private void store(Result which, Operand row, List<Operand> at, Operand width, List<? extends Operand> values) {
        int first = 0;
        for (List<? extends Operand> some : AttentionCode.parts(values)) {
            storeSome(which, row, at.subList(first, first + some.size()), width, List.copyOf(some));
            first += some.size();
        }
    }

    private void storeSome(Result which, Operand row, List<Operand> at, Operand width, List<Operand> values) {
        g.side(values.size(), () -> {
            g.c.bind(rowVar, Value.of(DType.I64, g.within(List.of(row), rows).getFirst()));
            g.c.bind(which.column(kernel), new Value(DType.I64, g.within(at, width)));
            g.c.bind(g.result, new Value(kernel.acc(), values));
            Reg below = out.setp(Relation.LT, PtxType.S64, row, rows);
            Value inside = Value.of(
                    DType.BOOL,
                    values.size(),
                    i -> out.and(PtxType.PRED, below, out.setp(Relation.LT, PtxType.S64, at.get(i), width)));
            // Of gradients those of queries, keys and values in this order.
            g.c.memory.store(g.stores.get(which == Result.OUT ? 0 : which.ordinal() - 1), inside);
        });
    }

    /** Stores the logarithm of a query's sum: of all that compute it, one thread. */
    private void storeSum(Operand row, Operand value0, Operand value) {
        g.side(1, () -> {
            g.c.bind(rowVar, Value.of(DType.I64, g.within(List.of(row), rows).getFirst()));
            g.c.bind(g.result, Value.of(kernel.acc(), value));
            Operand column = g.scalars.addLong(value0, across.base());
            Reg first = out.setp(Relation.EQ, PtxType.S64, column, out.constant(0));
            Reg inside = out.and(PtxType.PRED, first, out.setp(Relation.LT, PtxType.S64, row, rows));
            g.c.memory.store(g.stores.get(1), Value.of(DType.BOOL, inside));
        });
    }

    // ---- backward

    private void backward(Operand row0, Operand value0, Operand width) {
        List<Reg> total = g.block();
        List<Reg> values = result == Result.KEYS ? g.block() : null;
        if (!result.byKey) queries.write(row0, value0);
        g.c.loop(firstColumn(row0), lastColumn(row0), out.constant(AttentionCode.SIDE), column0 -> {
            if (result.byKey) queries.write(column0, value0);
            List<Reg> scores = products(row0, column0);
            Expr dout = g.saved.get(1);
            Expr weighted =
                    switch (result) {
                        case DQ -> g.k;
                        case DK, KEYS -> g.q;
                        case DV -> dout;
                        case OUT -> throw new AssertionError(result);
                    };
            Lines right = new Lines(weighted, result.column(kernel), value0, width);
            Lines gradients = new Lines(dout, kernel.e(), value0, g.extent(kernel.e()));
            if (result == Result.DV || result == Result.KEYS) g.cells.begin(gradients, columnVar, column0);
            score(scores, row0, column0);
            probabilities(scores);
            if (result == Result.KEYS) g.cells.weighted(gradients, columnVar, column0, values);
            if (result != Result.DV) {
                List<Reg> slopes = g.block();
                g.cells.product(
                        new Lines(result.byKey ? g.v : dout, rowVar, row0, rows),
                        new Lines(result.byKey ? dout : g.v, columnVar, column0, columns),
                        kernel.e(),
                        slopes);
                g.cells.begin(right, columnVar, column0);
                slopes(slopes);
            }
            g.cells.weighted(right, columnVar, column0, total);
        });
        anew();
        if (result == Result.KEYS) {
            store(Result.DK, row0, value0, width, total);
            store(Result.DV, row0, value0, g.extent(kernel.e()), values);
        } else store(result, row0, value0, width, total);
    }

    /** Stores a block of a gradient. */
    private void store(Result which, Operand row0, Operand value0, Operand width, List<Reg> block) {
        for (int r = 0; r < down.count(); r++)
            store(
                    which,
                    row(row0, r),
                    columns(value0),
                    width,
                    block.subList(r * across.count(), (r + 1) * across.count()));
    }

    /** Keeps the weights of the scores of a block. */
    private void probabilities(List<Reg> scores) {
        List<Operand> known = queries.sums(result.byKey ? across : down);
        for (int r = 0; r < down.count(); r++) {
            List<Operand> from = new ArrayList<>();
            for (int i = 0; i < across.count(); i++) {
                Reg s = scores.get(r * across.count() + i);
                // A query that sees nothing has the sum −∞, and no score above it.
                Reg hidden = out.setp(Relation.EQ, g.type, s, g.number(Double.NEGATIVE_INFINITY));
                Operand d = out.sub(g.type, s, known.get(result.byKey ? i : r));
                from.add(g.scalars.select(kernel.acc(), hidden, g.number(Double.NEGATIVE_INFINITY), d));
            }
            g.cells.weigh(r, g.exp(from));
        }
    }

    /** Keeps the gradients of scores in the place of the weights, which are times those of the weights. */
    private void slopes(List<Reg> slopes) {
        Operand scale = g.c.value(g.scale).lane(0);
        List<Operand> known = queries.deltas(result.byKey ? across : down);
        for (int r = 0; r < down.count(); r++) {
            List<Operand> p = g.cells.weights(r);
            List<Operand> ds = new ArrayList<>();
            for (int i = 0; i < across.count(); i++) {
                Reg slope = slopes.get(r * across.count() + i);
                Operand d = out.sub(g.type, slope, known.get(result.byKey ? i : r));
                ds.add(out.mul(g.type, out.mul(g.type, p.get(i), d), scale));
            }
            g.cells.weigh(r, ds);
        }
    }
}
