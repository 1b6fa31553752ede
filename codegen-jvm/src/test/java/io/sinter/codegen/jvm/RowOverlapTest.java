// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tasks that begin with the next row's first pass. */
class RowOverlapTest {
    private static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    private static final Buf OUT = new Buf(2, DType.F32, Buf.Kind.OUT);
    private static final Buf EACH = new Buf(3, DType.F32, Buf.Kind.OUT);
    private static final int SLOTS = 7;

    private static final Var IMAGE = new Var("image", new Coef.Slot(4));
    private static final Var ROW = new Var("row", new Coef.Slot(5));
    private static final Var V = new Var("v", new Coef.Slot(6));
    private static final int ROWS = 3;
    private static final Index AT =
            index(term(Coef.of(10_000 * ROWS), IMAGE), term(Coef.of(10_000), ROW), term(Coef.of(1), V));
    private static final Index OF_ROW = index(term(Coef.of(ROWS), IMAGE), term(Coef.of(1), ROW));

    private static final Local SUM = new Local("sum", DType.F32);
    private static final Local MAX = new Local("max", DType.F32);
    private static final Local SQUARES = new Local("squares", DType.F32);
    private static final Local VALUE = new Local("value", DType.F32);

    private static Index index(Index.Term... terms) {
        return new Index(List.of(terms), Coef.of(0));
    }

    private static Index.Term term(Coef stride, Var v) {
        return new Index.Term(stride, new Index.VarAtom(v));
    }

    private static Stmt.Loop vector(Stmt... body) {
        return new Stmt.Loop(V, Kind.VECTOR, List.of(body));
    }

    private static LoopKernel kernel(Stmt... body) {
        return new LoopKernel("rows", List.of(IMAGE, ROW), List.of(IN, OUT, EACH), SLOTS, 0, List.of(body));
    }

    private static Stmt declare(Local l, double start) {
        return new Stmt.Declare(l, Expr.Const.of(DType.F32, start));
    }

    private static Expr x() {
        return new Expr.Load(IN, AT);
    }

    private static Expr difference() {
        return Expr.bin(Prim2.SUB, x(), new Expr.Ref(SUM));
    }

    private static Stmt.Loop firstPass() {
        return vector(new Stmt.Accumulate(SUM, Combine.SUM, x()), new Stmt.Accumulate(MAX, Combine.MAX, x()));
    }

    private static Stmt.Loop lastPass() {
        return vector(new Stmt.Store(
                OUT,
                AT,
                Expr.bin(
                        Prim2.ADD,
                        Expr.bin(Prim2.MUL, difference(), new Expr.Ref(MAX)),
                        Expr.un(Prim1.SQRT, new Expr.Ref(SQUARES)))));
    }

    /** As a layer norm: sum and extreme, the squares of differences, and a last pass. */
    private static LoopKernel norm() {
        return kernel(
                declare(SUM, 0.5),
                declare(MAX, Double.NEGATIVE_INFINITY),
                firstPass(),
                declare(SQUARES, 0),
                vector(new Stmt.Accumulate(SQUARES, Combine.SUM, Expr.bin(Prim2.MUL, difference(), difference()))),
                lastPass(),
                new Stmt.Store(EACH, OF_ROW, new Expr.Ref(SQUARES)));
    }

    private static String listing(LoopKernel k) {
        return JvmCodegen.listing(JvmCodegen.generate(k, new Options(512)));
    }

    private static boolean overlaps(LoopKernel k) {
        return listing(k).contains("private static rest(");
    }

    /** A row's bits are the same whichever loop has reduced it: in ranges of any number of tasks, for rows of one chunk and of several. */
    @Test
    void rowsAreThoseOfTasksOneByOne() {
        int images = 3;
        for (int n : new int[] {1, 17, 70, 1000, 4500}) {
            KernelHarness h = new KernelHarness(norm());
            h.slots[4] = images;
            h.slots[5] = ROWS;
            h.slots[6] = n;
            int size = images * ROWS * 10_000;
            h.inputs.put(IN, LoopKernelTest.floats(size, i -> Math.sin(i * 0.7) * 3));
            h.inputs.put(OUT, new byte[4 * size]);
            h.inputs.put(EACH, new byte[4 * images * ROWS]);
            byte[] expected = h.interpret().memory().get(OUT);
            for (Options o : KernelHarness.ALL) {
                var alone = h.generated(o, 1).memory();
                float[] e = LoopKernelTest.floats(expected);
                float[] a = LoopKernelTest.floats(alone.get(OUT));
                for (int i = 0; i < size; i++)
                    assertEquals(e[i], a[i], 1e-3f * Math.max(1, Math.abs(e[i])), o + " rows of " + n);
                h.checkRanges(o, " rows of " + n, alone, List.of(OUT, EACH), 2, 3, 4, 9);
            }
        }
    }

    /** The last loop and the next row's first one are one method: no more of them than passes. */
    @Test
    void noMoreLoopsThanPasses() {
        String text = listing(norm());
        assertTrue(overlaps(norm()), text);
        assertEquals(3, text.split("private static loop", -1).length - 1, text);
        assertFalse(text.contains("private static tile("), text);
    }

    @Test
    void otherKernelsRunTaskByTask() {
        Stmt sum = declare(SUM, 0);
        Stmt max = declare(MAX, 0);
        Stmt squares = declare(SQUARES, 0);
        Stmt store = new Stmt.Store(EACH, OF_ROW, new Expr.Ref(SUM));
        assertFalse(overlaps(kernel(sum, max, firstPass(), store)), "one pass");
        assertFalse(
                overlaps(kernel(
                        sum,
                        max,
                        squares,
                        vector(
                                new Stmt.Let(VALUE, x()),
                                new Stmt.Store(OUT, AT, new Expr.Ref(VALUE)),
                                new Stmt.Accumulate(SUM, Combine.SUM, new Expr.Ref(VALUE))),
                        lastPass())),
                "a first pass that stores");
        assertFalse(
                overlaps(kernel(
                        new Stmt.Declare(SUM, new Expr.Load(EACH, OF_ROW)), max, squares, firstPass(), lastPass())),
                "an accumulator that starts with a number of the task's");
        Stmt.Loop readsResult = vector(new Stmt.Accumulate(SUM, Combine.SUM, new Expr.Load(OUT, AT)));
        assertFalse(
                overlaps(kernel(sum, max, squares, readsResult, lastPass())),
                "a first pass that reads what the last one stores");
    }

    /** A last loop too large to be unrolled: the first pass is not unrolled either, so its sums are in the same order. */
    @Test
    void aLargeLastLoop() {
        Expr large = x();
        for (int i = 0; i < 20; i++) large = Expr.bin(Prim2.ADD, Expr.bin(Prim2.MUL, large, x()), new Expr.Ref(SUM));
        LoopKernel k = kernel(
                declare(SUM, 0),
                declare(MAX, 0),
                firstPass(),
                vector(new Stmt.Store(OUT, AT, large)),
                new Stmt.Store(EACH, OF_ROW, new Expr.Ref(SUM)));
        assertTrue(overlaps(k));
        KernelHarness h = new KernelHarness(k);
        h.slots[4] = 2;
        h.slots[5] = ROWS;
        h.slots[6] = 2100;
        int size = 2 * ROWS * 10_000;
        h.inputs.put(IN, LoopKernelTest.floats(size, i -> Math.sin(i * 0.7)));
        h.inputs.put(OUT, new byte[4 * size]);
        h.inputs.put(EACH, new byte[4 * 2 * ROWS]);
        for (Options o : KernelHarness.ALL)
            h.checkRanges(o, " large", h.generated(o, 1).memory(), List.of(EACH), 2, 5, 6);
    }
}
