// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.BodyEmitter.Step;
import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.Kernel;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Memory;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.lang.WarpOp;
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
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What the kernels of attention have in common: a CTA of 16 × 16 threads has a block of 64 rows, and of 64 columns at a time, each thread 4 × 4
 * elements. Products of blocks go through panels of 16 steps in shared memory. Positions beyond an edge are read at the last one, which is always
 * there; steps beyond the last count as 0.
 */
final class AttentionCode {
    /** Rows and columns of a block. */
    static final int SIDE = 64;

    /** Threads along a side, and the elements of each. */
    private static final int THREADS_SIDE = 16;

    static final int EACH = SIDE / THREADS_SIDE;
    static final int THREADS = THREADS_SIDE * THREADS_SIDE;

    /** Steps of a product in shared memory at a time. */
    static final int DEPTH = 16;

    /** Elements from one step to the next: vectors stay aligned, neighbouring steps meet in different banks. */
    static final int PITCH = SIDE + 4;

    final AttentionKernel kernel;
    final KernelBuilder out;
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
    private final Reg thread;
    /** Weights of a block by columns; panels of both operands while these are computed. */
    private final Reg weights;

    private final Reg panel;
    /** The thread's first row and column within a block. */
    final Operand firstRow;

    final Operand firstColumn;

    AttentionCode(AttentionKernel kernel, KernelBuilder out, int file) {
        this.kernel = kernel;
        this.out = out;
        type = ScalarEmitter.type(kernel.acc());
        bytes = kernel.acc().bytes();
        Canon canon = new Canon();
        MathCode math = new MathCode();
        Facts facts = new Facts();
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

        out.limits(Kernel.Limits.threads(THREADS));
        Operand.Symbol shared = out.shared("weights", 16, (long) SIDE * PITCH * bytes);
        Operand.Symbol steps = out.shared("panel", 16, (long) DEPTH * PITCH * bytes);
        Reg blocks = out.pointer();
        Reg stride = out.parameter(PtxType.U64);
        out.parameter(PtxType.U64);
        Reg block = out.mad(PtxType.S64, special(Operand.Special.CTAID_Y), stride, blocks);
        thread = special(Operand.Special.TID_X);
        weights = out.mov(PtxType.U64, shared);
        panel = out.mov(PtxType.U64, steps);
        c = new BodyEmitter(out, facts, new BodyEmitter.Frame(block, out.constant(0)));
        scalars = c.scalars;
        out.location(file, 1, 0);
        firstRow = scalars.mulLong(high(THREADS_SIDE), out.constant(EACH));
        firstColumn = scalars.mulLong(low(THREADS_SIDE), out.constant(EACH));
    }

    private static Expr expr(Expr e, Canon canon, MathCode math, Facts facts) {
        Expr r = canon.expr(math.expr(e));
        facts.add(r);
        return r;
    }

    /** A special register in 64 bits. */
    Reg special(Operand.Special s) {
        return out.cvt(FloatMode.DEFAULT, PtxType.U64, PtxType.U32, out.mov(PtxType.U32, s));
    }

    Operand extent(Var v) {
        return c.indices.coef(v.extent());
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

    /** {@code for (i = from; i < end; i += by)}. */
    void loop(Operand from, Operand end, Operand by, Consumer<Reg> body) {
        Reg i = out.mov(PtxType.B64, from);
        c.nested(true, () -> {
            String head = out.newLabel();
            String exit = out.newLabel();
            out.label(head);
            out.branchIf(out.setp(Relation.GE, PtxType.S64, i, end), exit);
            body.accept(i);
            scalars.assign(DType.I64, i, out.add(PtxType.S64, i, by));
            out.branch(head);
            out.label(exit);
        });
    }

    /** Runs code for some elements side by side. */
    void side(int width, Runnable code) {
        c.nestedStep(new Step(null, width, Set.of()), false, code);
    }

    /** Registers of a block, 4 × 4 by rows, all 0. */
    List<Reg> block() {
        List<Reg> all = new ArrayList<>();
        for (int i = 0; i < EACH * EACH; i++) all.add(register(zero()));
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
        side(of.size(), () -> {
            c.bind(x, new Value(kernel.acc(), of));
            Value r = c.value(f);
            for (int i = 0; i < of.size(); i++) all.add(r.lane(i));
        });
        return all;
    }

    /** The values of an expression at some positions of one variable and one of another. */
    List<Operand> values(Expr e, Var many, List<Operand> at, Var one, Operand place) {
        List<Operand> all = new ArrayList<>();
        side(at.size(), () -> {
            c.bind(many, new Value(DType.I64, at));
            if (one != null) c.bind(one, Value.of(DType.I64, place));
            Value r = c.value(e);
            for (int i = 0; i < at.size(); i++) all.add(r.lane(i));
        });
        return all;
    }

    /** Combines a value over the 16 threads of a row; each gets the result. Both sides of an exchange compute the same. */
    Operand overRow(Combine op, Operand value) {
        return butterfly(op, value, THREADS_SIDE / 2);
    }

    /** Combines a value over neighbouring threads, {@code 2 * distance} of them. */
    Operand butterfly(Combine op, Operand value, int distance) {
        Operand r = value;
        for (int d = distance; d > 0; d /= 2) r = scalars.combine(op, kernel.acc(), r, exchanged(r, d));
        return r;
    }

    private Operand exchanged(Operand value, int distance) {
        Reg r = scalars.register(kernel.acc(), value);
        Operand by = out.constant(distance);
        if (bytes == 4) return out.shfl(WarpOp.ShuffleMode.BFLY, r, by);
        Operand.Vector halves = out.registers(PtxType.B32, 2);
        out.assign(PtxType.B64, halves, r);
        List<Operand> moved = new ArrayList<>();
        for (Operand h : halves.elements()) moved.add(out.shfl(WarpOp.ShuffleMode.BFLY, h, by));
        Reg d = out.register(type);
        out.assign(PtxType.B64, d, new Operand.Vector(moved));
        return d;
    }

    // ---- products of blocks

    /** One side of a product: an expression, the variable of its lines, from which line on, and how many there are. */
    record Lines(Expr value, Var line, Operand from, Operand size) {}

    /** Adds {@code Σ left[row, step] · right[column, step]} to a block, over all of a variable. */
    void product(Lines left, Lines right, Var step, List<Reg> sums) {
        Operand depth = extent(step);
        Reg second = out.add(PtxType.S64, weights, out.constant((long) DEPTH * PITCH * bytes));
        loop(out.constant(0), depth, out.constant(DEPTH), k0 -> {
            write(left, step, k0, depth, weights, true);
            write(right, step, k0, depth, second, true);
            out.barrier();
            multiply(weights, second, sums);
            out.barrier();
        });
    }

    /** Adds {@code Σ weights[row, step] · right[step, column]} to a block, over the steps of the block of weights, from {@code first} on. */
    void weighted(Lines right, Var step, Operand first, List<Reg> sums) {
        for (int at = 0; at < SIDE; at += DEPTH) {
            write(right, step, scalars.addLong(first, out.constant(at)), extent(step), panel, false);
            out.barrier();
            multiply(
                    at == 0 ? weights : out.add(PtxType.S64, weights, out.constant((long) at * PITCH * bytes)),
                    panel,
                    sums);
            out.barrier();
        }
    }

    /** Puts the weight of a row (of the thread's 4) and its 4 columns into the block of weights. */
    void weigh(int row, List<Operand> values) {
        Operand cell = scalars.addLong(scalars.mulLong(firstColumn, out.constant(PITCH)), firstRow);
        Reg at = out.add(PtxType.S64, weights, scalars.mulLong(cell, out.constant(bytes)));
        for (int i = 0; i < EACH; i++)
            out.add(Memory.Store.of(
                    Space.SHARED,
                    type,
                    out.at(at, ((long) i * PITCH + row) * bytes),
                    scalars.register(kernel.acc(), values.get(i))));
    }

    /**
     * Writes a panel, each thread 4 elements.
     *
     * @param alongStep neighbours in memory are neighbouring steps, and not lines
     */
    private void write(Lines lines, Var step, Operand k0, Operand depth, Reg to, boolean alongStep) {
        int count = SIDE * DEPTH / THREADS;
        side(count, () -> {
            List<Operand> place = alongStep ? steps(high(DEPTH), THREADS / DEPTH, count) : List.of(low(SIDE));
            List<Operand> number = alongStep ? List.of(low(DEPTH)) : steps(high(SIDE), THREADS / SIDE, count);
            List<Operand> at = number.stream().map(n -> scalars.addLong(k0, n)).toList();
            List<Operand> line =
                    place.stream().map(p -> scalars.addLong(lines.from, p)).toList();
            c.bind(lines.line, new Value(DType.I64, within(line, lines.size)));
            c.bind(step, new Value(DType.I64, within(at, depth)));
            Value value = c.value(lines.value);
            for (int i = 0; i < count; i++) {
                Operand n = number.get(number.size() == 1 ? 0 : i);
                Operand p = place.get(place.size() == 1 ? 0 : i);
                Reg inside = out.setp(Relation.LT, PtxType.S64, at.get(at.size() == 1 ? 0 : i), depth);
                Operand e = scalars.select(kernel.acc(), inside, value.lane(i), zero());
                Operand cell = scalars.addLong(scalars.mulLong(n, out.constant(PITCH)), p);
                Reg address = out.add(PtxType.S64, to, scalars.mulLong(cell, out.constant(bytes)));
                out.add(Memory.Store.of(Space.SHARED, type, out.at(address), scalars.register(kernel.acc(), e)));
            }
        });
    }

    private void multiply(Reg left, Reg right, List<Reg> sums) {
        Reg a = out.add(PtxType.S64, left, scalars.mulLong(firstRow, out.constant(bytes)));
        Reg b = out.add(PtxType.S64, right, scalars.mulLong(firstColumn, out.constant(bytes)));
        for (int s = 0; s < DEPTH; s++) {
            List<Operand> rows = elements(a, s);
            List<Operand> columns = elements(b, s);
            for (int i = 0; i < EACH; i++) {
                for (int j = 0; j < EACH; j++) {
                    Reg sum = sums.get(i * EACH + j);
                    scalars.assign(kernel.acc(), sum, out.mad(type, rows.get(i), columns.get(j), sum));
                }
            }
        }
    }

    private List<Operand> elements(Reg base, int step) {
        List<Operand> all = new ArrayList<>();
        int chunk = 16 / bytes;
        for (int i = 0; i < EACH; i += chunk)
            all.addAll(out.load(Space.SHARED, type, chunk, out.at(base, ((long) step * PITCH + i) * bytes))
                    .elements());
        return all;
    }
}
