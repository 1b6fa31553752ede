// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

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
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows that are reduced, two at a time, and extremes of floats that are accumulated as integers. */
class RowPairsTest {
    private static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    private static final Buf OUT = new Buf(2, DType.F32, Buf.Kind.OUT);
    private static final Buf EACH = new Buf(3, DType.F32, Buf.Kind.OUT);
    private static final Buf KEPT = new Buf(4, DType.F32, Buf.Kind.SCRATCH);
    private static final int SLOTS = 7;

    private static final Var ROW = new Var("row", new Coef.Slot(5));
    private static final Var V = new Var("v", new Coef.Slot(6));
    private static final Index ALONG = index(new Index.Term(Coef.of(1), new Index.VarAtom(V)));
    private static final Index OF_ROW = index(new Index.Term(Coef.of(1), new Index.VarAtom(ROW)));
    private static final Index AT = index(
            new Index.Term(new Coef.Slot(6), new Index.VarAtom(ROW)), new Index.Term(Coef.of(1), new Index.VarAtom(V)));

    private static Index index(Index.Term... terms) {
        return new Index(List.of(terms), Coef.of(0));
    }

    private static Stmt.Loop vector(Stmt... body) {
        return new Stmt.Loop(V, Kind.VECTOR, List.of(body));
    }

    private static LoopKernel kernel(String name, List<Buf> buffers, long scratchBytes, Stmt... body) {
        return new LoopKernel(name, List.of(ROW), buffers, SLOTS, scratchBytes, List.of(body));
    }

    /** Overwrites rows by their exponentials, which it also keeps in scratch memory, and stores a number for each row. */
    private static LoopKernel exponentials(int longest) {
        Local max = new Local("max", DType.F32);
        Local sum = new Local("sum", DType.F32);
        Local x = new Local("x", DType.F32);
        Local e = new Local("e", DType.F32);
        Expr first = new Expr.Load(KEPT, Index.ZERO);
        return kernel(
                "exponentials",
                List.of(OUT, EACH, KEPT),
                4L * longest,
                new Stmt.Declare(max, Expr.Const.of(DType.F32, Double.NEGATIVE_INFINITY)),
                new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                vector(
                        new Stmt.Let(x, new Expr.Load(OUT, AT)),
                        new Stmt.Let(e, Expr.un(Prim1.EXP, new Expr.Ref(x))),
                        new Stmt.Accumulate(max, Combine.MAX, new Expr.Ref(x)),
                        new Stmt.Accumulate(sum, Combine.SUM, new Expr.Ref(e)),
                        new Stmt.Store(KEPT, ALONG, new Expr.Ref(e)),
                        new Stmt.Store(OUT, AT, new Expr.Ref(e))),
                new Stmt.Store(
                        EACH,
                        OF_ROW,
                        Expr.bin(Prim2.ADD, Expr.bin(Prim2.MUL, new Expr.Ref(max), new Expr.Ref(sum)), first)));
    }

    /** A row's bits are the same whatever other row runs beside it, or none: in ranges of any number of tasks, for rows of one chunk and of several. */
    @Test
    void rowsDoNotMindTheirNeighbours() {
        int rows = 7;
        for (int n : new int[] {1, 17, 70, 1000, 4500}) {
            KernelHarness h = new KernelHarness(exponentials(n));
            h.slots[5] = rows;
            h.slots[6] = n;
            h.inputs.put(OUT, LoopKernelTest.floats(rows * n, i -> Math.sin(i * 0.7) * 3));
            h.inputs.put(EACH, new byte[4 * rows]);
            float[] expected = LoopKernelTest.floats(h.interpret().memory().get(OUT));
            for (Options o : KernelHarness.ALL) {
                var alone = h.generated(o, 1).memory();
                assertArrayEquals(expected, LoopKernelTest.floats(alone.get(OUT)), 1e-5f, o + " rows of " + n);
                h.checkRanges(o, " rows of " + n, alone, List.of(OUT, EACH), 2, 3, 4, 7);
            }
        }
    }

    /** Two tasks share the methods of their loops, and only rows that are reduced and gone over once run so. */
    @Test
    void twoTasksAreOneMethodMore() {
        String pairs = listing(exponentials(100));
        assertEquals(1, occurrences(pairs, "private static tiles("), pairs);
        assertEquals(1, occurrences(pairs, "private static loop"), pairs);
        Local sum = new Local("sum", DType.F32);
        Stmt add = vector(new Stmt.Accumulate(sum, Combine.SUM, new Expr.Load(IN, AT)));
        Stmt declare = new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0));
        LoopKernel copy = kernel("copy", List.of(IN, OUT), 0, vector(new Stmt.Store(OUT, AT, new Expr.Load(IN, AT))));
        LoopKernel scaled = kernel(
                "scaled",
                List.of(IN, OUT),
                0,
                declare,
                add,
                vector(new Stmt.Store(OUT, AT, Expr.bin(Prim2.MUL, new Expr.Load(IN, AT), new Expr.Ref(sum)))));
        for (LoopKernel k : List.of(copy, scaled))
            assertEquals(0, occurrences(listing(k), "private static tiles("), k.name());
    }

    private static String listing(LoopKernel kernel) {
        return JvmCodegen.listing(JvmCodegen.generate(kernel, new Options(512)));
    }

    private static int occurrences(String text, String part) {
        return text.split(java.util.regex.Pattern.quote(part), -1).length - 1;
    }

    private static final int[] SPECIAL = {
        0x7f800000,
        0xff800000,
        0,
        0x80000000,
        0x7fc00000,
        0xffc00000,
        0x7f800001,
        0xffffffff,
        1,
        0x80000001,
        0x3f800000,
        0xbf800000,
        0x7f7fffff,
        0xff7fffff
    };

    /** The extreme of rows of any floats: NaN of either sign wins, and zeros have theirs. */
    @ParameterizedTest
    @EnumSource(
            value = Combine.class,
            names = {"MAX", "MIN"})
    void extremesAreThoseOfFloats(Combine op) {
        double none = op == Combine.MAX ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        Local extreme = new Local("extreme", DType.F32);
        LoopKernel kernel = kernel(
                "extremes",
                List.of(IN, OUT),
                0,
                new Stmt.Declare(extreme, Expr.Const.of(DType.F32, none)),
                vector(new Stmt.Accumulate(extreme, op, new Expr.Load(IN, AT))),
                new Stmt.Store(OUT, OF_ROW, new Expr.Ref(extreme)));
        int rows = 200;
        Random random = new Random(5);
        for (int n : new int[] {1, 2, 15, 16, 33, 64, 79, 1030}) {
            KernelHarness h = new KernelHarness(kernel);
            h.slots[5] = rows;
            h.slots[6] = n;
            java.nio.ByteBuffer x = java.nio.ByteBuffer.allocate(4 * rows * n).order(java.nio.ByteOrder.nativeOrder());
            for (int row = 0; row < rows; row++) {
                // Of two or three kinds, so that rows of one sign, and of NaN or zeros alone, occur.
                int[] kinds = random.ints(1 + row % 3, 0, SPECIAL.length + 2).toArray();
                int rare = random.nextInt(SPECIAL.length);
                for (int i = 0; i < n; i++) {
                    int k = kinds[random.nextInt(kinds.length)];
                    int bits = k < SPECIAL.length
                            ? SPECIAL[k]
                            : Float.floatToRawIntBits((k == SPECIAL.length ? 1 : -1) * random.nextFloat());
                    x.putInt(random.nextInt(n) == 0 ? SPECIAL[rare] : bits);
                }
            }
            h.inputs.put(IN, x.array());
            h.inputs.put(OUT, new byte[4 * rows]);
            h.checkExact(3);
        }
    }

    /** An accumulator that the loop itself reads is a float in every lane. */
    @Test
    void anExtremeThatIsReadIsAFloat() {
        Local extreme = new Local("extreme", DType.F32);
        LoopKernel kernel = kernel(
                "running",
                List.of(IN, OUT),
                0,
                new Stmt.Declare(extreme, Expr.Const.of(DType.F32, Double.NEGATIVE_INFINITY)),
                vector(
                        new Stmt.Accumulate(extreme, Combine.MAX, new Expr.Load(IN, AT)),
                        new Stmt.Store(
                                OUT, AT, Expr.bin(Prim2.MUL, new Expr.Ref(extreme), Expr.Const.of(DType.F32, 0)))));
        KernelHarness h = new KernelHarness(kernel);
        h.slots[5] = 3;
        h.slots[6] = 100;
        h.inputs.put(IN, LoopKernelTest.floats(300, i -> i + 1));
        h.inputs.put(OUT, LoopKernelTest.floats(300, i -> i));
        for (Options o : KernelHarness.ALL)
            assertArrayEquals(
                    new float[300],
                    LoopKernelTest.floats(h.generated(o, 2).memory().get(OUT)),
                    o.toString());
    }
}
