// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.AttentionCells.Lines;
import io.sinter.codegen.ptx.lang.Arithmetic;
import io.sinter.codegen.ptx.lang.AsyncCopy;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Guard;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/** Panels of attention's operands by asynchronous copies of 16 bytes; what is beyond an edge along memory is 0. */
final class AttentionCopies {
    private static final int SIDE = AttentionCode.SIDE;
    private static final int CHUNK = GemmOperand.CHUNK;

    private final AttentionCode g;
    private final KernelBuilder out;
    private final IntCode ints;
    private final int threads;
    private final int bytes;
    private final Operand thread;

    /**
     * @param threads of the CTA
     * @param bytes of an element
     */
    AttentionCopies(AttentionCode g, int threads, int bytes) {
        this.g = g;
        out = g.out;
        ints = new IntCode(out);
        this.threads = threads;
        this.bytes = bytes;
        thread = out.mov(PtxType.U32, Operand.Special.TID_X);
    }

    /** Where chunk {@code chunk} of line {@code line} lies in a panel, in bytes. */
    interface Place {
        Operand of(Operand line, Operand chunk);
    }

    /**
     * Panels of two stages: while one is multiplied, the next one comes.
     *
     * @param stage where the first one comes; behind all, where nobody reads panels any more
     */
    void ahead(
            Reg stage,
            Operand from,
            Operand end,
            int depth,
            long stageBytes,
            BiConsumer<Operand, Operand> copy,
            Consumer<Operand> multiply) {
        copy.accept(from, stage);
        commit();
        g.c.loop(from, end, out.constant(depth), k0 -> {
            await();
            Reg other = out.sub(PtxType.S32, out.constant(stageBytes), stage);
            Operand next = g.scalars.addLong(k0, out.constant(depth));
            g.c.memory.when(out.setp(Relation.LT, PtxType.S64, next, end), () -> {
                copy.accept(next, other);
                commit();
            });
            multiply.accept(stage);
            out.assign(PtxType.B32, stage, other);
        });
    }

    void commit() {
        out.add(new AsyncCopy.Commit());
    }

    /** What was committed is there for all, and nobody reads what came before any more. */
    void await() {
        out.add(new AsyncCopy.Wait(0));
        out.barrier();
    }

    /**
     * Copies some bytes of each of 64 lines, from a step on.
     *
     * @param to where the panel begins
     * @param lineBytes of a line
     * @param pitch from line to line
     * @param period lines that are so many apart differ in {@code place} by their distance alone
     */
    void lines(
            Lines lines,
            Var along,
            Operand k0,
            Operand end,
            Operand to,
            int lineBytes,
            int pitch,
            int period,
            Place place) {
        int chunks = lineBytes / CHUNK;
        Operand line = ints.div(thread, chunks);
        Operand chunk = ints.mod(thread, chunks);
        int apart = threads / chunks;
        Operand at = g.scalars.addLong(k0, ints.wide(ints.mul(chunk, CHUNK / bytes)));
        Operand available = available(at, end);
        List<Operand> places = new ArrayList<>();
        for (int n = 0; n < Math.max(1, period / apart); n++)
            places.add(ints.add(to, place.of(ints.add(line, (long) n * apart), chunk)));
        Run run = new Run(
                lines.line(), g.scalars.addLong(lines.from(), ints.wide(line)), lines.size(), apart, SIDE / apart);
        copies(lines.value(), run, along, there(at, end), places, pitch, (_, _) -> available);
    }

    /**
     * Copies the 64 columns of {@code depth} steps.
     *
     * @param to where the panel begins
     * @param pitch from step to step
     */
    void steps(Lines columns, Var along, Operand first, int depth, Operand to, int pitch) {
        int chunks = SIDE * bytes / CHUNK;
        Operand number = ints.div(thread, chunks);
        Operand chunk = ints.mod(thread, chunks);
        int apart = threads / chunks;
        Operand end = g.extent(along);
        Operand at = g.scalars.addLong(columns.from(), ints.wide(ints.mul(chunk, CHUNK / bytes)));
        Operand available = available(at, columns.size());
        Operand start = ints.add(to, ints.add(ints.mul(number, pitch), ints.mul(chunk, CHUNK)));
        Run run = new Run(along, g.scalars.addLong(first, ints.wide(number)), end, apart, depth / apart);
        copies(
                columns.value(),
                run,
                columns.line(),
                there(at, columns.size()),
                List.of(start),
                pitch,
                (left, n) -> out.selp(PtxType.B32, available, out.constant(0), there(left, run, n)));
    }

    /** Positions along a variable, the same distance apart, of which those beyond the end are not there. */
    private record Run(Var of, Operand first, Operand size, int apart, int count) {}

    /** Whether position {@code n} of a run is there, by what is left from the first one on. */
    private Reg there(Operand left, Run run, int n) {
        return out.setp(Relation.GE, PtxType.S32, left, out.constant((long) n * run.apart + 1));
    }

    /**
     * Copies at the positions of a run: what is not there is read at the last one that is. From copy to copy the address goes on by what the operand's
     * stride is.
     *
     * @param other the other variable, and its value
     * @param places the first copies'; others go beyond these
     * @param pitch from one position's place to the next one's
     * @param available bytes that are there, by what is left of the run from its first position on, and the number of the copy
     */
    private void copies(
            Expr operand,
            Run run,
            Var other,
            Operand otherValue,
            List<Operand> places,
            int pitch,
            BiFunction<Operand, Integer, Operand> available) {
        Expr.Load l = (Expr.Load) operand;
        Operand most = out.min(PtxType.S64, out.sub(PtxType.S64, run.size, run.first), out.constant(SIDE));
        Operand left = ints.low(out.max(PtxType.S64, most, out.constant(0)));
        Operand stride = out.constant(0);
        for (Index.Term t : l.index().terms())
            if (((Index.VarAtom) t.atom()).var() == run.of) stride = g.c.indices.coef(t.coef());
        Operand step = g.scalars.mulLong(stride, out.constant((long) run.apart * bytes));
        g.side(1, () -> {
            g.c.bind(
                    run.of,
                    Value.of(DType.I64, g.within(List.of(run.first), run.size).getFirst()));
            g.c.bind(other, Value.of(DType.I64, otherValue));
            Operand.Address first = g.c.indices.addresses(l.buffer(), l.index()).getFirst();
            Reg from = out.mov(PtxType.B64, first.base());
            int n = places.size();
            for (int i = 0; i < run.count; i++) {
                if (i > 0)
                    out.add(
                            Guard.when(there(left, run, i)),
                            new Arithmetic.Binary(
                                    Arithmetic.BinaryOp.ADD, FloatMode.DEFAULT, PtxType.S64, from, from, step));
                Operand.Address to = out.at(places.get(i % n), (long) (i / n * n) * run.apart * pitch);
                Operand.Address at = out.at(from, first.offset());
                out.add(new AsyncCopy.Copy(true, List.of(), to, at, CHUNK, available.apply(left, i)));
            }
        });
    }

    /** A position, or 0 if there is none such. */
    private Operand there(Operand at, Operand end) {
        return out.selp(PtxType.B64, at, out.constant(0), out.setp(Relation.LT, PtxType.S64, at, end));
    }

    /** Bytes of the chunk that begins at a position which are below the end: 0 … 16. */
    private Operand available(Operand at, Operand end) {
        Operand left = out.sub(PtxType.S64, end, at);
        Operand some = out.max(PtxType.S64, out.min(PtxType.S64, left, out.constant(CHUNK / bytes)), out.constant(0));
        return ints.mul(ints.low(some), bytes);
    }
}
