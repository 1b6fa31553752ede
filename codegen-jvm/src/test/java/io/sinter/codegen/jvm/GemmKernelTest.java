// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Prim1;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Matrix products of all kinds, in all vector widths, against loops in double precision. */
final class GemmKernelTest {
    private static final int[] WIDTHS = {512, 256, 128, 0};

    /** One product under construction. */
    private static final class Problem {
        final Arena arena = Arena.ofShared();
        final ParameterBlock block = new ParameterBlock(arena);
        final Random random;
        List<Var> batch = List.of();
        List<Var> m;
        List<Var> n;
        List<Var> k;
        Expr a;
        Expr b;
        DType acc = DType.F32;
        Local result;
        List<Stmt> epilogue;
        Buf out;
        Index outIndex;

        Problem(long seed) {
            random = new Random(seed);
        }

        /** Small whole numbers: products and sums of them are exact in every type. */
        Buf input(DType t, long count) {
            return block.buffer(t, count, Buf.Kind.IN, _ -> random.nextInt(9) - 4);
        }

        void store(long count, Index index, Expr value, DType t) {
            out = block.buffer(t, count, Buf.Kind.OUT, _ -> 77);
            outIndex = index;
            // As lowering writes it: a name, then the store.
            Local named = new Local("v", value.dtype());
            epilogue.add(new Stmt.Let(named, value));
            epilogue.add(new Stmt.Store(out, index, new Expr.Ref(named)));
        }

        Expr result() {
            result = new Local("result", acc);
            epilogue = new ArrayList<>();
            return new Expr.Ref(result);
        }

        GemmKernel kernel() {
            return new GemmKernel(
                    "product",
                    batch,
                    m,
                    n,
                    k,
                    a,
                    b,
                    acc,
                    result,
                    epilogue,
                    List.of(),
                    block.slots());
        }
    }

    private interface Case {
        Problem make(long seed);
    }

    private static Stream<DynamicTest> check(String name, Case c, int seeds, double tolerance) {
        List<DynamicTest> tests = new ArrayList<>();
        for (int width : WIDTHS) {
            tests.add(
                    DynamicTest.dynamicTest(
                            name + ", width " + width,
                            () -> {
                                int count = width == 512 || seeds < 6 ? seeds : (seeds + 2) / 3;
                                for (long seed = 0; seed < count; seed++)
                                    check(name + " seed " + seed, c.make(seed), width, tolerance);
                            }));
        }
        return tests.stream();
    }

    private static void check(String what, Problem p, int width, double tolerance) {
        try (p.arena) {
            JvmKernel kernel = JvmCodegen.compile(p.kernel(), new Options(width));
            double[] expected = expected(p);
            long params = p.block.address();
            KernelRunner.run(kernel, params, null);
            double[] first = results(p);
            for (int i = 0; i < expected.length; i++) {
                double scale = tolerance * Math.max(1, Math.abs(expected[i]));
                assertEquals(
                        expected[i],
                        first[i],
                        scale,
                        what + ", element " + i + " of " + expected.length);
            }
            for (long i = 0; i < p.block.count(p.out); i++) p.block.set(p.out, i, 77);
            KernelRunner.run(kernel, params, new Random(5));
            double[] second = results(p);
            for (int i = 0; i < expected.length; i++)
                assertEquals(first[i], second[i], what + ": the order of tasks changes a bit");
            p.block.checkGuards();
        }
    }

    private static double[] results(Problem p) {
        double[] r = new double[Math.toIntExact(p.block.count(p.out))];
        for (int i = 0; i < r.length; i++) r[i] = p.block.get(p.out, i);
        return r;
    }

    private static double[] expected(Problem p) {
        double[] out = results(p);
        LoopOracle o = new LoopOracle(p.block);
        List<Var> outer = new ArrayList<>(p.batch);
        outer.addAll(p.m);
        outer.addAll(p.n);
        nest(
                p,
                o,
                outer,
                () -> {
                    double[] sum = {0};
                    nest(p, o, p.k, () -> sum[0] += o.value(p.a) * o.value(p.b));
                    o.locals.put(p.result, sum[0]);
                    for (Stmt s : p.epilogue) {
                        switch (s) {
                            case Stmt.Let l -> o.locals.put(l.local(), o.value(l.value()));
                            case Stmt.Store st ->
                                    out[Math.toIntExact(o.index(st.index()))] = o.value(st.value());
                            default -> throw new AssertionError(s);
                        }
                    }
                });
        return out;
    }

    private static void nest(Problem p, LoopOracle o, List<Var> vars, Runnable body) {
        if (vars.isEmpty()) {
            body.run();
            return;
        }
        long extent = p.block.number(vars.getFirst().extent());
        for (long i = 0; i < extent; i++) {
            o.vars.put(vars.getFirst(), i);
            nest(p, o, vars.subList(1, vars.size()), body);
        }
    }

    /** A plain batched product, each operand transposed or not. */
    private static Problem matmul(long seed, DType memory, DType acc, boolean padded) {
        Problem p = new Problem(seed);
        Random r = p.random;
        int scale = r.nextInt(3) == 0 ? 90 : 20;
        long batches = 1 + r.nextInt(3);
        long m = 1 + r.nextInt(scale);
        long n = 1 + r.nextInt(scale);
        long k = 1 + r.nextInt(r.nextInt(4) == 0 ? 700 : 40);
        Var vb = p.block.var("b", batches);
        Var vm = p.block.var("m", m);
        Var vn = p.block.var("n", n);
        Var vk = p.block.var("k", k);
        p.batch = List.of(vb);
        p.m = List.of(vm);
        p.n = List.of(vn);
        p.k = List.of(vk);
        p.acc = acc;
        long gap = padded ? 3 : 0;
        p.a = operand(p, memory, vb, vm, m, vk, k, batches, r.nextBoolean(), gap);
        p.b = operand(p, memory, vb, vn, n, vk, k, batches, r.nextBoolean(), gap);
        Expr result = p.result();
        boolean turned = r.nextInt(4) == 0;
        Index index =
                p.block.index(
                        List.of(vb, vm, vn), List.of(m * n, turned ? 1L : n, turned ? m : 1L), 0);
        p.store(batches * m * n, index, result, acc);
        return p;
    }

    private static Expr operand(
            Problem p,
            DType t,
            Var b,
            Var row,
            long rows,
            Var k,
            long ks,
            long batches,
            boolean turned,
            long gap) {
        long rowStride = turned ? 1 : ks + gap;
        long kStride = turned ? rows + gap : 1;
        long size = (turned ? ks : rows) * Math.max(rowStride, kStride);
        Buf buf = p.input(t, 5 + batches * size);
        return new Expr.Load(
                buf, p.block.index(List.of(b, row, k), List.of(size, rowStride, kStride), 5));
    }

    @TestFactory
    Stream<DynamicTest> products() {
        return Stream.of(
                        check("f32", s -> matmul(s, DType.F32, DType.F32, false), 24, 0),
                        check("f32 with gaps", s -> matmul(s, DType.F32, DType.F32, true), 12, 0),
                        check("f64", s -> matmul(s, DType.F64, DType.F64, true), 12, 0),
                        check("bf16", s -> matmul(s, DType.BF16, DType.F32, false), 6, 0),
                        check("f16", s -> matmul(s, DType.F16, DType.F32, true), 6, 0),
                        check("i32", s -> matmul(s, DType.I32, DType.I32, false), 6, 0),
                        check("i64", s -> matmul(s, DType.I64, DType.I64, false), 6, 0))
                .flatMap(x -> x);
    }

    /** Lists of variables that are empty, extents of 0 and 1. */
    private static Problem degenerate(long seed) {
        Problem p = new Problem(seed);
        long batches = seed == 0 ? 0 : 2;
        long m = seed == 1 ? 1 : 19;
        long k = seed == 2 ? 0 : seed == 3 ? 1 : 37;
        Var vb = p.block.var("b", batches);
        Var vm = p.block.var("m", m);
        Var vk = p.block.var("k", k);
        p.batch = List.of(vb);
        p.m = List.of(vm);
        p.n = List.of();
        p.k = seed == 3 ? List.of() : List.of(vk);
        p.a =
                new Expr.Load(
                        p.input(DType.F32, Math.max(1, batches * m * k)),
                        p.block.index(List.of(vb, vm), List.of(m * k, k), 0));
        if (seed != 3) p.a = withK(p, (Expr.Load) p.a, vk);
        // The vector's elements lie apart.
        Buf x = p.input(DType.F32, Math.max(1, batches * k * 3));
        p.b = new Expr.Load(x, p.block.index(List.of(vb), List.of(k * 3), 0));
        if (seed != 3) p.b = withK(p, (Expr.Load) p.b, vk, seed == 4 ? 1 : 3);
        Expr result = p.result();
        p.store(
                Math.max(1, batches * m),
                p.block.index(List.of(vb, vm), List.of(m, 1L), 0),
                result,
                DType.F32);
        return p;
    }

    private static Expr withK(Problem p, Expr.Load load, Var k) {
        return withK(p, load, k, 1);
    }

    private static Expr withK(Problem p, Expr.Load load, Var k, long stride) {
        List<Index.Term> terms = new ArrayList<>(load.index().terms());
        terms.add(new Index.Term(p.block.number(stride), new Index.VarAtom(k)));
        return new Expr.Load(load.buffer(), new Index(terms, load.index().offset()));
    }

    @TestFactory
    Stream<DynamicTest> degenerateProducts() {
        return check("degenerate", GemmKernelTest::degenerate, 5, 0);
    }

    /** A sum over many products into a small result: k is sliced. */
    private static Problem longSum(long seed) {
        Problem p = new Problem(seed);
        long m = 1 + p.random.nextInt(40);
        long n = 9 + p.random.nextInt(60);
        long k = 3000 + p.random.nextInt(3000);
        Var vm = p.block.var("m", m);
        Var vn = p.block.var("n", n);
        Var vk = p.block.var("k", k);
        p.m = List.of(vm);
        p.n = List.of(vn);
        p.k = List.of(vk);
        p.a =
                new Expr.Load(
                        p.input(DType.F32, m * k),
                        p.block.index(List.of(vm, vk), List.of(1L, m), 0));
        p.b =
                new Expr.Load(
                        p.input(DType.F32, n * k),
                        p.block.index(List.of(vn, vk), List.of(1L, n), 0));
        Expr result = p.result();
        Expr two = Expr.Const.of(DType.F32, 2);
        p.store(
                m * n,
                p.block.index(List.of(vm, vn), List.of(n, 1L), 0),
                Expr.bin(Prim2.MUL, result, two),
                DType.F32);
        return p;
    }

    @TestFactory
    Stream<DynamicTest> longSums() {
        return check("long sums", GemmKernelTest::longSum, 3, 0);
    }

    /**
     * x[N,C,H,W] and w[O,C,kh,kw] with padding, stride and dilation; k and n have three variables each.
     */
    private static Problem conv(long seed, boolean bias) {
        Problem p = new Problem(seed);
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
        Index index =
                p.block.index(
                        List.of(vi, vo, vy, vx),
                        List.of(c.o * c.oh * c.ow, c.oh * c.ow, c.ow, 1L),
                        0);
        if (bias) result = withBias(p, result, vo, c.o, index, c.images * c.o * c.oh * c.ow);
        p.store(c.images * c.o * c.oh * c.ow, index, result, DType.F32);
        return p;
    }

    /** gelu(result + bias[row]) + residual. */
    private static Expr withBias(
            Problem p, Expr result, Var row, long rows, Index index, long count) {
        Buf bias = p.input(DType.F32, rows);
        Buf residual = p.input(DType.F32, count);
        Local x = new Local("x", DType.F32);
        Expr scaled = Expr.bin(Prim2.MUL, result, Expr.Const.of(DType.F32, 1.0 / 64));
        p.epilogue.add(
                new Stmt.Let(
                        x,
                        Expr.bin(
                                Prim2.ADD,
                                scaled,
                                new Expr.Load(bias, p.block.index(List.of(row), List.of(1L), 0)))));
        Expr ref = new Expr.Ref(x);
        Expr tanh = Expr.un(Prim1.TANH, Expr.bin(Prim2.MUL, ref, Expr.Const.of(DType.F32, 0.75)));
        Expr gelu =
                Expr.bin(Prim2.MUL, ref, Expr.bin(Prim2.ADD, tanh, Expr.Const.of(DType.F32, 1)));
        return Expr.bin(Prim2.ADD, gelu, new Expr.Load(residual, index));
    }

    /** dw[o,c,ky,kx] = Σ dy · x: k is (image, oy, ox). */
    private static Problem weightGradient(long seed) {
        Problem p = new Problem(seed);
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
        p.a =
                new Expr.Load(
                        dy,
                        p.block.index(
                                List.of(vi, vo, vy, vx),
                                List.of(c.o * c.oh * c.ow, c.oh * c.ow, c.ow, 1L),
                                0));
        p.b = c.image(vi, vc, vy, vx, vky, vkx);
        Index index =
                p.block.index(
                        List.of(vo, vc, vky, vkx),
                        List.of(c.c * c.kh * c.kw, c.kh * c.kw, c.kw, 1L),
                        0);
        Expr result = p.result();
        p.store(c.o * c.c * c.kh * c.kw, index, result, DType.F32);
        return p;
    }

    private static final class Conv {
        final Problem p;
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

        Conv(Problem p) {
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
                    weights,
                    p.block.index(
                            List.of(vo, vc, vky, vkx), List.of(c * kh * kw, kh * kw, kw, 1L), 0));
        }

        Expr image(Var vi, Var vc, Var vy, Var vx, Var vky, Var vkx) {
            Buf x = p.input(DType.F32, images * c * h * w);
            Index at =
                    p.block.index(
                            List.of(vi, vc, vy, vx, vky, vkx),
                            List.of(c * h * w, h * w, stride * w, stride, dilation * w, dilation),
                            -pad * w - pad);
            if (pad == 0) return new Expr.Load(x, at);
            Expr iy =
                    new Expr.IndexValue(
                            DType.I32,
                            p.block.index(List.of(vy, vky), List.of(stride, dilation), -pad));
            Expr ix =
                    new Expr.IndexValue(
                            DType.I32,
                            p.block.index(List.of(vx, vkx), List.of(stride, dilation), -pad));
            Expr mask = Expr.bin(Prim2.AND, inside(iy, h), inside(ix, w));
            return new Expr.Load(x, at, mask, Expr.Const.of(DType.F32, 0));
        }

        private Expr inside(Expr i, long extent) {
            Expr limit = new Expr.Arg(DType.I32, p.block.slot(extent));
            return Expr.bin(
                    Prim2.AND,
                    Expr.bin(Prim2.GE, i, Expr.Const.of(DType.I32, 0)),
                    Expr.bin(Prim2.LT, i, limit));
        }
    }

    @TestFactory
    Stream<DynamicTest> convolutions() {
        return Stream.of(
                        check("convolution", s -> conv(s, false), 8, 0),
                        check("convolution with epilogue", s -> conv(s, true), 6, 1e-5),
                        check("gradient of weights", GemmKernelTest::weightGradient, 8, 0))
                .flatMap(x -> x);
    }
}
