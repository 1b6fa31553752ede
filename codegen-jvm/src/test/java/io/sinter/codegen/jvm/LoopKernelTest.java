// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import io.sinter.ir.ref.RandomKernel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Loop kernels written by hand. */
class LoopKernelTest {
    static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    static final Buf OUT = new Buf(2, DType.F32, Buf.Kind.OUT);

    static final Buf IN_OUT = new Buf(4, DType.F32, Buf.Kind.OUT);
    static final Buf MAXIMA = new Buf(4, DType.F32, Buf.Kind.OUT);

    static Index index(Coef offset, Index.Term... terms) {
        return new Index(List.of(terms), offset);
    }

    static Index.Term term(long coef, Var v) {
        return new Index.Term(Coef.of(coef), new Index.VarAtom(v));
    }

    static byte[] floats(int n, java.util.function.IntToDoubleFunction f) {
        ByteBuffer b = ByteBuffer.allocate(4 * n).order(ByteOrder.nativeOrder());
        for (int i = 0; i < n; i++) b.putFloat((float) f.applyAsDouble(i));
        return b.array();
    }

    static float[] floats(byte[] bytes) {
        float[] out = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().get(out);
        return out;
    }

    static Stmt.Loop vector(Var v, Stmt... body) {
        return new Stmt.Loop(v, Stmt.Loop.Kind.VECTOR, List.of(body));
    }

    /** Softmax in three passes over rows of any length, one code for all: the length is a parameter. */
    @Test
    void softmaxRows() {
        Var row = new Var("row", new Coef.Slot(3));
        Var v = new Var("v", new Coef.Slot(4));
        Index at = index(Coef.of(0), new Index.Term(new Coef.Slot(4), new Index.VarAtom(row)), term(1, v));
        Local max = new Local("max", DType.F32);
        Local sum = new Local("sum", DType.F32);
        Local e = new Local("e", DType.F32);
        Expr x = new Expr.Load(IN, at);
        LoopKernel kernel = new LoopKernel(
                "softmax",
                List.of(row),
                List.of(IN, OUT),
                5,
                0,
                List.of(
                        new Stmt.Declare(max, Expr.Const.of(DType.F32, Double.NEGATIVE_INFINITY)),
                        vector(v, new Stmt.Accumulate(max, Stmt.Combine.MAX, x)),
                        new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                        vector(
                                v,
                                new Stmt.Let(e, Expr.un(Prim1.EXP, Expr.bin(Prim2.SUB, x, new Expr.Ref(max)))),
                                new Stmt.Store(OUT, at, new Expr.Ref(e)),
                                new Stmt.Accumulate(sum, Stmt.Combine.SUM, new Expr.Ref(e))),
                        vector(
                                v,
                                new Stmt.Store(
                                        OUT, at, Expr.bin(Prim2.DIV, new Expr.Load(OUT, at), new Expr.Ref(sum))))));
        for (int n : new int[] {0, 1, 10, 15, 16, 17, 1000, 1024, 3001}) {
            KernelHarness h = new KernelHarness(kernel);
            h.slots[3] = 3;
            h.slots[4] = n;
            h.inputs.put(IN, floats(3 * n, i -> Math.sin(i) * 20));
            h.inputs.put(OUT, new byte[12 * n]);
            float[] expected = floats(h.interpret().memory().get(OUT));
            for (Options o : KernelHarness.ALL) {
                assertArrayEquals(expected, floats(h.generated(o, 2).memory().get(OUT)), 1e-6f, o + " rows of " + n);
            }
        }
    }
    /** Values put into scratch memory by one loop are there in the next, and in no other task's way. */
    @Test
    void scratchIsPrivate() {
        Buf scratch = new Buf(3, DType.F32, Buf.Kind.SCRATCH);
        Var row = new Var("row", Coef.of(5));
        Var v = new Var("v", Coef.of(50));
        Var w = new Var("w", Coef.of(50));
        Index at = index(Coef.of(0), term(50, row), term(1, v));
        LoopKernel kernel = new LoopKernel(
                "reverse",
                List.of(row),
                List.of(IN, OUT, scratch),
                4,
                264,
                List.of(
                        vector(v, new Stmt.Store(scratch, index(Coef.of(0), term(1, v)), new Expr.Load(IN, at))),
                        vector(
                                w,
                                new Stmt.Store(
                                        OUT,
                                        index(Coef.of(0), term(50, row), term(1, w)),
                                        new Expr.Load(scratch, index(Coef.of(49), term(-1, w)))))));
        KernelHarness h = new KernelHarness(kernel);
        h.slots[3] = 64;
        h.inputs.put(IN, floats(250, i -> i));
        h.inputs.put(OUT, new byte[1000]);
        h.checkExact(2);
    }

    /** A value read before a store and the one read after it are different values. */
    @Test
    void readsAfterWritesSeeThem() {
        Var v = new Var("v", Coef.of(37));
        Index at = index(Coef.of(0), term(1, v));
        Expr x = new Expr.Load(OUT, at);
        Local before = new Local("before", DType.F32);
        LoopKernel kernel = new LoopKernel(
                "twice",
                List.of(),
                List.of(IN, OUT),
                3,
                0,
                List.of(vector(
                        v,
                        new Stmt.Let(before, x),
                        new Stmt.Store(OUT, at, Expr.bin(Prim2.MUL, x, Expr.Const.of(DType.F32, 2))),
                        new Stmt.Store(OUT, at, Expr.bin(Prim2.ADD, x, new Expr.Ref(before))))));
        KernelHarness h = new KernelHarness(kernel);
        h.inputs.put(IN, new byte[0]);
        h.inputs.put(OUT, floats(37, i -> i + 1));
        h.checkExact(1);
        assertEquals(6f, floats(h.generated(new Options(512), 1).memory().get(OUT))[1]);
    }

    /** C2 leaves out the bounds check of an access whose address it sees to be far from the end of memory: masked once, outside the loop. */
    @Test
    void addressesOfAVectorLoopAreMaskedOutsideIt() {
        Var v = new Var("v", Coef.of(100));
        Local sum = new Local("sum", DType.F32);
        Expr in = new Expr.Load(IN, index(Coef.of(0), term(1, v)));
        LoopKernel kernel = new LoopKernel(
                "masked",
                List.of(),
                List.of(IN, OUT),
                3,
                0,
                List.of(
                        new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                        vector(v, new Stmt.Accumulate(sum, Stmt.Combine.SUM, in)),
                        new Stmt.Store(OUT, Index.ZERO, new Expr.Ref(sum))));
        String listing = JvmCodegen.listing(JvmCodegen.generate(kernel, new Options(512, false)));
        // Scratch memory, and the buffer before the loop: what a step adds to it stays in the range that C2 knows.
        assertEquals(2, listing.split("LDC " + (Long.MAX_VALUE >> 2)).length - 1, listing);
        assertEquals(5, listing.split("fromMemorySegment").length - 1, listing);
    }

    /** Stack traces of debug classes lead to lines of the kernel's listing. */
    @Test
    void lineNumbersAreThoseOfTheListing() {
        Var v = new Var("v", Coef.of(8));
        Index at = index(Coef.of(0), term(1, v));
        Local sum = new Local("sum", DType.F32);
        LoopKernel kernel = new LoopKernel(
                "lines",
                List.of(),
                List.of(IN, OUT),
                3,
                0,
                List.of(
                        new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                        vector(v, new Stmt.Accumulate(sum, Stmt.Combine.SUM, new Expr.Load(IN, at))),
                        new Stmt.Store(OUT, Index.ZERO, new Expr.Ref(sum))));
        List<String> listing = KernelText.print(kernel).lines().toList();
        java.util.Set<Integer> numbers = new java.util.TreeSet<>();
        String[] source = new String[1];
        new ClassReader(JvmCodegen.generate(kernel, new Options(512)).bytes())
                .accept(
                        new ClassVisitor(Opcodes.ASM9) {
                            @Override
                            public void visitSource(String file, String debug) {
                                source[0] = file;
                            }

                            @Override
                            public MethodVisitor visitMethod(int a, String n, String d, String s, String[] e) {
                                return new MethodVisitor(Opcodes.ASM9) {
                                    @Override
                                    public void visitLineNumber(int line, Label start) {
                                        numbers.add(line);
                                    }
                                };
                            }
                        },
                        0);
        assertEquals("lines.loop", source[0]);
        assertEquals(4, numbers.size());
        List<String> found =
                numbers.stream().map(i -> listing.get(i - 1).strip()).toList();
        assertTrue(found.get(0).startsWith("var ") && found.get(1).startsWith("for "), found.toString());
        assertTrue(found.get(2).contains("SUM=") && found.get(3).startsWith("out"), found.toString());
    }

    @Test
    void initialisingRunsAKernel() {
        for (Options o : KernelHarness.ALL) JvmCodegen.initialise(k -> JvmCodegen.compile(k, o));
    }
    /** The same kernel gives the same bytes. */
    @Test
    void generationIsDeterministic() {
        for (long seed = 0; seed < 10; seed++) {
            byte[] a = JvmCodegen.generate(new RandomKernel(seed, false).build().kernel, new Options(512))
                    .bytes();
            byte[] b = JvmCodegen.generate(new RandomKernel(seed, false).build().kernel, new Options(512))
                    .bytes();
            assertTrue(Arrays.equals(a, b), "seed " + seed);
        }
    }

    /**
     * Bodies that HotSpot would never compile in one method are split; the parts pass values through scratch
     * memory.
     */
    @Test
    void largeBodiesAreSplit() {
        Var row = new Var("row", Coef.of(2));
        Var v = new Var("v", new Coef.Slot(3));
        Index at = index(Coef.of(0), new Index.Term(new Coef.Slot(3), new Index.VarAtom(row)), term(1, v));
        Local largest = new Local("largest", DType.F32);
        Expr x = new Expr.Load(IN, at);
        Expr e = x;
        Expr positive = Expr.bin(Prim2.GT, x, Expr.Const.of(DType.F32, 0));
        for (int i = 1; i <= 40; i++) {
            e = Expr.un(
                    i % 3 == 0 ? Prim1.ERF : Prim1.TANH,
                    Expr.bin(Prim2.ADD, e, Expr.bin(Prim2.MUL, x, Expr.Const.of(DType.F32, i))));
            if (i % 10 == 0) e = new Expr.Select(positive, e, Expr.un(Prim1.FLOOR, e));
        }
        Local half = new Local("half", DType.F32);
        LoopKernel kernel = new LoopKernel(
                "large",
                List.of(row),
                List.of(IN, OUT, MAXIMA),
                5,
                0,
                List.of(
                        new Stmt.Declare(largest, Expr.Const.of(DType.F32, -10)),
                        vector(
                                v,
                                new Stmt.Let(half, Expr.bin(Prim2.MUL, e, Expr.Const.of(DType.F32, 0.5))),
                                new Stmt.Accumulate(largest, Stmt.Combine.MAX, new Expr.Ref(half)),
                                new Stmt.Store(OUT, at, Expr.bin(Prim2.ADD, new Expr.Ref(half), e))),
                        new Stmt.Store(MAXIMA, index(Coef.of(0), term(1, row)), new Expr.Ref(largest))));
        for (int n : new int[] {1, 17, 1500}) {
            KernelHarness h = new KernelHarness(kernel);
            h.slots[3] = n;
            h.inputs.put(IN, floats(2 * n, i -> Math.sin(i) * 2));
            h.inputs.put(OUT, new byte[8 * n]);
            h.inputs.put(MAXIMA, new byte[8]);
            isAsInterpreted(h);
        }
    }

    private static void isAsInterpreted(KernelHarness h) {
        KernelHarness.Outcome expected = h.interpret();
        for (Options o : KernelHarness.ALL) {
            KernelHarness.Outcome actual = h.generated(o, 1);
            for (Buf b : List.of(OUT, MAXIMA)) {
                assertArrayEquals(
                        floats(expected.memory().get(b)), floats(actual.memory().get(b)), 1e-4f, o.toString());
            }
        }
    }

    /** So are bodies that overwrite what they have read, here two results' rows of which each needs the first. */
    @Test
    void largeBodiesThatOverwriteWhatTheyReadAreSplit() {
        Var v = new Var("v", new Coef.Slot(3));
        Index at = index(Coef.of(0), term(1, v));
        Expr before = new Expr.Load(OUT, at);
        Expr e = before;
        for (int i = 1; i <= 40; i++)
            e = Expr.un(Prim1.TANH, Expr.bin(Prim2.ADD, e, Expr.bin(Prim2.MUL, before, Expr.Const.of(DType.F32, i))));
        Local half = new Local("half", DType.F32);
        Local both = new Local("both", DType.F32);
        LoopKernel kernel = new LoopKernel(
                "overwriting",
                List.of(),
                List.of(OUT, MAXIMA),
                5,
                0,
                List.of(vector(
                        v,
                        new Stmt.Let(half, Expr.bin(Prim2.MUL, e, Expr.Const.of(DType.F32, 0.5))),
                        new Stmt.Let(both, Expr.bin(Prim2.ADD, e, before)),
                        new Stmt.Store(OUT, at, new Expr.Ref(half)),
                        new Stmt.Store(MAXIMA, at, new Expr.Ref(both)))));
        for (int n : new int[] {1, 17, 1500}) {
            KernelHarness h = new KernelHarness(kernel);
            h.slots[3] = n;
            h.inputs.put(OUT, floats(n, i -> Math.sin(i) * 2));
            h.inputs.put(MAXIMA, new byte[4 * n]);
            isAsInterpreted(h);
        }
    }

    /** What cannot be split is an error with its size, not a kernel that is never compiled: here a body that reads other elements than it writes. */
    @Test
    void hugeMethodsAreRefused() {
        Var v = new Var("v", Coef.of(8));
        Index at = index(Coef.of(0), term(1, v));
        Expr e = new Expr.Load(OUT, index(Coef.of(8), term(1, v)));
        for (int i = 0; i < 40; i++) e = Expr.un(Prim1.ERF, Expr.bin(Prim2.ADD, e, Expr.Const.of(DType.F32, i)));
        LoopKernel kernel = new LoopKernel(
                "huge", List.of(), List.of(IN, OUT), 3, 0, List.of(vector(v, new Stmt.Store(OUT, at, e))));
        MethodTooLargeException error =
                assertThrows(MethodTooLargeException.class, () -> JvmCodegen.generate(kernel, new Options(512)));
        assertTrue(error.codeSize() > 8000, error.getMessage());
    }

    /** The sum of a row does not depend on how tasks are handed out. */
    @Test
    void resultsDoNotDependOnTaskRanges() {
        Var row = new Var("row", Coef.of(7));
        Var v = new Var("v", Coef.of(2500));
        Local sum = new Local("sum", DType.F32);
        LoopKernel kernel = new LoopKernel(
                "sum",
                List.of(row),
                List.of(IN, OUT),
                3,
                0,
                List.of(
                        new Stmt.Declare(sum, Expr.Const.of(DType.F32, 0)),
                        vector(
                                v,
                                new Stmt.Accumulate(
                                        sum,
                                        Stmt.Combine.SUM,
                                        new Expr.Load(IN, index(Coef.of(0), term(2500, row), term(1, v))))),
                        new Stmt.Store(OUT, index(Coef.of(0), term(1, row)), new Expr.Ref(sum))));
        KernelHarness h = new KernelHarness(kernel);
        h.inputs.put(IN, floats(7 * 2500, i -> Math.cos(i * i)));
        h.inputs.put(OUT, new byte[28]);
        float[] exact = new float[7];
        for (int i = 0; i < 7; i++) {
            double s = 0;
            for (int j = 0; j < 2500; j++) s += (float) Math.cos((i * 2500 + j) * (i * 2500 + j));
            exact[i] = (float) s;
        }
        for (Options o : KernelHarness.ALL) {
            byte[] one = h.generated(o, 1).memory().get(OUT);
            assertArrayEquals(one, h.generated(o, 3).memory().get(OUT), o.toString());
            assertArrayEquals(one, h.generated(o, 7).memory().get(OUT), o.toString());
            assertArrayEquals(exact, floats(one), 2e-4f, o.toString());
        }
    }

    /** One number that is looked up gives all of an element's places: a flattened array of four axes. */
    @Test
    void placesFromOneNumber() {
        Buf from = new Buf(3, DType.I64, Buf.Kind.IN);
        Var v = new Var("v", Coef.of(37));
        Expr number = new Expr.Load(from, index(Coef.of(0), term(1, v)));
        // Enough to compute that the loop is worth vectors.
        for (int i = 1; i < 12; i++)
            number = new Expr.Bin(Prim2.XOR, new Expr.Bin(Prim2.ADD, number, Expr.Const.ofLong(DType.I64, i)), number);
        Expr rest = new Expr.Bin(Prim2.AND, number, Expr.Const.ofLong(DType.I64, 15));
        Expr checked = new Expr.Checked(rest, Coef.of(24), true, Coef.of(0));
        Index flat = index(Coef.of(0), new Index.Term(Coef.of(1), new Index.DataAtom(checked, Coef.of(24))));
        Index.Atom[] places = {
            new Index.DivAtom(flat, Coef.of(12)),
            new Index.ModAtom(over(flat, 4), Coef.of(3)),
            new Index.ModAtom(over(flat, 2), Coef.of(2)),
            new Index.ModAtom(flat, Coef.of(2))
        };
        // The axes in another order, so that the places do not make up the number again.
        long[] strides = {1, 2, 6, 12};
        Index.Term[] terms = new Index.Term[4];
        for (int i = 0; i < 4; i++) terms[i] = new Index.Term(Coef.of(strides[i]), places[i]);
        Expr x = new Expr.Load(IN, index(Coef.of(0), terms));
        Stmt store = new Stmt.Store(OUT, index(Coef.of(0), term(1, v)), new Expr.Bin(Prim2.MUL, x, x));
        KernelHarness h = new KernelHarness(
                new LoopKernel("places", List.of(), List.of(IN, OUT, from), 4, 0, List.of(vector(v, store))));
        h.inputs.put(IN, floats(24, i -> i + 0.5));
        h.inputs.put(OUT, new byte[4 * 37]);
        ByteBuffer numbers = ByteBuffer.allocate(8 * 37).order(ByteOrder.nativeOrder());
        for (int i = 0; i < 37; i++) numbers.putLong(i * 7919L);
        h.inputs.put(from, numbers.array());
        h.checkExact(1);
    }

    private static Index over(Index i, long by) {
        return index(Coef.of(0), new Index.Term(Coef.of(1), new Index.DivAtom(i, Coef.of(by))));
    }
}
