// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
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
import io.sinter.ir.ref.RefArray;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that are held in registers: the bits are those of the form that reads them again in each pass. */
class RowScheduleTest {
    private static final int ROWS = 5;

    /** Slots of the parameter block; addresses come first. */
    private static final int COUNT = 6;

    private static final int LENGTH = 7;

    private static Index index(Index.Term... terms) {
        return new Index(List.of(terms), Coef.of(0));
    }

    private static Index.Term term(Coef coef, Var v) {
        return new Index.Term(coef, new Index.VarAtom(v));
    }

    private static Stmt.Loop pass(Var v, Stmt... body) {
        return new Stmt.Loop(v, Stmt.Loop.Kind.VECTOR, List.of(body));
    }

    /** An array of a row's length, or of all rows', and the index of an element. */
    private record Rows(Buf buffer, Var row) {
        Index at(Var v) {
            return row == null
                    ? index(term(Coef.of(1), v))
                    : index(term(new Coef.Slot(LENGTH), row), term(Coef.of(1), v));
        }

        Expr of(Var v) {
            Expr x = new Expr.Load(buffer, at(v));
            return x.dtype() == DType.F64 ? x : new Expr.Convert(DType.F32, x);
        }
    }

    private static Expr add(Expr a, Expr b) {
        return Expr.bin(Prim2.ADD, a, b);
    }

    private static Expr mul(Expr a, Expr b) {
        return Expr.bin(Prim2.MUL, a, b);
    }

    /**
     * A norm with a scale, in three passes with variables of their own: the second reads what the first has read and keeps the difference, the third the
     * sum of squares, the difference, and what nobody else reads.
     */
    private static KernelCase norm(DType t, int n) {
        DType r = t.compute();
        Var row = new Var("row", new Coef.Slot(COUNT));
        Var u = new Var("u", new Coef.Slot(LENGTH));
        Var v = new Var("v", new Coef.Slot(LENGTH));
        Var w = new Var("w", new Coef.Slot(LENGTH));
        Rows x = new Rows(new Buf(1, t, Buf.Kind.IN), row);
        Rows scale = new Rows(new Buf(2, t, Buf.Kind.IN), null);
        Rows out = new Rows(new Buf(3, t, Buf.Kind.OUT), row);
        Rows kept = new Rows(new Buf(4, r, Buf.Kind.SCRATCH), null);
        Local sum = new Local("sum", r);
        Local squares = new Local("squares", r);
        Local d = new Local("d", r);
        Expr zero = Expr.Const.of(r, 0);
        Expr mean = mul(new Expr.Ref(sum), Expr.Const.of(r, 1.0 / 64));
        Expr y = mul(
                mul(new Expr.Load(kept.buffer, kept.at(w)), scale.of(w)),
                Expr.bin(Prim2.DIV, Expr.Const.of(r, 1), Expr.un(Prim1.SQRT, new Expr.Ref(squares))));
        LoopKernel kernel = new LoopKernel(
                "norm",
                List.of(row),
                List.of(x.buffer, scale.buffer, out.buffer, kept.buffer),
                8,
                (long) r.bytes() * n,
                List.of(
                        new Stmt.Declare(sum, zero),
                        pass(u, new Stmt.Accumulate(sum, Stmt.Combine.SUM, x.of(u))),
                        new Stmt.Declare(squares, Expr.Const.of(r, 1)),
                        pass(
                                v,
                                new Stmt.Let(d, Expr.bin(Prim2.SUB, x.of(v), mean)),
                                new Stmt.Store(kept.buffer, kept.at(v), new Expr.Ref(d)),
                                new Stmt.Accumulate(squares, Stmt.Combine.SUM, mul(new Expr.Ref(d), new Expr.Ref(d)))),
                        pass(w, new Stmt.Store(out.buffer, out.at(w), new Expr.Narrow(t, add(y, x.of(w)))))));
        KernelCase k = new KernelCase(kernel);
        k.slots[COUNT] = ROWS;
        k.slots[LENGTH] = n;
        k.inputs.put(x.buffer, bytes(t, ROWS * n));
        k.inputs.put(scale.buffer, bytes(t, n));
        k.inputs.put(out.buffer, new byte[ROWS * n * t.bytes()]);
        return k;
    }

    private static byte[] bytes(DType t, int n) {
        byte[] bytes = new byte[n * t.bytes()];
        ByteBuffer memory = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < n; i++) {
            double x = Math.sin(i * 0.7) * 3;
            switch (t) {
                case F64 -> memory.putDouble(x);
                case F32 -> memory.putFloat((float) x);
                case BF16 -> memory.putShort((short) (Float.floatToRawIntBits((float) RefArray.round(t, x)) >>> 16));
                default -> throw new AssertionError(t);
            }
        }
        return bytes;
    }

    private static Schedule chosen(KernelCase k) {
        return SimRun.chosen(k.kernel, i -> k.slots[i]);
    }

    /** Rows that are whole steps of all threads, that end with some threads' step, and that are long. */
    @ParameterizedTest
    @CsvSource({
        "F32, 12",
        "F32, 128",
        "F32, 132",
        "F32, 1000",
        "F32, 1024",
        "F32, 5000",
        "F64, 130",
        "F64, 256",
        "BF16, 384",
        "BF16, 204"
    })
    void sameBits(DType t, int n) {
        KernelCase k = norm(t, n);
        assertInstanceOf(RowSchedule.class, chosen(k));
        Buf out = k.kernel.buffers().get(2);
        byte[] want = SimRun.run(k, 3, 0).memory().get(out);
        for (long seed = 1; seed < 3; seed++)
            assertArrayEquals(want, SimRun.runChosen(k, seed, 0).memory().get(out), "seed " + seed);
    }

    @Test
    void threadsAndSteps() {
        assertEquals(new RowSchedule(128, 2, true), chosen(norm(DType.F32, 1024)));
        assertEquals(new RowSchedule(128, 2, false), chosen(norm(DType.F32, 1000)));
        KernelCase many = norm(DType.F32, 1024);
        many.slots[COUNT] = 65536;
        // Two values of each element are held.
        assertEquals(new RowSchedule(64, 4, true), chosen(many));
        assertEquals(
                new LaunchRule.Shape(64, 1, 8192, 0, 0),
                PtxCodegen.generate(many.kernel, chosen(many), "k", 1).rule().shape(i -> many.slots[i]));
    }

    /** Rows that are too long, of a length that is no multiple of 4, or in memory that is not aligned. */
    @ParameterizedTest
    @ValueSource(ints = {8, 1023, 1026, 10244})
    void othersAreReadAgain(int n) {
        KernelCase k = norm(DType.F32, n);
        assertEquals(new Schedule.Only(), chosen(k));
    }

    @Test
    void memoryThatIsNotAlignedIsReadAgain() {
        KernelCase k = norm(DType.F32, 1024);
        k.slots[3] = 4;
        assertEquals(new Schedule.Only(), chosen(k));
    }

    /** All loads of a row come before what waits for the first; nothing is loaded twice. */
    @Test
    void loadsAreUnderWayAtOnce() {
        KernelCase k = norm(DType.F32, 1000);
        String code = PtxCodegen.generate(k.kernel, new RowSchedule(64, 4, true), "norm", 1)
                .code()
                .toString();
        String load = "ld.global.v4.f32";
        assertEquals(4, code.substring(0, code.indexOf("add.rn.f32")).split(load, -1).length - 1, code);
        assertEquals(8, code.split(load, -1).length - 1, code);
        assertEquals(4, code.split("st.global.v4.f32", -1).length - 1, code);
        assertEquals(1, code.split("sqrt.rn.f32", -1).length - 1, code);
    }

    /** What passes compute of a sum, using each operand twice, many times over, is computed once, in either form. */
    @Test
    void whatIsComputedOfASumIsComputedOnce() {
        KernelCase k = norm(DType.F32, 1024);
        List<Stmt> body = new ArrayList<>(k.kernel.body());
        Stmt.Loop last = (Stmt.Loop) body.removeLast();
        Stmt.Store s = (Stmt.Store) last.body().getFirst();
        Expr often = new Expr.Ref(((Stmt.Declare) body.getFirst()).local());
        for (int i = 0; i < 64; i++) often = add(often, often);
        body.add(pass(last.var(), new Stmt.Store(s.buffer(), s.index(), add(s.value(), often))));
        LoopKernel kernel = new LoopKernel(
                "often", k.kernel.grid(), k.kernel.buffers(), k.kernel.slots(), k.kernel.scratchBytes(), body);
        for (Schedule form : List.of(new Schedule.Only(), new RowSchedule(64, 4, true))) {
            String code = PtxCodegen.generate(kernel, form, "often", 1).code().toString();
            assertEquals(
                    64,
                    Pattern.compile("add\\.rn\\.f32 (%f\\d+), (%f\\d+), \\2;")
                            .matcher(code)
                            .results()
                            .count(),
                    code);
        }
    }

    /** What is written at one place and read at another is memory, as is what a pass reads of results. */
    @Test
    void otherKernelsHaveNoSuchForm() {
        KernelCase k = norm(DType.F32, 64);
        List<Stmt> body = k.kernel.body();
        Stmt.Loop last = (Stmt.Loop) body.getLast();
        Buf kept = k.kernel.buffers().get(3);
        Local sum = ((Stmt.Declare) body.getFirst()).local();
        for (Expr other : List.of(
                new Expr.Load(kept, new Index(List.of(term(Coef.of(-1), last.var())), Coef.of(63))),
                new Expr.Load(k.kernel.buffers().get(2), index(term(Coef.of(1), last.var()))))) {
            Stmt more = pass(last.var(), new Stmt.Accumulate(sum, Stmt.Combine.SUM, other));
            List<Stmt> longer = new ArrayList<>(body);
            longer.add(more);
            LoopKernel kernel = new LoopKernel(
                    "other", k.kernel.grid(), k.kernel.buffers(), k.kernel.slots(), k.kernel.scratchBytes(), longer);
            assertNull(RowPasses.in(kernel));
        }
        assertTrue(RowPasses.in(k.kernel) != null);
    }
}
