// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.core;

import static io.sinter.Index.ALL;
import static io.sinter.Index.ELLIPSIS;
import static io.sinter.Index.END;
import static io.sinter.Index.NEW;
import static io.sinter.Index.slice;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.TensorException;
import io.sinter.ir.DType;
import org.junit.jupiter.api.Test;

class TensorTest {
    private static void is(Tensor x, long[] shape, double... values) {
        assertArrayEquals(shape, x.shape());
        assertArrayEquals(values, x.toDoubles());
    }

    private static long[] s(long... shape) {
        return shape;
    }

    @Test
    void dtypesOfLiterals() {
        assertEquals(DType.F32, Tensor.of(1.0, 2.5).dtype());
        assertEquals(DType.I64, Tensor.of(1, 2).dtype());
        assertEquals(DType.BOOL, Tensor.of(true, false).dtype());
        assertEquals(DType.F64, Tensor.from(new double[] {1, 2}, 1, 2).dtype());
        assertEquals(0, Tensor.scalar(3.0).rank());
        assertEquals(0, Tensor.from(new double[] {3}, new long[0]).rank());
        assertEquals(3_000_000_007L, Tensor.of(3_000_000_007L).itemLong());
    }

    @Test
    void promotionIsPyTorchs() {
        Tensor i = Tensor.of(1, 2);
        Tensor f = Tensor.of(1.0, 2.0);
        Tensor d = f.toDouble();
        Tensor h = f.toHalf();
        assertEquals(DType.F32, i.add(f).dtype());
        assertEquals(DType.F32, f.mul(0.1).dtype());
        assertEquals(DType.F16, h.mul(2.5).dtype());
        assertEquals(DType.F32, i.mul(2.5).dtype());
        assertEquals(DType.I64, i.mul(2).dtype());
        assertEquals(DType.F32, i.div(2).dtype());
        assertEquals(DType.F64, f.add(d).dtype());
        assertEquals(
                DType.F32, f.add(Tensor.from(new double[] {1}, new long[0])).dtype());
        assertEquals(DType.F32, h.add(f.toBfloat16()).dtype());
        assertEquals(DType.I16, i.to(DType.U8).add(i.to(DType.I8)).dtype());
        assertEquals(DType.I64, i.gt(1).sum().dtype());
        assertEquals(DType.F32, i.exp().dtype());
        assertEquals(DType.I64, Tensor.of(true).add(1).dtype());
    }

    @Test
    void basicIndexing() {
        Tensor x = Tensor.arange(24).reshape(2, 3, 4);
        is(x.get(1, 2, 3), s(), 23);
        is(x.get(-1, 0), s(4), 12, 13, 14, 15);
        is(x.get(ELLIPSIS, slice(0, END, 3)), s(2, 3, 2), 0, 3, 4, 7, 8, 11, 12, 15, 16, 19, 20, 23);
        is(x.get(0, NEW, slice(1, END), 0), s(1, 2), 4, 8);
        is(x.get("1:, ::-1, ..., None").get(0, 0), s(4, 1), 20, 21, 22, 23);
        is(x.get("0, -1, -3:-1"), s(2), 9, 10);
        is(x.get("5:"), s(0, 3, 4));
        assertThrows(TensorException.class, () -> x.get(2));
        assertThrows(TensorException.class, () -> x.get(0, 0, 0, 0));
        assertThrows(TensorException.class, () -> x.get("1:x"));
        assertThrows(TensorException.class, () -> x.get((Object[]) null));
    }

    @Test
    void advancedIndexing() {
        Tensor x = Tensor.arange(12).reshape(3, 4);
        is(x.get(new int[] {2, -1}), s(2, 4), 8, 9, 10, 11, 8, 9, 10, 11);
        is(x.get(new int[] {0, 1, 2}, new int[] {3, 2, 1}), s(3), 3, 6, 9);
        is(x.get(ALL, Tensor.from(new long[] {0, 3, 1, 1}, 2, 2)), s(3, 2, 2), 0, 3, 1, 1, 4, 7, 5, 5, 8, 11, 9, 9);
        is(x.get(x.remainder(5).eq(0)), s(3), 0, 5, 10);
        is(x.get(Tensor.of(true, false, true), 1), s(2), 1, 9);
        Tensor y = Tensor.arange(24).reshape(2, 3, 4);
        is(y.get(new int[] {0, 1}, ALL, new int[] {1, 2}), s(2, 3), 1, 5, 9, 14, 18, 22);
        is(x.maskedSelect(x.gt(9)), s(2), 10, 11);
        is(x.gt(9).nonzero(), s(2, 2), 2, 2, 2, 3);
    }

    @Test
    void movement() {
        Tensor x = Tensor.arange(6).reshape(2, 3);
        is(x.t(), s(3, 2), 0, 3, 1, 4, 2, 5);
        is(x.flip(0, 1), s(2, 3), 5, 4, 3, 2, 1, 0);
        is(x.repeat(2, 1, 2).get(1), s(2, 6), 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5);
        is(F.cat(java.util.List.of(x, x.get("0:1")), 0), s(3, 3), 0, 1, 2, 3, 4, 5, 0, 1, 2);
        is(F.stack(x.unbind(1), 0), s(3, 2), 0, 3, 1, 4, 2, 5);
        is(x.split(2, 1).get(1), s(2, 1), 2, 5);
        is(x.unsqueeze(-1).squeeze().flatten(), s(6), 0, 1, 2, 3, 4, 5);
        is(F.pad(x, new long[] {1, -1}, 9), s(2, 3), 9, 0, 1, 9, 3, 4);
    }

    @Test
    void reductions() {
        Tensor x = Tensor.from(new double[] {3, 1, 2, 3, -1, 0}, 2, 3);
        assertEquals(8, x.sum().item());
        is(x.sum(1, true), s(2, 1), 6, 2);
        is(x.mean(0), s(3), 3, 0, 1);
        is(x.max(1).indices(), s(2), 0, 0);
        is(x.argmax(0), s(3), 0, 0, 0);
        is(x.sort(1, true).values(), s(2, 3), 3, 2, 1, 3, 0, -1);
        is(x.topk(2, 1, false).indices(), s(2, 2), 1, 2, 1, 2);
        is(x.gt(0).all(1, false), s(2), 1, 0);
        is(x.cumsum(1), s(2, 3), 3, 4, 6, 3, 2, 2);
        assertTrue(Double.isNaN(Tensor.of(1.0, Double.NaN).max().item()));
        assertThrows(TensorException.class, () -> x.sum(2));
        assertThrows(TensorException.class, () -> x.sum(new int[] {0, -2}, false));
    }

    @Test
    void errorsNameOperatorTypesAndLine() {
        Tensor a = Tensor.zeros(2, 3);
        Tensor b = Tensor.zeros(4, 5);
        for (Runnable bad : new Runnable[] {() -> a.add(b), () -> a.matmul(b), () -> F.linear(a, b, null)}) {
            String m = assertThrows(TensorException.class, bad::run).getMessage();
            assertTrue(m.contains("f32[2,3]") && m.contains("f32[4,5]") && m.contains("TensorTest.java:"), m);
        }
        String m = assertThrows(TensorException.class, () -> a.reshape(4, 2)).getMessage();
        assertTrue(m.startsWith("reshape(f32[2,3])"), m);
        assertThrows(TensorException.class, () -> a.item());
        assertThrows(TensorException.class, () -> Tensor.of(1).mean());
        assertThrows(TensorException.class, () -> Tensor.from(new float[3], 2, 2));
    }

    @Test
    void printingIsNumPys() {
        assertEquals(
                "Tensor([[1., 2.],\n        [3., 4.]], f32[2,2])",
                Tensor.from(new float[] {1, 2, 3, 4}, 2, 2).toString());
        assertEquals("Tensor(2.5000, f32[])", Tensor.scalar(2.5).toString());
        assertEquals("Tensor([ 1, 20], i64[2])", Tensor.of(1, 20).toString());
        assertEquals(
                "Tensor([nan, inf, 0.5000], f32[3])".replace(" ", ""),
                Tensor.of(Double.NaN, Double.POSITIVE_INFINITY, 0.5).toString().replace(" ", ""));
        assertTrue(Tensor.arange(2000).show().contains("..., 1997, 1998, 1999"));
        assertEquals("Tensor([], f32[0])", Tensor.from(new float[0]).toString());
        assertTrue(Tensor.of(1e-9, 1.0).toString().contains("1.0000e-09"));
    }

    @Test
    void seededDrawsArePyTorchs() {
        Sinter.manualSeed(0);
        assertArrayEquals(new float[] {.4962566f, .7682218f}, Tensor.rand(2).toFloats(), 1e-7f);
        Sinter.manualSeed(0);
        assertEquals(-1.1258, Tensor.randn(16).get(0).item(), 1e-4);
        double kept =
                F.dropout(Tensor.ones(10000), 0.3, true).ne(0).toFloat().mean().item();
        assertEquals(0.7, kept, 0.03);
    }
}
