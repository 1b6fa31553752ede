// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.LoopKernelTest.IN;
import static io.sinter.codegen.jvm.LoopKernelTest.IN_OUT;
import static io.sinter.codegen.jvm.LoopKernelTest.OUT;
import static io.sinter.codegen.jvm.LoopKernelTest.floats;
import static io.sinter.codegen.jvm.LoopKernelTest.index;
import static io.sinter.codegen.jvm.LoopKernelTest.term;
import static io.sinter.codegen.jvm.LoopKernelTest.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Indices that depend on data, limits of loops, positions as values. */
class LoopIndexTest {
    /**
     * The first index out of range is reported with its site, value and bound; nothing outside the buffer is
     * read.
     */
    @Test
    void indexErrors() {
        Buf positions = new Buf(3, DType.I64, Buf.Kind.IN);
        Var v = new Var("v", Coef.of(40));
        Index at = index(Coef.of(0), term(1, v));
        Expr checked = new Expr.Checked(new Expr.Load(positions, at), new Coef.Slot(4), true, new Coef.Slot(5));
        Index gathered = new Index(
                List.of(new Index.Term(Coef.of(1), new Index.DataAtom(checked, new Coef.Slot(4)))), Coef.of(0));
        LoopKernel kernel = new LoopKernel(
                "gather",
                List.of(),
                List.of(IN, OUT, positions),
                6,
                0,
                List.of(vector(v, new Stmt.Store(OUT, at, new Expr.Load(IN, gathered)))));
        for (long bad : new long[] {9, -10, 100, Long.MAX_VALUE, Long.MIN_VALUE}) {
            for (int where : new int[] {-1, 0, 5, 38, 39}) {
                ByteBuffer p = ByteBuffer.allocate(40 * 8).order(ByteOrder.nativeOrder());
                for (int i = 0; i < 40; i++) p.putLong(8 * i, i % 18 - 9);
                if (where >= 0) p.putLong(8 * where, bad);
                KernelHarness h = new KernelHarness(kernel);
                h.slots[4] = 9;
                h.slots[5] = 77;
                h.inputs.put(IN, floats(9, i -> i + 1));
                h.inputs.put(OUT, new byte[160]);
                h.inputs.put(positions, p.array());
                KernelHarness.Outcome expected = h.interpret();
                assertEquals(where < 0 ? null : List.of(77L, bad, 9L), expected.error());
                for (Options o : KernelHarness.ALL) {
                    KernelHarness.Outcome actual = h.generated(o, 1);
                    assertEquals(expected.error(), actual.error(), o.toString());
                    assertArrayEquals(
                            expected.memory().get(OUT), actual.memory().get(OUT), o.toString());
                }
            }
        }
    }

    /** A loop with a limit, as the last tile of a range has, stops there; a limit below zero runs nothing. */
    @Test
    void limits() {
        Var tile = new Var("tile", Coef.of(4));
        Var v = new Var("v", Coef.of(32));
        Index limit = index(new Coef.Slot(3), term(-32, tile));
        Index at = index(Coef.of(0), term(32, tile), term(1, v));
        Stmt store = new Stmt.Store(OUT, at, Expr.bin(Prim2.ADD, new Expr.Load(IN, at), Expr.Const.of(DType.F32, 1)));
        for (Stmt.Loop.Kind kind : Stmt.Loop.Kind.values()) {
            if (kind == Stmt.Loop.Kind.ROWS) continue; // A loop over rows holds another one: TilesAndRowsTest.
            LoopKernel kernel = new LoopKernel(
                    "tiles",
                    List.of(tile),
                    List.of(IN, OUT),
                    4,
                    0,
                    List.of(new Stmt.Loop(v, limit, kind, List.of(store))));
            for (int n : new int[] {0, 1, 31, 32, 33, 70, 128}) {
                KernelHarness h = new KernelHarness(kernel);
                h.slots[3] = n;
                h.inputs.put(IN, floats(n, i -> i));
                h.inputs.put(OUT, new byte[4 * n]);
                h.checkExact(1);
                assertArrayEquals(
                        floats(n, i -> i + 1),
                        h.generated(new Options(512), 4).memory().get(OUT));
            }
        }
    }

    /** Windows side by side and elements repeated: quotients and remainders of positions, some of which a mask keeps below 0. */
    @Test
    void quotientsAndRemainders() {
        Var v = new Var("v", Coef.of(45));
        Index at = index(Coef.of(0), term(1, v));
        for (long by : new long[] {2, 3, 7, 16, 44, 60}) {
            for (long shift : new long[] {0, 1, -4}) {
                Index moved = index(Coef.of(shift), term(1, v));
                Index read = new Index(
                        List.of(
                                new Index.Term(Coef.of(2), new Index.DivAtom(moved, Coef.of(by))),
                                new Index.Term(Coef.of(1), new Index.ModAtom(moved, Coef.of(by)))),
                        Coef.of(0));
                Expr.Load load = new Expr.Load(IN, read);
                if (shift < 0) {
                    Expr position = new Expr.IndexValue(DType.I32, moved);
                    Expr inside = Expr.bin(Prim2.GE, position, Expr.Const.of(DType.I32, 0));
                    load = new Expr.Load(IN, read, inside, Expr.Const.of(DType.F32, 5));
                }
                LoopKernel kernel = new LoopKernel(
                        "quotients",
                        List.of(),
                        List.of(IN, OUT),
                        3,
                        0,
                        List.of(vector(v, new Stmt.Store(OUT, at, load))));
                KernelHarness h = new KernelHarness(kernel);
                h.inputs.put(IN, floats(100, i -> i + 1));
                h.inputs.put(OUT, new byte[4 * 45]);
                h.checkExact(1);
            }
        }
    }

    /** One-hot rows and triangles: comparisons of positions with uniform limits, near and far. */
    @Test
    void positionsAgainstLimits() {
        Var v = new Var("v", Coef.of(45));
        Index at = index(Coef.of(0), term(1, v));
        Index shifted = index(Coef.of(-5), term(1, v));
        for (Prim2 op : List.of(Prim2.EQ, Prim2.NE, Prim2.LT, Prim2.LE, Prim2.GT, Prim2.GE)) {
            for (DType t : List.of(DType.I64, DType.I32)) {
                Expr limit = new Expr.Arg(t, 3);
                Expr position = new Expr.IndexValue(t, shifted);
                Expr one = Expr.Const.of(DType.F32, 1);
                Expr zero = Expr.Const.of(DType.F32, 0);
                Stmt left = new Stmt.Store(OUT, at, new Expr.Select(Expr.bin(op, position, limit), one, zero));
                Stmt right = new Stmt.Store(IN_OUT, at, new Expr.Select(Expr.bin(op, limit, position), one, zero));
                LoopKernel kernel = new LoopKernel(
                        "positions", List.of(), List.of(OUT, IN_OUT), 5, 0, List.of(vector(v, left, right)));
                List<Long> limits = new java.util.ArrayList<>(
                        List.of(-100L, -6L, -5L, -4L, 0L, 10L, 11L, 12L, 38L, 39L, 40L, 1000L));
                if (t == DType.I64) limits.addAll(List.of(Long.MIN_VALUE, Long.MAX_VALUE, 1L << 33));
                for (long n : limits) {
                    KernelHarness h = new KernelHarness(kernel);
                    h.slots[3] = n;
                    h.inputs.put(OUT, new byte[180]);
                    h.inputs.put(IN_OUT, new byte[180]);
                    h.checkExact(1);
                }
            }
        }
    }
}
