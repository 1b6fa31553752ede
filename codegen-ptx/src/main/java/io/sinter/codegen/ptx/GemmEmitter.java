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
import java.util.Set;

/**
 * Matrix products and convolutions by plain fused multiply-adds, for every accumulation type: a CTA of 16 × 16 threads makes a tile of 64 × 64,
 * each thread 4 × 4 of it. Panels of 16 steps of k go through shared memory, written by the operands' own code, so that prologues and
 * implicit convolutions cost nothing extra. Sums run over k in order.
 *
 * <p>What lies beyond the edges is read at the last row, column and step instead, which is always there; steps beyond the last count as 0, rows
 * and columns beyond are not stored.
 */
final class GemmEmitter {
    /** Rows and columns of a tile. */
    private static final int TILE = 64;

    /** Steps of k in shared memory at a time. */
    private static final int DEPTH = 16;

    /** Threads along a side, and the elements of each. */
    private static final int SIDE = 16;

    private static final int EACH = TILE / SIDE;
    private static final int THREADS = SIDE * SIDE;

    /** Elements from one step of a panel to the next: vectors stay aligned, neighbouring steps meet in different banks. */
    private static final int PITCH = TILE + 4;

    private final GemmKernel kernel;
    private final int file;
    private final KernelBuilder out;
    private final PtxType type;
    private final int bytes;
    private BodyEmitter c;
    private Reg thread;

    GemmEmitter(GemmKernel kernel, String entry, int file) {
        this.kernel = kernel;
        this.file = file;
        this.out = new KernelBuilder(entry);
        this.type = ScalarEmitter.type(kernel.acc());
        this.bytes = kernel.acc().bytes();
    }

    PtxKernel emit() {
        String listing = KernelText.print(kernel);
        Canon canon = new Canon();
        MathCode math = new MathCode();
        Expr a = canon.expr(math.expr(kernel.a()));
        Expr b = canon.expr(math.expr(kernel.b()));
        List<Stmt> epilogue = canon.statements(math.stmts(kernel.epilogue()));
        Facts facts = new Facts();
        facts.add(a);
        facts.add(b);
        facts.add(epilogue);
        out.limits(Kernel.Limits.threads(THREADS));
        Operand.Symbol left = out.shared("panel_a", 16, (long) DEPTH * PITCH * bytes);
        Operand.Symbol right = out.shared("panel_b", 16, (long) DEPTH * PITCH * bytes);
        Reg blocks = out.pointer();
        Reg stride = out.parameter(PtxType.U64);
        out.parameter(PtxType.U64);
        Reg block = out.mad(PtxType.S64, special(Operand.Special.CTAID_Y), stride, blocks);
        Reg cta = special(Operand.Special.CTAID_X);
        Reg ctas = special(Operand.Special.NCTAID_X);
        thread = special(Operand.Special.TID_X);
        Reg panelA = out.mov(PtxType.U64, left);
        Reg panelB = out.mov(PtxType.U64, right);
        c = new BodyEmitter(out, facts, new BodyEmitter.Frame(block, out.constant(0)));
        out.location(file, 1, 0);
        Operand rows = size(kernel.m());
        Operand columns = size(kernel.n());
        Operand depth = size(kernel.k());
        Operand down = tiles(rows);
        Operand across = tiles(columns);
        Operand count = c.scalars.mulLong(size(kernel.batch()), c.scalars.mulLong(down, across));
        loop(cta, count, ctas, tile -> {
            Operand column = c.scalars.remainderLong(tile, across);
            Operand rest = c.scalars.divideLong(tile, across);
            Operand row = c.scalars.remainderLong(rest, down);
            decode(kernel.batch(), List.of(c.scalars.divideLong(rest, down)));
            Operand m0 = c.scalars.mulLong(row, out.constant(TILE));
            Operand n0 = c.scalars.mulLong(column, out.constant(TILE));
            List<Reg> sums = new ArrayList<>();
            for (int i = 0; i < EACH * EACH; i++) sums.add(c.scalars.register(kernel.acc(), zero()));
            loop(out.mov(PtxType.B64, out.constant(0)), depth, out.constant(DEPTH), k0 -> {
                panel(a, panelA, m0, k0, rows, depth, true);
                panel(b, panelB, n0, k0, columns, depth, false);
                out.barrier();
                multiply(panelA, panelB, sums);
                out.barrier();
            });
            for (int i = 0; i < EACH; i++) epilogue(epilogue, i, m0, n0, rows, columns, sums);
        });
        out.ret();
        LaunchRule rule = new LaunchRule.Tiles(
                kernel.batch().stream().map(Var::extent).toList(),
                kernel.m().stream().map(Var::extent).toList(),
                kernel.n().stream().map(Var::extent).toList(),
                TILE,
                THREADS);
        return new PtxKernel(out.build(), listing, rule);
    }

    private Reg special(Operand.Special s) {
        return out.cvt(FloatMode.DEFAULT, PtxType.U64, PtxType.U32, out.mov(PtxType.U32, s));
    }

    private Operand zero() {
        return c.scalars.constant(Expr.Const.of(kernel.acc(), 0));
    }

    private Operand size(List<Var> vars) {
        Operand p = out.constant(1);
        for (Var v : vars) p = c.scalars.mulLong(p, c.indices.coef(v.extent()));
        return p;
    }

    private Operand tiles(Operand n) {
        return c.scalars.divideLong(c.scalars.addLong(n, out.constant(TILE - 1)), out.constant(TILE));
    }

    private interface Body {
        void at(Reg i);
    }

    /** {@code for (i = from; i < end; i += by)}. */
    private void loop(Operand from, Operand end, Operand by, Body body) {
        Reg i = out.mov(PtxType.B64, from);
        c.nested(true, () -> {
            String head = out.newLabel();
            String exit = out.newLabel();
            out.label(head);
            out.branchIf(out.setp(Relation.GE, PtxType.S64, i, end), exit);
            body.at(i);
            c.scalars.assign(DType.I64, i, out.add(PtxType.S64, i, by));
            out.branch(head);
            out.label(exit);
        });
    }

    /** Gives variables their values at flat positions, row-major. */
    private void decode(List<Var> vars, List<Operand> flat) {
        List<Operand> rest = flat;
        for (int v = vars.size() - 1; v >= 0; v--) {
            if (v == 0) {
                c.bind(vars.get(v), new Value(DType.I64, rest));
                return;
            }
            Operand n = c.indices.coef(vars.get(v).extent());
            c.bind(
                    vars.get(v),
                    new Value(
                            DType.I64,
                            rest.stream()
                                    .map(x -> c.scalars.remainderLong(x, n))
                                    .toList()));
            rest = rest.stream().map(x -> c.scalars.divideLong(x, n)).toList();
        }
    }

    /** Positions within a size: those beyond are the last one's. */
    private List<Operand> within(List<Operand> at, Operand size) {
        Operand last = c.scalars.addLong(size, out.constant(-1));
        return at.stream().map(x -> (Operand) out.min(PtxType.S64, x, last)).toList();
    }

    /** The part of {@code thread} that counts {@code of} modulo {@code side}, or how often {@code side} goes into it. */
    private Operand low(int side) {
        return out.and(PtxType.B64, thread, out.constant(side - 1));
    }

    private Operand high(int side) {
        return out.shr(PtxType.U64, thread, out.constant(Integer.numberOfTrailingZeros(side)));
    }

    private List<Operand> steps(Operand from, int by, int count) {
        List<Operand> all = new ArrayList<>();
        for (int i = 0; i < count; i++) all.add(c.scalars.addLong(from, out.constant((long) i * by)));
        return all;
    }

    /**
     * Writes one operand's panel: each thread 4 of its elements. Of the left operand neighbouring threads take neighbouring steps, of the right
     * one neighbouring columns, as matrices usually lie.
     */
    private void panel(Expr e, Reg panel, Operand from, Operand k0, Operand size, Operand depth, boolean isLeft) {
        int count = TILE * DEPTH / THREADS;
        c.nestedStep(new Step(null, count, Set.of()), false, () -> {
            List<Operand> place = isLeft ? steps(high(DEPTH), THREADS / DEPTH, count) : List.of(low(TILE));
            List<Operand> step = isLeft ? List.of(low(DEPTH)) : steps(high(TILE), THREADS / TILE, count);
            List<Operand> k = step.stream().map(x -> c.scalars.addLong(k0, x)).toList();
            decode(
                    isLeft ? kernel.m() : kernel.n(),
                    within(place.stream().map(x -> c.scalars.addLong(from, x)).toList(), size));
            decode(kernel.k(), within(k, depth));
            Value v = c.value(e);
            for (int i = 0; i < count; i++) {
                Operand s = step.get(step.size() == 1 ? 0 : i);
                Operand p = place.get(place.size() == 1 ? 0 : i);
                Reg inside = out.setp(Relation.LT, PtxType.S64, k.get(k.size() == 1 ? 0 : i), depth);
                Operand value = c.scalars.select(kernel.acc(), inside, v.lane(i), zero());
                Operand cell = c.scalars.addLong(c.scalars.mulLong(s, out.constant(PITCH)), p);
                Reg at = out.add(PtxType.S64, panel, c.scalars.mulLong(cell, out.constant(bytes)));
                out.add(Memory.Store.of(Space.SHARED, stored(), out.at(at), c.scalars.register(kernel.acc(), value)));
            }
        });
    }

    private PtxType stored() {
        return type.isFloat() ? type : type.bitsType();
    }

    /** Adds the products of the panels' steps to each thread's sums. */
    private void multiply(Reg panelA, Reg panelB, List<Reg> sums) {
        Operand rowBytes = c.scalars.mulLong(high(SIDE), out.constant((long) EACH * bytes));
        Operand columnBytes = c.scalars.mulLong(low(SIDE), out.constant((long) EACH * bytes));
        Reg a = out.add(PtxType.S64, panelA, rowBytes);
        Reg b = out.add(PtxType.S64, panelB, columnBytes);
        for (int k = 0; k < DEPTH; k++) {
            List<Operand> x = elements(a, k);
            List<Operand> y = elements(b, k);
            for (int i = 0; i < EACH; i++) {
                for (int j = 0; j < EACH; j++) {
                    Reg sum = sums.get(i * EACH + j);
                    c.scalars.assign(kernel.acc(), sum, out.mad(type, x.get(i), y.get(j), sum));
                }
            }
        }
    }

    private List<Operand> elements(Reg base, int step) {
        List<Operand> all = new ArrayList<>();
        int chunk = MemoryEmitter.elements(kernel.acc(), EACH);
        for (int i = 0; i < EACH; i += chunk) {
            Operand.Address at = out.at(base, (long) (step * PITCH + i) * bytes);
            all.addAll(out.load(Space.SHARED, stored(), chunk, at).elements());
        }
        return all;
    }

    /** The epilogue of a thread's row number {@code i}: 4 neighbouring columns. */
    private void epilogue(
            List<Stmt> statements, int i, Operand m0, Operand n0, Operand rows, Operand columns, List<Reg> sums) {
        c.nestedStep(new Step(null, EACH, Set.of()), false, () -> {
            Operand m = c.scalars.addLong(
                    m0, c.scalars.addLong(c.scalars.mulLong(high(SIDE), out.constant(EACH)), out.constant(i)));
            Operand n = c.scalars.addLong(n0, c.scalars.mulLong(low(SIDE), out.constant(EACH)));
            List<Operand> all = steps(n, 1, EACH);
            decode(kernel.m(), within(List.of(m), rows));
            decode(kernel.n(), within(all, columns));
            c.bind(kernel.result(), new Value(kernel.acc(), List.copyOf(sums.subList(i * EACH, (i + 1) * EACH))));
            Reg below = out.setp(Relation.LT, PtxType.S64, m, rows);
            Value inside = Value.of(
                    DType.BOOL,
                    EACH,
                    j -> out.and(PtxType.PRED, below, out.setp(Relation.LT, PtxType.S64, all.get(j), columns)));
            for (Stmt s : statements) {
                switch (s) {
                    case Stmt.Let l -> c.let(l.local(), l.value());
                    case Stmt.Store st -> {
                        c.memory.store(st, inside);
                        c.scope().changed(st.buffer());
                    }
                    case Stmt.Loop _, Stmt.Declare _, Stmt.Accumulate _, Stmt.Set _, Stmt.If _ ->
                        throw new IllegalStateException(kernel.name() + ": an epilogue has values and stores only");
                }
            }
        });
    }
}
