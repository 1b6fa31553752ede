// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Canon;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Combine;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tasks that go through a block of rows, each of which begins with the next one's first pass. */
class RowBlocksTest {
    private static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    private static final Buf OUT = new Buf(2, DType.F32, Buf.Kind.OUT);
    private static final Buf SUMS = new Buf(3, DType.F32, Buf.Kind.OUT);
    /** Of a block's columns, in scratch memory. */
    private static final Buf COLUMNS = new Buf(4, DType.F32, Buf.Kind.SCRATCH);

    private static final int WIDTH = 4500;
    private static final Coef BLOCKS = new Coef.Slot(5);
    private static final Coef BLOCK = new Coef.Slot(6);
    private static final Coef FROM_BLOCK = new Coef.Slot(7);
    private static final Coef MINUS_BLOCK = new Coef.Slot(8);
    private static final Coef ROWS = new Coef.Slot(9);
    private static final Coef N = new Coef.Slot(10);

    private static final Var B = new Var("block", BLOCKS);
    private static final Var ROW = new Var("row", BLOCK);
    private static final Var V = new Var("v", N);
    private static final Index COLUMN = new Index(List.of(term(Coef.of(1), V)), Coef.of(0));

    private static final Local SUM = new Local("sum", DType.F32);
    private static final Local SQUARES = new Local("squares", DType.F32);

    private static Index.Term term(Coef stride, Var v) {
        return new Index.Term(stride, new Index.VarAtom(v));
    }

    private static Stmt vector(Stmt... body) {
        return new Stmt.Loop(V, Kind.VECTOR, List.of(body));
    }

    private static Stmt declare(Local l, double start) {
        return new Stmt.Declare(l, Expr.Const.of(DType.F32, start));
    }

    private static Stmt.Loop rows() {
        Index at = new Index(List.of(term(FROM_BLOCK, B), term(Coef.of(WIDTH), ROW), term(Coef.of(1), V)), Coef.of(0));
        Expr x = new Expr.Load(IN, at);
        Expr d = Expr.bin(Prim2.SUB, x, new Expr.Ref(SUM));
        Expr y = Expr.bin(Prim2.MUL, d, new Expr.Ref(SQUARES));
        Expr sum = Expr.bin(Prim2.ADD, new Expr.Load(COLUMNS, COLUMN), y);
        return new Stmt.Loop(
                ROW,
                new Index(List.of(term(MINUS_BLOCK, B)), ROWS),
                Kind.SEQ,
                List.of(
                        declare(SUM, 0.5),
                        vector(new Stmt.Accumulate(SUM, Combine.SUM, x)),
                        declare(SQUARES, 0),
                        vector(new Stmt.Accumulate(SQUARES, Combine.SUM, Expr.bin(Prim2.MUL, d, d))),
                        vector(new Stmt.Store(COLUMNS, COLUMN, sum), new Stmt.Store(OUT, at, y))));
    }

    /** As a layer norm with gradients: rows, and the sums of their columns for each block of rows. */
    private static LoopKernel kernel() {
        Index ofBlock = new Index(List.of(term(Coef.of(WIDTH), B), term(Coef.of(1), V)), Coef.of(0));
        List<Stmt> body = List.of(
                vector(new Stmt.Store(COLUMNS, COLUMN, Expr.Const.of(DType.F32, 0))),
                rows(),
                vector(new Stmt.Store(SUMS, ofBlock, new Expr.Load(COLUMNS, COLUMN))));
        return new LoopKernel("blocks", List.of(B), List.of(IN, OUT, SUMS, COLUMNS), 11, 4L * WIDTH, body);
    }

    private static KernelHarness harness(int rows, int block, int n) {
        KernelHarness h = new KernelHarness(kernel());
        int blocks = (rows + block - 1) / block;
        h.slots[4] = 0;
        h.slots[5] = blocks;
        h.slots[6] = block;
        h.slots[7] = (long) block * WIDTH;
        h.slots[8] = -block;
        h.slots[9] = rows;
        h.slots[10] = n;
        h.inputs.put(IN, LoopKernelTest.floats(rows * WIDTH, i -> Math.sin(i * 0.7) * 3));
        h.inputs.put(OUT, new byte[4 * rows * WIDTH]);
        h.inputs.put(SUMS, new byte[4 * blocks * WIDTH]);
        return h;
    }

    @Test
    void rowsOverlap() {
        Canon canon = new Canon();
        List<Stmt> body = canon.statements(List.of(rows()));
        Facts facts = new Facts();
        facts.add(body);
        Stmt.Loop rows = (Stmt.Loop) body.getFirst();
        assertNotNull(RowOverlap.of(List.of(ROW), rows.body(), canon, facts, new Options(512), Integer.MAX_VALUE));
    }

    /** A row's bits are the same whether it is the first of its block or not, the last one's sums of columns are counted once, and the last block is shorter. */
    @Test
    void rowsAreThoseOfBlocksOfOne() {
        int rows = 7;
        for (int n : new int[] {17, 1000, WIDTH}) {
            for (Options o : KernelHarness.ALL) {
                byte[] alone = harness(rows, 1, n).generated(o, 1).memory().get(OUT);
                for (int block : new int[] {3, 10}) {
                    KernelHarness h = harness(rows, block, n);
                    String what = o + ", " + n + " columns in blocks of " + block;
                    var actual = h.generated(o, 1).memory();
                    assertArrayEquals(alone, actual.get(OUT), what);
                    h.checkRanges(o, what, actual, List.of(OUT, SUMS), 2);
                    float[] y = LoopKernelTest.floats(alone);
                    float[] sums = LoopKernelTest.floats(actual.get(SUMS));
                    float[] expected = new float[sums.length];
                    for (int r = 0; r < rows; r++)
                        for (int i = 0; i < n; i++) expected[r / block * WIDTH + i] += y[r * WIDTH + i];
                    assertEquals(Arrays.toString(expected), Arrays.toString(sums), what);
                }
                float[] e = LoopKernelTest.floats(
                        harness(rows, 3, n).interpret().memory().get(OUT));
                float[] a = LoopKernelTest.floats(alone);
                float largest = 0;
                for (float f : e) largest = Math.max(largest, Math.abs(f));
                assertArrayEquals(e, a, 1e-4f * largest, o + " rows of " + n);
            }
        }
    }

    /** A block without rows: nothing is reduced ahead. */
    @Test
    void noRows() {
        KernelHarness h = harness(2, 2, 70);
        h.slots[9] = 0;
        for (Options o : KernelHarness.ALL)
            assertArrayEquals(h.inputs.get(OUT), h.generated(o, 1).memory().get(OUT), o.toString());
    }
}
