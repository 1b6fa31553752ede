// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.AttentionCells.Lines;
import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.WarpOp.ShuffleMode;
import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What the kernels of attention have in common: a CTA has a block of 64 rows, and of 64 columns at a time. Products of blocks go through panels in shared
 * memory. Positions beyond an edge are read at the last one, which is always there; steps beyond the last count as 0.
 */
final class AttentionCode {
    /** Rows and columns of a block. */
    static final int SIDE = 64;

    /** Elements that a thread computes side by side at most: more take registers that sums need. */
    private static final int ABREAST = 8;

    final AttentionKernel kernel;
    final KernelBuilder out;
    private final Facts facts;
    final BodyEmitter c;
    final ScalarEmitter scalars;
    final PtxType type;
    final int bytes;

    final Expr q;
    final Expr k;
    final Expr v;
    final Expr bias;
    final Expr scale;
    final List<Expr> saved;
    final List<Stmt.Store> stores = new ArrayList<>();
    /** What {@link #stores} store. */
    final Local result;

    private final Local x;
    private final Expr expX;
    private final Expr logX;
    private final Exchange exchange;
    private final Reg thread;
    /** Scratch memory of all parameter blocks. */
    final Reg scratch;

    final int threads;
    /** Elements of a panel that a thread loads at a time: what the assembler has registers for. */
    private final int loads;

    /** Where, of two stages of panels that plain multiply-adds have, the one is that nobody reads; null if there is one. */
    final Reg stage;

    /** Null before there is code of blocks, and where whole heads are multiplied. */
    final AttentionCells cells;

    AttentionCode(AttentionKernel kernel, AttentionSchedule schedule, KernelBuilder out, int file) {
        this.kernel = kernel;
        this.out = out;
        type = ScalarEmitter.type(kernel.acc());
        bytes = kernel.acc().bytes();
        Canon canon = new Canon();
        MathCode math = new MathCode();
        facts = new Facts();
        q = expr(kernel.q(), canon, math, facts);
        k = expr(kernel.k(), canon, math, facts);
        v = expr(kernel.v(), canon, math, facts);
        bias = kernel.bias() == null ? null : expr(kernel.bias(), canon, math, facts);
        scale = expr(kernel.scale(), canon, math, facts);
        saved = kernel.saved().stream().map(e -> expr(e, canon, math, facts)).toList();
        x = new Local("x", kernel.acc());
        expX = expr(Expr.un(Prim1.EXP, new Expr.Ref(x)), canon, math, facts);
        logX = expr(Expr.un(Prim1.LOG, new Expr.Ref(x)), canon, math, facts);
        result = new Local("result", kernel.acc());
        List<Stmt> body = new ArrayList<>();
        for (AttentionKernel.Target t : kernel.outputs())
            body.add(new Stmt.Store(t.buffer(), t.index(), new Expr.Ref(result)));
        body = canon.statements(body);
        facts.add(body);
        for (Stmt s : body) stores.add((Stmt.Store) s);

        boolean tensor = schedule.math() != GemmSchedule.Math.FMA;
        threads = tensor ? AttentionMma.THREADS : AttentionFma.threads(schedule);
        // Left alone, the assembler spills registers for the sake of more CTAs.
        out.limits(Kernel.Limits.threads(threads).withMinCtas(tensor ? 1 : AttentionFma.ctas(schedule)));
        loads = tensor || bytes == 8 ? 4 : 2;
        Reg blocks = out.pointer();
        Reg stride = out.parameter(PtxType.U64);
        scratch = out.pointer();
        Reg block = out.mad(PtxType.S64, special(Operand.Special.CTAID_Y), stride, blocks);
        thread = special(Operand.Special.TID_X);
        c = new BodyEmitter(out, facts, new BodyEmitter.Frame(block, out.constant(0)));
        scalars = c.scalars;
        exchange = new Exchange(out);
        out.location(file, 1, 0);
        stage = !tensor && schedule.async() ? out.mov(PtxType.B32, out.constant(0)) : null;
        cells = null;
    }

    private AttentionCode(AttentionCode of, AttentionSchedule blocks) {
        kernel = of.kernel;
        out = of.out;
        facts = of.facts;
        type = of.type;
        bytes = of.bytes;
        q = of.q;
        k = of.k;
        v = of.v;
        bias = of.bias;
        scale = of.scale;
        saved = of.saved;
        stores.addAll(of.stores);
        result = of.result;
        x = of.x;
        expX = of.expX;
        logX = of.logX;
        exchange = of.exchange;
        thread = of.thread;
        scratch = of.scratch;
        threads = of.threads;
        loads = of.loads;
        stage = of.stage;
        c = new BodyEmitter(out, facts, of.c.frame);
        scalars = c.scalars;
        if (blocks == null) cells = of.cells;
        else if (blocks.math() == GemmSchedule.Math.FMA) cells = new AttentionFma(this, blocks);
        else cells = new AttentionMma(this, blocks);
    }

    /** The same for code from here on, which loads what it needs of the parameter block for itself: what lies in registers all along is many. */
    AttentionCode anew() {
        return new AttentionCode(this, null);
    }

    /** The same, with what multiplies blocks. */
    AttentionCode anew(AttentionSchedule blocks) {
        return new AttentionCode(this, blocks);
    }

    private static Expr expr(Expr e, Canon canon, MathCode math, Facts facts) {
        Expr r = canon.expr(math.expr(e));
        facts.add(r);
        return r;
    }

    /** A special register in 64 bits. */
    Reg special(Operand.Special s) {
        return out.wide(out.mov(PtxType.U32, s));
    }

    Operand extent(Var v) {
        return c.indices.coef(v.extent());
    }

    /** Blocks that so many rows or columns are. */
    Operand blocks(Operand n) {
        Operand up = scalars.addLong(n, out.constant(SIDE - 1));
        return out.shr(PtxType.U64, up, out.constant(Integer.numberOfTrailingZeros(SIDE)));
    }

    Operand zero() {
        return number(0);
    }

    Operand number(double value) {
        return scalars.constant(Expr.Const.of(kernel.acc(), value));
    }

    /** The part of the thread's number that counts modulo {@code side}, and how often {@code side} goes into it. */
    Operand low(int side) {
        return out.and(PtxType.B64, thread, out.constant(side - 1));
    }

    Operand high(int side) {
        return out.shr(PtxType.U64, thread, out.constant(Integer.numberOfTrailingZeros(side)));
    }

    List<Operand> steps(Operand from, int by, int count) {
        List<Operand> all = new ArrayList<>();
        for (int i = 0; i < count; i++) all.add(scalars.addLong(from, out.constant((long) i * by)));
        return all;
    }

    /** Positions within an extent: those beyond are the last one's. */
    List<Operand> within(List<Operand> at, Operand size) {
        Operand last = scalars.addLong(size, out.constant(-1));
        return at.stream().map(p -> (Operand) out.min(PtxType.S64, p, last)).toList();
    }

    /** Runs code for some elements side by side. */
    void side(int width, Runnable code) {
        c.nestedStep(new Step(null, width, Set.of()), false, code);
    }

    /** Registers of a block by rows, all 0. */
    List<Reg> block() {
        List<Reg> all = new ArrayList<>();
        for (int i = 0; i < cells.rows().count() * cells.columns().count(); i++) all.add(register(zero()));
        return all;
    }

    /** A register of its own with this value. */
    Reg register(Operand value) {
        return (Reg) scalars.copy(Value.of(kernel.acc(), value)).lane(0);
    }

    /** Exponentials, all at once. */
    List<Operand> exp(List<Operand> of) {
        return function(expX, of);
    }

    Operand log(Operand of) {
        return function(logX, List.of(of)).getFirst();
    }

    private List<Operand> function(Expr f, List<Operand> of) {
        List<Operand> all = new ArrayList<>();
        for (List<Operand> some : parts(of)) {
            side(some.size(), () -> {
                c.bind(x, new Value(kernel.acc(), some));
                Value r = c.value(f);
                for (int i = 0; i < some.size(); i++) all.add(r.lane(i));
            });
        }
        return all;
    }

    /** Parts that are computed side by side. */
    static <T> List<List<T>> parts(List<T> of) {
        List<List<T>> all = new ArrayList<>();
        for (int i = 0; i < of.size(); i += ABREAST) all.add(of.subList(i, Math.min(of.size(), i + ABREAST)));
        return all;
    }

    /** The values of an expression at some positions of one variable and one of another. */
    List<Operand> values(Expr e, Var many, List<Operand> at, Var one, Operand place) {
        List<Operand> all = new ArrayList<>();
        for (List<Operand> some : parts(at)) {
            side(some.size(), () -> {
                c.bind(many, new Value(DType.I64, some));
                if (one != null) c.bind(one, Value.of(DType.I64, place));
                Value r = c.value(e);
                for (int i = 0; i < some.size(); i++) all.add(r.lane(i));
            });
        }
        return all;
    }

    /** Combines a value over the threads of a row; each gets the result. Both sides of an exchange compute the same. */
    Operand overRow(Combine op, Operand value) {
        return butterfly(op, value, cells.laneDistances());
    }

    /** Combines a value over neighbouring threads, {@code 2 * distance} of them. */
    Operand butterfly(Combine op, Operand value, int distance) {
        int[] distances = new int[Integer.SIZE - Integer.numberOfLeadingZeros(distance)];
        Arrays.setAll(distances, i -> distance >> i);
        return butterfly(op, value, distances);
    }

    private Operand butterfly(Combine op, Operand value, int[] distances) {
        Operand r = scalars.register(kernel.acc(), value);
        for (int d : distances)
            r = scalars.combine(op, kernel.acc(), r, exchange.shuffle(ShuffleMode.BFLY, kernel.acc(), r, d));
        return r;
    }

    // ---- panels

    /**
     * A part of an operand in shared memory.
     *
     * @param depth its steps
     * @param linePitch bytes from line to line
     * @param stepPitch bytes from step to step
     * @param halves the type of 16 bits that elements have there; null for that of sums
     */
    record Panel(Reg at, int depth, int linePitch, int stepPitch, DType halves) {}

    /**
     * Writes a panel of 64 lines.
     *
     * @param alongStep neighbours in memory are neighbouring steps, and not lines
     */
    void write(Lines lines, Var step, Operand k0, Operand depth, Panel to, boolean alongStep) {
        int count = SIDE * to.depth / threads;
        int apart = alongStep ? threads / to.depth : threads / SIDE;
        Operand line = alongStep ? high(to.depth) : low(SIDE);
        Operand number = alongStep ? low(to.depth) : high(SIDE);
        Operand cell = scalars.addLong(
                scalars.mulLong(number, out.constant(to.stepPitch)), scalars.mulLong(line, out.constant(to.linePitch)));
        Reg cells = out.add(PtxType.S64, to.at, cell);
        long bytesApart = (long) apart * (alongStep ? to.linePitch : to.stepPitch);
        int some = Math.min(loads, count);
        Operand first = alongStep ? line : number;
        Consumer<Operand> load = from -> side(some, () -> {
            List<Operand> spread = steps(from, apart, some);
            List<Operand> at = steps(k0, alongStep ? List.of(number) : spread);
            c.bind(
                    lines.line(),
                    new Value(
                            DType.I64, within(steps(lines.from(), alongStep ? spread : List.of(line)), lines.size())));
            c.bind(step, new Value(DType.I64, within(at, depth)));
            Value value = c.value(lines.value());
            for (int i = 0; i < some; i++) {
                Reg inside = out.setp(Relation.LT, PtxType.S64, at.get(at.size() == 1 ? 0 : i), depth);
                Operand e = scalars.select(kernel.acc(), inside, value.lane(i), zero());
                PtxType t = to.halves == null ? type : PtxType.B16;
                out.add(Memory.Store.of(Space.SHARED, t, out.at(cells, i * bytesApart), bits(e, to.halves)));
            }
        });
        if (count == some) {
            load.accept(first);
            return;
        }
        // A loop that stays one: the assembler would keep the addresses of all that it unrolls in registers while
        // others are short of them.
        Operand end = scalars.addLong(first, out.constant((long) count * apart));
        c.loop(first, end, out.constant((long) some * apart), () -> out.pragma("nounroll"), from -> {
            load.accept(from);
            out.assign(PtxType.B64, cells, out.add(PtxType.S64, cells, out.constant(some * bytesApart)));
        });
    }

    /** Positions from a first one on. */
    private List<Operand> steps(Operand first, List<Operand> distances) {
        return distances.stream().map(d -> scalars.addLong(first, d)).toList();
    }

    private Operand bits(Operand e, DType halves) {
        if (halves == null) return scalars.register(kernel.acc(), e);
        return halves == DType.BF16 ? scalars.toBf16(e) : scalars.toHalf(e);
    }
}
