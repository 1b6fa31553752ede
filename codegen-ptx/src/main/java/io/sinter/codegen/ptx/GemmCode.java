// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Comparison.Relation;
import io.sinter.codegen.ptx.lang.FloatMode;
import io.sinter.codegen.ptx.lang.KernelBuilder;
import io.sinter.codegen.ptx.lang.Operand;
import io.sinter.codegen.ptx.lang.Operand.Reg;
import io.sinter.codegen.ptx.lang.PtxType;
import io.sinter.ir.DType;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What the parts of a matrix product's template have in common: the kernel under construction, its canonical code and its sizes. */
final class GemmCode {
    final GemmKernel kernel;
    final GemmSchedule schedule;
    final KernelBuilder out;
    final IntCode ints;
    final BodyEmitter c;
    final GemmOperand left;
    final GemmOperand right;
    final List<Stmt> epilogue;
    /** The thread's number in its CTA. */
    final Reg thread;

    final Operand batches;
    final Operand rows;
    final Operand columns;
    final Operand depth;
    /** Rows of all batches, which partial sums have for each split, and their columns: a multiple of 4. */
    final Operand allRows;

    final Operand paddedColumns;
    /** Scratch memory of this parameter block. */
    private final Operand scratch;

    GemmCode(GemmKernel kernel, GemmSchedule schedule, KernelBuilder out, int file) {
        this.kernel = kernel;
        this.schedule = schedule;
        this.out = out;
        ints = new IntCode(out);
        Canon canon = new Canon();
        MathCode math = new MathCode();
        boolean halves = schedule.math() == GemmSchedule.Math.BF16 || schedule.math() == GemmSchedule.Math.F16;
        GemmOperand a = GemmOperand.left(kernel);
        GemmOperand b = GemmOperand.right(kernel);
        if (halves) {
            a = a.asBits();
            b = b.asBits();
        }
        left = a.withValue(canon.expr(math.expr(a.value())));
        right = b.withValue(canon.expr(math.expr(b.value())));
        epilogue = canon.statements(math.stmts(kernel.epilogue()));
        Facts facts = new Facts();
        facts.add(left.value());
        facts.add(right.value());
        facts.add(epilogue);
        Reg blocks = out.pointer();
        Reg stride = out.parameter(PtxType.U64);
        boolean partial = schedule.splits() > 1;
        Operand memory = partial ? out.pointer() : out.parameter(PtxType.U64);
        Reg y = special(Operand.Special.CTAID_Y);
        Reg block = out.mad(PtxType.S64, y, stride, blocks);
        thread = out.mov(PtxType.U32, Operand.Special.TID_X);
        c = new BodyEmitter(out, facts, new BodyEmitter.Frame(block, out.constant(0)));
        out.location(file, 1, 0);
        batches = size(kernel.batch());
        rows = size(kernel.m());
        columns = size(kernel.n());
        depth = size(kernel.k());
        allRows = c.scalars.mulLong(batches, rows);
        paddedColumns =
                partial ? out.and(PtxType.B64, c.scalars.addLong(columns, out.constant(3)), out.constant(-4)) : columns;
        Operand partialBytes = c.scalars.mulLong(
                c.scalars.mulLong(allRows, paddedColumns),
                out.constant((long) schedule.splits() * kernel.acc().bytes()));
        scratch = partial ? c.scalars.addLong(memory, c.scalars.mulLong(y, partialBytes)) : memory;
    }

    /** Address of partial sums: of a split, and of row {@code r} of all batches' rows, from a column on. */
    Operand partial(Operand split, Operand r, Operand column) {
        Operand row = c.scalars.addLong(c.scalars.mulLong(split, allRows), r);
        Operand element = c.scalars.addLong(c.scalars.mulLong(row, paddedColumns), column);
        return c.scalars.addLong(
                scratch, c.scalars.mulLong(element, out.constant(kernel.acc().bytes())));
    }

    /** The kernel's loop IR, and a note on its form. */
    String listing() {
        return KernelText.print(kernel) + "// " + schedule.note() + "\n";
    }

    /** A special register in 64 bits. */
    Reg special(Operand.Special s) {
        return out.wide(out.mov(PtxType.U32, s));
    }

    Operand zero() {
        return c.scalars.constant(Expr.Const.of(kernel.acc(), 0));
    }

    private Operand size(List<Var> vars) {
        Operand p = out.constant(1);
        for (Var v : vars) p = c.scalars.mulLong(p, c.indices.coef(v.extent()));
        return p;
    }

    /** How many tiles cover a size. */
    Operand tiles(Operand n, int tile) {
        Operand up = c.scalars.addLong(n, out.constant(tile - 1));
        return up instanceof Operand.Int i
                ? out.constant(i.value() / tile)
                : out.shr(PtxType.U64, up, out.constant(Integer.numberOfTrailingZeros(tile)));
    }

    /** {@code for (i = from; i < end; i += by)}, in 64 bits. */
    void loop(Operand from, Operand end, Operand by, Consumer<Reg> body) {
        loop(PtxType.S64, from, end, by, body);
    }

    /** {@code for (i = 0; i < count; i++)}, in 32 bits. */
    void loop(int count, Consumer<Reg> body) {
        loop(PtxType.S32, out.constant(0), out.constant(count), out.constant(1), body);
    }

    private void loop(PtxType type, Operand from, Operand end, Operand by, Consumer<Reg> body) {
        loop(type, out.mov(type.bitsType(), from), end, by, body);
    }

    /** {@code for (; i < end; i += by)}, in 64 bits. */
    void loop(Reg i, Operand end, Operand by, Runnable body) {
        loop(PtxType.S64, i, end, by, _ -> body.run());
    }

    private void loop(PtxType type, Reg i, Operand end, Operand by, Consumer<Reg> body) {
        c.nested(true, () -> {
            String head = out.newLabel();
            String exit = out.newLabel();
            out.label(head);
            out.branchIf(out.setp(Relation.GE, type, i, end), exit);
            body.accept(i);
            out.assign(type.bitsType(), i, out.add(type, i, by));
            out.branch(head);
            out.label(exit);
        });
    }

    /** Gives variables their values at flat positions, row-major; several of them count in 32 bits ({@link LaunchRule.Tiles}). */
    void decode(List<Var> vars, List<Operand> flat) {
        if (vars.isEmpty()) return;
        if (vars.size() == 1) {
            c.bind(vars.getFirst(), new Value(DType.I64, flat));
            return;
        }
        List<List<Operand>> all = digits(vars, flat);
        for (int v = 0; v < vars.size(); v++) c.bind(vars.get(v), new Value(DType.I64, all.get(v)));
    }

    /** The values of variables at flat positions, row-major: a list for each variable. */
    List<List<Operand>> digits(List<Var> vars, List<Operand> flat) {
        List<List<Operand>> all = new ArrayList<>();
        if (vars.size() <= 1) {
            if (vars.size() == 1) all.add(flat);
            return all;
        }
        List<Operand> rest = flat.stream().map(ints::low).toList();
        for (int v = vars.size() - 1; v > 0; v--) {
            Operand n = ints.low(c.indices.coef(vars.get(v).extent()));
            List<Operand> quotients = rest.stream().map(x -> divide(x, n)).toList();
            List<Operand> digits = new ArrayList<>();
            for (int i = 0; i < rest.size(); i++) {
                Operand whole = out.mul(PtxType.U32, quotients.get(i), n);
                digits.add(ints.wide(out.sub(PtxType.U32, rest.get(i), whole)));
            }
            all.addFirst(digits);
            rest = quotients;
        }
        all.addFirst(rest.stream().map(ints::wide).toList());
        return all;
    }

    /** Of numbers that fit 32 bits, not negative. */
    Operand quotient(Operand a, Operand by) {
        return by instanceof Operand.Int i && i.value() == 1 ? a : ints.wide(divide(ints.low(a), ints.low(by)));
    }

    /** Of numbers that fit 32 bits, not negative. */
    Operand remainder(Operand a, Operand by) {
        return by instanceof Operand.Int i && i.value() == 1
                ? out.constant(0)
                : ints.wide(out.rem(PtxType.U32, ints.low(a), ints.low(by)));
    }

    private Operand divide(Operand a, Operand by) {
        return out.binary(io.sinter.codegen.ptx.lang.Arithmetic.BinaryOp.DIV, FloatMode.DEFAULT, PtxType.U32, a, by);
    }

    /** Positions within a size: those beyond are the last one's. */
    List<Operand> within(List<Operand> at, Operand size) {
        Operand last = c.scalars.addLong(size, out.constant(-1));
        return at.stream().map(x -> (Operand) out.min(PtxType.S64, x, last)).toList();
    }
}
