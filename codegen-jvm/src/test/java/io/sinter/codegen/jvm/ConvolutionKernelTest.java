// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Convolutions and their weights' gradients as matrix products, in all vector widths, against loops in
 * double precision.
 */
final class ConvolutionKernelTest {
    /**
     * x[N,C,H,W] and w[O,C,kh,kw] with padding, stride and dilation; k and n have three variables each.
     */
    private static GemmProblem conv(long seed, boolean bias) {
        GemmProblem p = new GemmProblem(seed);
        Conv c = new Conv(p);
        Var vo = p.block.var("o", c.o);
        Var vi = p.block.var("image", c.images);
        Var vy = p.block.var("oy", c.oh);
        Var vx = p.block.var("ox", c.ow);
        Var vc = p.block.var("c", c.c);
        Var vky = p.block.var("ky", c.kh);
        Var vkx = p.block.var("kx", c.kw);
        p.m = List.of(vo);
        p.n = List.of(vi, vy, vx);
        p.k = List.of(vc, vky, vkx);
        p.a = c.weight(vo, vc, vky, vkx);
        p.b = c.image(vi, vc, vy, vx, vky, vkx);
        Expr result = p.result();
        Index index = p.block.index(List.of(vi, vo, vy, vx), List.of(c.o * c.oh * c.ow, c.oh * c.ow, c.ow, 1L), 0);
        if (bias) result = withBias(p, result, vo, c.o, index, c.images * c.o * c.oh * c.ow);
        p.store(c.images * c.o * c.oh * c.ow, index, result, DType.F32);
        return p;
    }

    /** gelu(result + bias[row]) + residual. */
    private static Expr withBias(GemmProblem p, Expr result, Var row, long rows, Index index, long count) {
        Buf bias = p.input(DType.F32, rows);
        Buf residual = p.input(DType.F32, count);
        Local x = new Local("x", DType.F32);
        Expr scaled = Expr.bin(Prim2.MUL, result, Expr.Const.of(DType.F32, 1.0 / 64));
        p.epilogue.add(new Stmt.Let(
                x, Expr.bin(Prim2.ADD, scaled, new Expr.Load(bias, p.block.index(List.of(row), List.of(1L), 0)))));
        Expr ref = new Expr.Ref(x);
        Expr tanh = Expr.un(Prim1.TANH, Expr.bin(Prim2.MUL, ref, Expr.Const.of(DType.F32, 0.75)));
        Expr gelu = Expr.bin(Prim2.MUL, ref, Expr.bin(Prim2.ADD, tanh, Expr.Const.of(DType.F32, 1)));
        return Expr.bin(Prim2.ADD, gelu, new Expr.Load(residual, index));
    }

    /** dw[o,c,ky,kx] = Σ dy · x: k is (image, oy, ox). */
    private static GemmProblem weightGradient(long seed) {
        GemmProblem p = new GemmProblem(seed);
        Conv c = new Conv(p);
        Var vo = p.block.var("o", c.o);
        Var vi = p.block.var("image", c.images);
        Var vy = p.block.var("oy", c.oh);
        Var vx = p.block.var("ox", c.ow);
        Var vc = p.block.var("c", c.c);
        Var vky = p.block.var("ky", c.kh);
        Var vkx = p.block.var("kx", c.kw);
        p.m = List.of(vo);
        p.n = List.of(vc, vky, vkx);
        p.k = List.of(vi, vy, vx);
        Buf dy = p.input(DType.F32, c.images * c.o * c.oh * c.ow);
        p.a = new Expr.Load(
                dy, p.block.index(List.of(vi, vo, vy, vx), List.of(c.o * c.oh * c.ow, c.oh * c.ow, c.ow, 1L), 0));
        p.b = c.image(vi, vc, vy, vx, vky, vkx);
        Index index = p.block.index(List.of(vo, vc, vky, vkx), List.of(c.c * c.kh * c.kw, c.kh * c.kw, c.kw, 1L), 0);
        Expr result = p.result();
        p.store(c.o * c.c * c.kh * c.kw, index, result, DType.F32);
        return p;
    }

    private static final class Conv {
        final GemmProblem p;
        final long images;
        final long c;
        final long h;
        final long w;
        final long o;
        final long kh;
        final long kw;
        final long stride;
        final long pad;
        final long dilation;
        final long oh;
        final long ow;

        Conv(GemmProblem p) {
            Random r = p.random;
            this.p = p;
            images = 1 + r.nextInt(4);
            c = 1 + r.nextInt(5);
            h = 5 + r.nextInt(9);
            w = 5 + r.nextInt(r.nextInt(4) == 0 ? 60 : 9);
            o = 1 + r.nextInt(20);
            kh = 1 + r.nextInt(3);
            kw = 1 + r.nextInt(3);
            stride = 1 + r.nextInt(2);
            pad = r.nextInt(3);
            dilation = 1 + r.nextInt(2);
            oh = (h + 2 * pad - dilation * (kh - 1) - 1) / stride + 1;
            ow = (w + 2 * pad - dilation * (kw - 1) - 1) / stride + 1;
        }

        Expr weight(Var vo, Var vc, Var vky, Var vkx) {
            Buf weights = p.input(DType.F32, o * c * kh * kw);
            return new Expr.Load(
                    weights, p.block.index(List.of(vo, vc, vky, vkx), List.of(c * kh * kw, kh * kw, kw, 1L), 0));
        }

        Expr image(Var vi, Var vc, Var vy, Var vx, Var vky, Var vkx) {
            Buf x = p.input(DType.F32, images * c * h * w);
            Index at = p.block.index(
                    List.of(vi, vc, vy, vx, vky, vkx),
                    List.of(c * h * w, h * w, stride * w, stride, dilation * w, dilation),
                    -pad * w - pad);
            if (pad == 0) return new Expr.Load(x, at);
            Expr iy = new Expr.IndexValue(DType.I32, p.block.index(List.of(vy, vky), List.of(stride, dilation), -pad));
            Expr ix = new Expr.IndexValue(DType.I32, p.block.index(List.of(vx, vkx), List.of(stride, dilation), -pad));
            Expr mask = Expr.bin(Prim2.AND, inside(iy, h), inside(ix, w));
            return new Expr.Load(x, at, mask, Expr.Const.of(DType.F32, 0));
        }

        private Expr inside(Expr i, long extent) {
            Expr limit = new Expr.Arg(DType.I32, p.block.slot(extent));
            return Expr.bin(
                    Prim2.AND, Expr.bin(Prim2.GE, i, Expr.Const.of(DType.I32, 0)), Expr.bin(Prim2.LT, i, limit));
        }
    }

    @TestFactory
    Stream<DynamicTest> convolutions() {
        return Stream.of(
                        GemmProblem.check("convolution", s -> conv(s, false), 8, 0),
                        GemmProblem.check("convolution with epilogue", s -> conv(s, true), 6, 1e-5),
                        GemmProblem.check("gradient of weights", ConvolutionKernelTest::weightGradient, 8, 0))
                .flatMap(x -> x);
    }
}
