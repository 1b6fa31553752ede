// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.ir.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelTextTest {
    private static final Buf IN = new Buf(1, DType.F32, Buf.Kind.IN);
    private static final Buf OUT = new Buf(2, DType.F32, Buf.Kind.OUT);

    private static Index at(Coef stride, Var a, Var b) {
        return new Index(
                List.of(new Index.Term(stride, new Index.VarAtom(a)), new Index.Term(Coef.of(1), new Index.VarAtom(b))),
                Coef.of(0));
    }

    /** out[i,j] = x*x with x = exp(in[i,j]); names and sharing as asked for. */
    private static Kernel square(String name, String i, String j, boolean share, long constant) {
        Var row = new Var(i, new Coef.Slot(3));
        Var column = new Var(j, new Coef.Slot(4));
        Index index = at(new Coef.Slot(5), row, column);
        Expr x = Expr.un(Prim1.EXP, new Expr.Load(IN, index));
        Expr y = share ? x : Expr.un(Prim1.EXP, new Expr.Load(IN, index));
        Local local = new Local("t" + name, DType.F32);
        Expr value = Expr.bin(Prim2.MUL, x, y);
        return new LoopKernel(
                name,
                List.of(row),
                List.of(IN, OUT),
                6,
                0,
                List.of(new Stmt.Loop(
                        column,
                        Stmt.Loop.Kind.VECTOR,
                        List.of(
                                new Stmt.Let(local, value),
                                new Stmt.Store(
                                        OUT,
                                        index,
                                        Expr.bin(
                                                Prim2.ADD,
                                                new Expr.Ref(local),
                                                new Expr.Const(DType.F32, constant)))))));
    }

    @Test
    void printsEverythingInOrder() {
        assertEquals("""
                square: loop slots=6 scratch=0
                  in1:f32 out2:f32
                  grid v0<$3
                  for v1<$4 vector
                    let l0:f32 = mul((%0=exp(in1[$5*v0+v1])), %0)
                    out2[$5*v0+v1] = add(l0, f32 0x1)
                """, KernelText.print(square("square", "i", "j", true, 1)));
    }

    @Test
    void namesDoNotMatter() {
        assertEquals(
                KernelText.structure(square("a", "i", "j", true, 1)),
                KernelText.structure(square("b", "row", "col", true, 1)));
    }

    @Test
    void constantsAndSharingDo() {
        String text = KernelText.structure(square("a", "i", "j", true, 1));
        assertNotEquals(text, KernelText.structure(square("a", "i", "j", true, 2)));
        assertNotEquals(text, KernelText.structure(square("a", "i", "j", false, 1)));
    }

    @Test
    void sharedSubexpressionsDoNotExplode() {
        Var i = new Var("i", new Coef.Slot(3));
        Index index = new Index(List.of(new Index.Term(Coef.of(1), new Index.VarAtom(i))), Coef.of(0));
        Expr e = new Expr.Load(IN, index);
        for (int k = 0; k < 200; k++) e = Expr.bin(Prim2.ADD, e, e);
        Kernel kernel =
                new LoopKernel("deep", List.of(i), List.of(IN, OUT), 4, 0, List.of(new Stmt.Store(OUT, index, e)));
        assertTrue(KernelText.structure(kernel).length() < 10_000);
    }

    @Test
    void useOutsideTheScopeIsAnError() {
        Local undefined = new Local("x", DType.F32);
        Kernel kernel = new LoopKernel(
                "bad",
                List.of(),
                List.of(OUT),
                3,
                0,
                List.of(new Stmt.Store(OUT, Index.ZERO, new Expr.Ref(undefined))));
        assertThrows(IllegalArgumentException.class, () -> KernelText.structure(kernel));
    }

    @Test
    void gemmShowsItsParts() {
        Var m = new Var("m", new Coef.Slot(4));
        Var n = new Var("n", new Coef.Slot(5));
        Var k = new Var("k", new Coef.Slot(6));
        Buf b = new Buf(2, DType.F32, Buf.Kind.IN);
        Buf c = new Buf(3, DType.F32, Buf.Kind.OUT);
        Local sum = new Local("sum", DType.F32);
        Kernel kernel = new GemmKernel(
                "matmul",
                List.of(),
                List.of(m),
                List.of(n),
                List.of(k),
                new Expr.Load(IN, at(new Coef.Slot(6), m, k)),
                new Expr.Load(b, at(new Coef.Slot(5), k, n)),
                DType.F32,
                sum,
                List.of(new Stmt.Store(c, at(new Coef.Slot(5), m, n), new Expr.Ref(sum))),
                List.of(IN, b, c),
                7);
        assertEquals("""
                gemm slots=7 acc=f32
                  in1:f32 in2:f32 out3:f32
                  batch
                  m v0<$4
                  n v1<$5
                  k v2<$6
                  a = in1[$6*v0+v2]
                  b = in2[$5*v2+v1]
                  result l0:f32
                  out3[$5*v0+v1] = l0
                """, KernelText.structure(kernel));
    }
}
