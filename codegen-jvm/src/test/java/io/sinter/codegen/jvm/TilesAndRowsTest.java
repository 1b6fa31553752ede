// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Stmt.Loop.Kind;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tiles that are turned in registers, loops over short rows, and every second element. */
class TilesAndRowsTest {
    private static final int PITCH = 48;

    private static Index at(long offset, Object... terms) {
        List<Index.Term> all = new ArrayList<>();
        for (int i = 0; i < terms.length; i += 2)
            all.add(new Index.Term(Coef.of((Integer) terms[i]), new Index.VarAtom((Var) terms[i + 1])));
        return new Index(all, Coef.of(offset));
    }

    private static byte[] noise(int bytes, DType t) {
        byte[] b = new byte[bytes];
        new Random(7).nextBytes(b);
        if (t.isBool()) for (int i = 0; i < b.length; i++) b[i] &= 1;
        // No NaN, whose bits a conversion may change: exponents of floats are not all ones.
        if (t.isFloat()) for (int i = t.bytes() - 1; i < b.length; i += t.bytes()) b[i] &= (byte) 0xbf;
        return b;
    }

    /** Rows become columns and columns rows, for each number of them around a vector's length, and for all types. */
    @ParameterizedTest
    @EnumSource(DType.class)
    void aTileIsTurned(DType t) {
        Buf in = new Buf(1, t, Buf.Kind.IN);
        Buf out = new Buf(2, t, Buf.Kind.OUT);
        for (int rows : new int[] {1, 16, 40}) {
            for (int columns : new int[] {8, 33}) {
                for (boolean readsRows : new boolean[] {true, false}) {
                    Var r = new Var("r", Coef.of(rows));
                    Var x = new Var("x", Coef.of(columns));
                    Index read = at(5, PITCH, r, 1, x);
                    Index written = at(2, 1, r, PITCH, x);
                    Stmt copy = readsRows
                            ? new Stmt.Store(out, written, new Expr.Load(in, read))
                            : new Stmt.Store(out, read, new Expr.Load(in, written));
                    Stmt nest = new Stmt.Loop(r, Kind.SEQ, List.of(new Stmt.Loop(x, Kind.VECTOR, List.of(copy))));
                    KernelHarness h =
                            new KernelHarness(new LoopKernel("turn", List.of(), List.of(in, out), 3, 0, List.of(nest)));
                    h.inputs.put(in, noise(PITCH * PITCH * t.bytes(), t));
                    h.inputs.put(out, new byte[PITCH * PITCH * t.bytes()]);
                    h.checkExact(1);
                }
            }
        }
    }

    /** It is done by a call, not element by element. */
    @Test
    void aTurnedTileIsOneCall() {
        Buf in = new Buf(1, DType.F32, Buf.Kind.IN);
        Buf out = new Buf(2, DType.F32, Buf.Kind.OUT);
        Var r = new Var("r", Coef.of(20));
        Var x = new Var("x", Coef.of(20));
        Stmt copy = new Stmt.Store(out, at(0, 1, r, PITCH, x), new Expr.Load(in, at(0, PITCH, r, 1, x)));
        Stmt nest = new Stmt.Loop(r, Kind.SEQ, List.of(new Stmt.Loop(x, Kind.VECTOR, List.of(copy))));
        LoopKernel k = new LoopKernel("turn", List.of(), List.of(in, out), 3, 0, List.of(nest));
        assertTrue(
                JvmCodegen.listing(JvmCodegen.generate(k, new Options(512))).contains("SinterKernelMoves.transpose"));
    }

    /**
     * Rows of less than a vector, whole vectors, and a rest, of every second element or every one; with a mask, in place, and beside a value of each row.
     */
    @Test
    void shortRows() {
        for (DType t : List.of(DType.F32, DType.I64, DType.BF16)) {
            Buf in = new Buf(1, t, Buf.Kind.IN);
            Buf out = new Buf(2, t, Buf.Kind.OUT);
            Buf wide = new Buf(3, DType.I32, Buf.Kind.IN);
            for (int n : new int[] {1, 7, 8, 16, 17, 28}) {
                for (int step : new int[] {1, 2}) {
                    Var g = new Var("g", Coef.of(3));
                    Var row = new Var("row", Coef.of(4));
                    Var v = new Var("v", Coef.of(n));
                    // The last element that is read is the buffer's last.
                    Expr x = new Expr.Load(in, at(0, 4 * step * n, g, step * n, row, step, v));
                    Expr odd = new Expr.Bin(
                            Prim2.NE,
                            new Expr.Bin(
                                    Prim2.AND,
                                    new Expr.Load(wide, at(step - 1L, step, v)),
                                    Expr.Const.ofLong(DType.I32, 1)),
                            Expr.Const.ofLong(DType.I32, 0));
                    Expr some = new Expr.Load(
                            in,
                            at(step - 1L, 4 * step * n, g, step * n, row, step, v),
                            odd,
                            Expr.Const.of(t.compute(), 3));
                    Index own = at(0, 4 * n, g, n, row, 1, v);
                    Expr sum = new Expr.Bin(Prim2.ADD, new Expr.Bin(Prim2.ADD, x, some), new Expr.Load(out, own));
                    Stmt each = new Stmt.Loop(v, Kind.VECTOR, List.of(new Stmt.Store(out, own, sum)));
                    // Of the last row group, fewer.
                    Index limit = at(5, -1, g);
                    LoopKernel k = new LoopKernel(
                            "rows",
                            List.of(g),
                            List.of(in, out, wide),
                            4,
                            0,
                            List.of(new Stmt.Loop(row, limit, Kind.ROWS, List.of(each))));
                    KernelHarness h = new KernelHarness(k);
                    h.inputs.put(in, noise((12 * step * n) * t.bytes(), t));
                    h.inputs.put(out, noise(12 * n * t.bytes(), t));
                    h.inputs.put(wide, noise(step * n * 4, DType.I32));
                    h.checkExact(2);
                }
            }
        }
    }

    /** A wrong index in a row is reported, and none is where the lanes of the last vector have run before. */
    @Test
    void indicesOfRowsAreChecked() {
        Buf in = new Buf(1, DType.F32, Buf.Kind.IN);
        Buf out = new Buf(2, DType.F32, Buf.Kind.OUT);
        Buf from = new Buf(3, DType.I64, Buf.Kind.IN);
        for (int wrong : new int[] {-1, 0, 19}) {
            Var row = new Var("row", Coef.of(4));
            Var v = new Var("v", Coef.of(20));
            Expr index = new Expr.Checked(new Expr.Load(from, at(0, 1, v)), Coef.of(20), false, Coef.of(0));
            Index taken = new Index(
                    List.of(
                            new Index.Term(Coef.of(20), new Index.VarAtom(row)),
                            new Index.Term(Coef.of(1), new Index.DataAtom(index, Coef.of(20)))),
                    Coef.of(0));
            Expr x = new Expr.Load(in, taken);
            Expr more = x;
            for (int i = 0; i < 12; i++) more = new Expr.Bin(Prim2.MUL, new Expr.Bin(Prim2.ADD, more, x), x);
            Stmt each = new Stmt.Loop(v, Kind.VECTOR, List.of(new Stmt.Store(out, at(0, 20, row, 1, v), more)));
            KernelHarness h = new KernelHarness(new LoopKernel(
                    "look-up",
                    List.of(),
                    List.of(in, out, from),
                    4,
                    0,
                    List.of(new Stmt.Loop(row, Kind.ROWS, List.of(each)))));
            h.inputs.put(in, LoopKernelTest.floats(80, i -> i / 64.0));
            h.inputs.put(out, new byte[320]);
            long[] indices = new long[20];
            for (int i = 0; i < 20; i++) indices[i] = i == wrong ? 20 : 19 - i;
            java.nio.ByteBuffer b = java.nio.ByteBuffer.allocate(160).order(java.nio.ByteOrder.nativeOrder());
            b.asLongBuffer().put(indices);
            h.inputs.put(from, b.array());
            assertEquals(wrong >= 0, h.interpret().error() != null);
            h.checkExact(1);
        }
    }
}
