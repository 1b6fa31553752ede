// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import io.sinter.ir.loop.Var;
import io.sinter.ir.ref.KernelCase;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels whose threads work together: one thread a row, one warp, a CTA of several. */
class RowKernelsTest {
    private static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    private static final Buf OUT = new Buf(2, DType.F32, Buf.Kind.OUT);

    private static Index index(Coef offset, Index.Term... terms) {
        return new Index(List.of(terms), offset);
    }

    private static Index.Term term(Coef coef, Var v) {
        return new Index.Term(coef, new Index.VarAtom(v));
    }

    private static Stmt.Loop vector(Var v, Stmt... body) {
        return new Stmt.Loop(v, Stmt.Loop.Kind.VECTOR, List.of(body));
    }

    private static byte[] floats(int n, java.util.function.IntToDoubleFunction f) {
        ByteBuffer b = ByteBuffer.allocate(4 * n).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < n; i++) b.putFloat((float) f.applyAsDouble(i));
        return b.array();
    }

    private static float[] floats(byte[] bytes) {
        float[] out = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(out);
        return out;
    }

    /** Softmax in three passes, with the exponentials in a team's own memory: shared memory, or scratch memory for long rows. */
    private static KernelCase softmax(int n) {
        Buf scratch = new Buf(5, DType.F32, Buf.Kind.SCRATCH);
        Var row = new Var("row", new Coef.Slot(3));
        Var v = new Var("v", new Coef.Slot(4));
        Index at = index(Coef.of(0), term(new Coef.Slot(4), row), term(Coef.of(1), v));
        Index own = index(Coef.of(0), term(Coef.of(1), v));
        Local max = new Local("max", DType.F32);
        Local sum = new Local("sum", DType.F32);
        Local e = new Local("e", DType.F32);
        Expr x = new Expr.Load(IN, at);
        LoopKernel kernel = new LoopKernel(
                "softmax",
                List.of(row),
                List.of(IN, OUT, scratch),
                6,
                4L * (n > 3000 ? 9000 : 3000),
                List.of(
                        new Stmt.Declare(max, Expr.Const.of(DType.F32, Double.NEGATIVE_INFINITY)),
                        vector(v, new Stmt.Accumulate(max, Stmt.Combine.MAX, x)),
                        new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                        vector(
                                v,
                                new Stmt.Let(e, Expr.un(Prim1.EXP, Expr.bin(Prim2.SUB, x, new Expr.Ref(max)))),
                                new Stmt.Store(scratch, own, new Expr.Ref(e)),
                                new Stmt.Accumulate(sum, Stmt.Combine.SUM, new Expr.Ref(e))),
                        vector(
                                v,
                                new Stmt.Store(
                                        OUT,
                                        at,
                                        Expr.bin(Prim2.DIV, new Expr.Load(scratch, own), new Expr.Ref(sum))))));
        KernelCase k = new KernelCase(kernel);
        k.slots[3] = 5;
        k.slots[4] = n;
        k.inputs.put(IN, floats(5 * n, i -> Math.sin(i) * 20));
        k.inputs.put(OUT, new byte[20 * n]);
        return k;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8, 9, 32, 63, 64, 65, 1000, 1024, 3001})
    void softmaxRows(int n) {
        KernelCase k = softmax(n);
        float[] expected = floats(k.interpret().memory().get(OUT));
        for (int shift : new int[] {0, 1})
            assertArrayEquals(expected, floats(SimRun.run(k, 3, shift).memory().get(OUT)), 1e-6f, "shift " + shift);
    }

    /** A thread's loads of several steps come before anything waits for the first. */
    @Test
    void loadsOfFourStepsAreUnderWayAtATime() {
        String code =
                PtxCodegen.generate(softmax(1).kernel, "softmax", 1).code().toString();
        String before = code.substring(0, code.indexOf("max.NaN.f32"));
        assertEquals(4, before.split("ld.global.v4.f32", -1).length - 1, code);
    }

    /** Of each row the element whose number stands elsewhere, found as cross entropy finds it: by comparing all. */
    private static KernelCase picked(int n, long... places) {
        Buf in = new Buf(5, DType.I64, Buf.Kind.IN);
        Var row = new Var("row", new Coef.Slot(3));
        Var v = new Var("v", new Coef.Slot(4));
        Index at = index(Coef.of(0), term(new Coef.Slot(4), row), term(Coef.of(1), v));
        Local sum = new Local("sum", DType.F32);
        Expr place = new Expr.Checked(
                new Expr.Load(in, index(Coef.of(0), term(Coef.of(1), row))), new Coef.Slot(4), false, Coef.of(7));
        Expr here = Expr.bin(Prim2.EQ, new Expr.IndexValue(DType.I64, index(Coef.of(0), term(Coef.of(1), v))), place);
        LoopKernel kernel = new LoopKernel(
                "picked",
                List.of(row),
                List.of(IN, OUT, in),
                6,
                0,
                List.of(
                        new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                        vector(
                                v,
                                new Stmt.Accumulate(
                                        sum,
                                        Stmt.Combine.SUM,
                                        new Expr.Select(here, new Expr.Load(IN, at), Expr.Const.of(DType.F32, 0)))),
                        new Stmt.Store(OUT, index(Coef.of(0), term(Coef.of(1), row)), new Expr.Ref(sum))));
        KernelCase k = new KernelCase(kernel);
        k.slots[3] = places.length;
        k.slots[4] = n;
        k.inputs.put(IN, floats(places.length * n, Math::sin));
        k.inputs.put(OUT, new byte[4 * places.length]);
        ByteBuffer b = ByteBuffer.allocate(8 * places.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long x : places) b.putLong(x);
        k.inputs.put(in, b.array());
        return k;
    }

    /** An index that all steps share is loaded and checked once, and not at all where there is no step. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 64, 101})
    void aCheckThatAllStepsShare(int n) {
        for (long wrong : new long[] {Math.max(0, n - 1), n, -1}) {
            KernelCase k = picked(n, 0, n / 2, wrong);
            KernelCase.Outcome expected = k.interpret();
            KernelCase.Outcome actual = SimRun.run(k, 3, 1);
            assertEquals(expected.error(), actual.error(), "index " + wrong);
            assertArrayEquals(expected.memory().get(OUT), actual.memory().get(OUT), "index " + wrong);
        }
        String code =
                PtxCodegen.generate(picked(n, 0).kernel, "picked", 1).code().toString();
        assertEquals(1, code.split("atom", -1).length - 1, code);
    }

    /** Sums of columns: of each some neighbours are a thread's, which goes through the rows. */
    private static KernelCase columnSums(int rows, int n) {
        Var row = new Var("row", new Coef.Slot(3));
        Var v = new Var("v", new Coef.Slot(4));
        Local sum = new Local("sum", DType.F32);
        Expr x = new Expr.Load(IN, index(Coef.of(0), term(new Coef.Slot(4), row), term(Coef.of(1), v)));
        LoopKernel kernel = new LoopKernel(
                "columns",
                List.of(),
                List.of(IN, OUT),
                5,
                0,
                List.of(vector(
                        v,
                        new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                        new Stmt.Loop(row, Stmt.Loop.Kind.SEQ, List.of(new Stmt.Accumulate(sum, Stmt.Combine.SUM, x))),
                        new Stmt.Store(OUT, index(Coef.of(0), term(Coef.of(1), v)), new Expr.Ref(sum)))));
        KernelCase k = new KernelCase(kernel);
        k.slots[3] = rows;
        k.slots[4] = n;
        k.inputs.put(IN, floats(rows * n, i -> Math.sin(i)));
        k.inputs.put(OUT, new byte[4 * n]);
        return k;
    }

    /** Rows are added in their order, however many loads are under way: the bits are the interpreter's. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 5, 6, 7, 13})
    void columnSums(int rows) {
        for (int n : new int[] {6, 64}) {
            KernelCase k = columnSums(rows, n);
            assertArrayEquals(
                    k.interpret().memory().get(OUT),
                    SimRun.run(k, 3, 0).memory().get(OUT),
                    rows + " x " + n);
        }
    }

    /** Elements of rows that are no multiple of 16 bytes apart. */
    private static KernelCase negation(int rows, int n) {
        Var row = new Var("row", new Coef.Slot(3));
        Var v = new Var("v", new Coef.Slot(4));
        Index at = index(Coef.of(0), term(new Coef.Slot(4), row), term(Coef.of(1), v));
        LoopKernel kernel = new LoopKernel(
                "negation",
                List.of(row),
                List.of(IN, OUT),
                5,
                0,
                List.of(vector(v, new Stmt.Store(OUT, at, Expr.un(Prim1.NEG, new Expr.Load(IN, at))))));
        KernelCase k = new KernelCase(kernel);
        k.slots[3] = rows;
        k.slots[4] = n;
        k.inputs.put(IN, floats(rows * n, i -> Math.sin(i)));
        k.inputs.put(OUT, new byte[4 * rows * n]);
        return k;
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 1023, 1025, 1029, 2051})
    void rowsNeedNoAlignment(int n) {
        KernelCase k = negation(3, n);
        assertArrayEquals(
                k.interpret().memory().get(OUT), SimRun.run(k, 3, 0).memory().get(OUT));
    }

    /** Four at a time of aligned rows, and of others. */
    @Test
    void loadsOfFourStepsAreUnderWayInRowsThatAreNotAlignedToo() {
        String code =
                PtxCodegen.generate(negation(1, 4).kernel, "negation", 1).code().toString();
        String[] stores = code.split("st.global.f32", -1);
        assertEquals(4, stores[0].split("ld.global.f32", -1).length - 1, code);
    }

    @Test
    void loadsOfTwelveRowsAreUnderWayAtATime() {
        String code = PtxCodegen.generate(columnSums(1, 4).kernel, "columns", 1)
                .code()
                .toString();
        String before = code.substring(0, code.indexOf("add.rn.f32"));
        assertEquals(12, before.split("ld.global.v4.f32", -1).length - 1, code);
    }

    /** The order in which warps run makes no difference to a bit. */
    @Test
    void sumsDoNotDependOnTheOrderOfWarps() {
        KernelCase k = softmax(1000);
        byte[] first = SimRun.run(k, 1, 0).memory().get(OUT);
        for (long seed = 2; seed < 5; seed++)
            assertArrayEquals(first, SimRun.run(k, seed, 0).memory().get(OUT), "seed " + seed);
    }

    /** What one thread has put into scratch memory is read by another. */
    @ParameterizedTest
    @ValueSource(ints = {3, 50, 700})
    void threadsReadWhatOthersWrote(int n) {
        Buf scratch = new Buf(3, DType.F32, Buf.Kind.SCRATCH);
        Var row = new Var("row", Coef.of(600));
        Var v = new Var("v", Coef.of(n));
        Var w = new Var("w", Coef.of(n));
        LoopKernel kernel = new LoopKernel(
                "reverse",
                List.of(row),
                List.of(IN, OUT, scratch),
                4,
                4L * n,
                List.of(
                        vector(
                                v,
                                new Stmt.Store(
                                        scratch,
                                        index(Coef.of(0), term(Coef.of(1), v)),
                                        new Expr.Load(
                                                IN, index(Coef.of(0), term(Coef.of(n), row), term(Coef.of(1), v))))),
                        vector(
                                w,
                                new Stmt.Store(
                                        OUT,
                                        index(Coef.of(0), term(Coef.of(n), row), term(Coef.of(1), w)),
                                        new Expr.Load(scratch, index(Coef.of(n - 1), term(Coef.of(-1), w)))))));
        KernelCase k = new KernelCase(kernel);
        k.inputs.put(IN, floats(600 * n, i -> i));
        k.inputs.put(OUT, new byte[2400 * n]);
        SimRun.checkExact(k);
        assertTrue(new Hazards(kernel.body()).any());
    }

    /** Every statement's line is in the listing that the module names. */
    @Test
    void linesPointIntoTheListing() {
        PtxKernel code = PtxCodegen.generate(softmax(9).kernel, "softmax", 1);
        String text = PtxCodegen.module(io.sinter.codegen.ptx.lang.Target.SM_80, List.of(code))
                .toString();
        assertTrue(text.contains(".file 1 \"softmax.loop\""), text);
        List<String> listing = code.listing().lines().toList();
        List<Integer> lines = text.lines()
                .map(String::strip)
                .filter(l -> l.startsWith(".loc 1 "))
                .map(l -> Integer.parseInt(l.split(" ")[2]))
                .distinct()
                .toList();
        assertEquals(10, lines.size());
        assertTrue(listing.get(lines.getFirst() - 1).strip().startsWith("var "), listing.toString());
        assertTrue(listing.get(lines.getLast() - 1).strip().startsWith("out"), listing.toString());
    }

    /** One kernel, one text. */
    @Test
    void generationIsDeterministic() {
        assertEquals(
                PtxCodegen.generate(softmax(9).kernel, "k", 1).code().toString(),
                PtxCodegen.generate(softmax(9).kernel, "k", 1).code().toString());
    }
}
