// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Prim2;
import io.sinter.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Matrix products of all kinds, in all vector widths, against loops in double precision. */
final class GemmKernelTest {
    /** A plain batched product, each operand transposed or not. */
    private static GemmProblem matmul(long seed, DType memory, DType acc, boolean padded) {
        GemmProblem p = new GemmProblem(seed);
        Random r = p.random;
        int scale = r.nextInt(3) == 0 ? 90 : 20;
        long batches = 1 + r.nextInt(3);
        long m = 1 + r.nextInt(scale);
        long n = 1 + r.nextInt(scale);
        long k = 1 + r.nextInt(r.nextInt(4) == 0 ? 700 : 40);
        return matmul(p, batches, m, n, k, memory, acc, padded);
    }

    /** Several panels, several strips of rows. */
    private static GemmProblem large(long seed, DType type) {
        GemmProblem p = new GemmProblem(seed);
        long m = 90 + p.random.nextInt(120);
        long n = 120 + p.random.nextInt(210);
        long k = 1 + p.random.nextInt(20);
        if (seed % 3 == 1) k += 250;
        return seed % 3 == 1
                ? matmul(p, 1, 26 + p.random.nextInt(9), n, k, type, type, true)
                : matmul(p, 1, m, n, k, type, type, seed % 2 == 1);
    }

    private static GemmProblem matmul(
            GemmProblem p, long batches, long m, long n, long k, DType memory, DType acc, boolean padded) {
        boolean[] turned = {p.random.nextBoolean(), p.random.nextBoolean(), p.random.nextInt(4) == 0};
        return matmul(p, batches, m, n, k, memory, acc, padded, turned);
    }

    /** @param turns whether a, b and the result lie column by column */
    private static GemmProblem matmul(
            GemmProblem p,
            long batches,
            long m,
            long n,
            long k,
            DType memory,
            DType acc,
            boolean padded,
            boolean[] turns) {
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
        p.a = operand(p, memory, vb, vm, m, vk, k, batches, turns[0], gap);
        p.b = operand(p, memory, vb, vn, n, vk, k, batches, turns[1], gap);
        Expr result = p.result();
        boolean turned = turns[2];
        Index index = p.block.index(List.of(vb, vm, vn), List.of(m * n, turned ? 1L : n, turned ? m : 1L), 0);
        p.store(batches * m * n, index, result, acc);
        return p;
    }

    private static Expr operand(
            GemmProblem p, DType t, Var b, Var row, long rows, Var k, long ks, long batches, boolean turned, long gap) {
        long rowStride = turned ? 1 : ks + gap;
        long kStride = turned ? rows + gap : 1;
        long size = (turned ? ks : rows) * Math.max(rowStride, kStride);
        Buf buf = p.input(t, 5 + batches * size);
        return new Expr.Load(buf, p.block.index(List.of(b, row, k), List.of(size, rowStride, kStride), 5));
    }

    /** Rows, steps of k, or both of both operands follow each other downwards in memory, as those of reversed views do. */
    private static GemmProblem reversed(long seed, DType type) {
        GemmProblem p = new GemmProblem(seed);
        Random r = p.random;
        long m = 7 + r.nextInt(90);
        long n = 7 + r.nextInt(200);
        long k = 17 + r.nextInt(300);
        Var vm = p.block.var("m", m);
        Var vn = p.block.var("n", n);
        Var vk = p.block.var("k", k);
        p.m = List.of(vm);
        p.n = List.of(vn);
        p.k = List.of(vk);
        p.acc = type;
        p.a = reversed(p, type, vm, m, vk, k, (seed & 1) == 0, (seed & 2) == 0);
        p.b = reversed(p, type, vn, n, vk, k, (seed & 4) == 0, (seed & 2) != 0);
        Expr result = p.result();
        p.store(m * n, p.block.index(List.of(vm, vn), List.of(n, 1L), 0), result, type);
        return p;
    }

    private static Expr reversed(
            GemmProblem p, DType t, Var row, long rows, Var k, long ks, boolean ofRows, boolean ofK) {
        boolean turned = p.random.nextBoolean();
        long rowStride = turned ? 1 : ks;
        long kStride = turned ? rows : 1;
        long first = (ofRows ? (rows - 1) * rowStride : 0) + (ofK ? (ks - 1) * kStride : 0);
        Index at = p.block.index(
                List.of(row, k), List.of(ofRows ? -rowStride : rowStride, ofK ? -kStride : kStride), first);
        return new Expr.Load(p.input(t, rows * ks), at);
    }

    @TestFactory
    Stream<DynamicTest> productsOfReversedViews() {
        return Stream.of(DType.F32, DType.F64, DType.I32)
                .flatMap(t -> GemmProblem.check("reversed " + t, s -> reversed(s, t), 16, 0));
    }

    @TestFactory
    Stream<DynamicTest> products() {
        return Stream.of(
                        GemmProblem.check("f32", s -> matmul(s, DType.F32, DType.F32, false), 24, 0),
                        GemmProblem.check("f32 with gaps", s -> matmul(s, DType.F32, DType.F32, true), 12, 0),
                        GemmProblem.check("f64", s -> matmul(s, DType.F64, DType.F64, true), 12, 0),
                        GemmProblem.check("f32, large", s -> large(s, DType.F32), 5, 0),
                        GemmProblem.check("f64, large", s -> large(s, DType.F64), 3, 0),
                        GemmProblem.check("bf16", s -> matmul(s, DType.BF16, DType.F32, false), 6, 0),
                        GemmProblem.check("f16", s -> matmul(s, DType.F16, DType.F32, true), 6, 0),
                        GemmProblem.check("i32", s -> matmul(s, DType.I32, DType.I32, false), 6, 0),
                        GemmProblem.check("i64", s -> matmul(s, DType.I64, DType.I64, false), 6, 0))
                .flatMap(x -> x);
    }

    /** Sums over more products than one pass along k has; finished by an epilogue or stored as they are. */
    private static GemmProblem passes(long seed, DType type) {
        GemmProblem p = new GemmProblem(seed);
        long m = 38 + p.random.nextInt(12);
        long n = 66 + p.random.nextInt(30);
        long k = GemmPlan.K_BLOCK + 1 + p.random.nextInt(700);
        boolean finished = seed % 2 == 0;
        if (!finished) return matmul(p, 1, m, n, k, type, type, seed % 3 == 0);
        p.m = List.of(p.block.var("m", m));
        p.n = List.of(p.block.var("n", n));
        p.k = List.of(p.block.var("k", k));
        p.acc = type;
        p.a = new Expr.Load(p.input(type, m * k), p.block.index(List.of(p.m.get(0), p.k.get(0)), List.of(k, 1L), 0));
        p.b = new Expr.Load(p.input(type, n * k), p.block.index(List.of(p.n.get(0), p.k.get(0)), List.of(1L, n), 0));
        Expr doubled = Expr.bin(Prim2.MUL, p.result(), Expr.Const.of(type, 2));
        p.store(m * n, p.block.index(List.of(p.m.get(0), p.n.get(0)), List.of(n, 1L), 0), doubled, type);
        return p;
    }

    @TestFactory
    Stream<DynamicTest> severalPasses() {
        return Stream.of(DType.F32, DType.F64)
                .flatMap(t -> GemmProblem.check("passes of " + t, s -> passes(s, t), 4, 0));
    }

    /** Lists of variables that are empty, extents of 0 and 1. */
    private static GemmProblem degenerate(long seed) {
        GemmProblem p = new GemmProblem(seed);
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
        p.a = new Expr.Load(
                p.input(DType.F32, Math.max(1, batches * m * k)), p.block.index(List.of(vb, vm), List.of(m * k, k), 0));
        if (seed != 3) p.a = withK(p, (Expr.Load) p.a, vk);
        // The vector's elements lie apart.
        Buf x = p.input(DType.F32, Math.max(1, batches * k * 3));
        p.b = new Expr.Load(x, p.block.index(List.of(vb), List.of(k * 3), 0));
        if (seed != 3) p.b = withK(p, (Expr.Load) p.b, vk, seed == 4 ? 1 : 3);
        Expr result = p.result();
        p.store(Math.max(1, batches * m), p.block.index(List.of(vb, vm), List.of(m, 1L), 0), result, DType.F32);
        return p;
    }

    private static Expr withK(GemmProblem p, Expr.Load load, Var k) {
        return withK(p, load, k, 1);
    }

    private static Expr withK(GemmProblem p, Expr.Load load, Var k, long stride) {
        List<Index.Term> terms = new ArrayList<>(load.index().terms());
        terms.add(new Index.Term(p.block.number(stride), new Index.VarAtom(k)));
        return new Expr.Load(load.buffer(), new Index(terms, load.index().offset()));
    }

    @TestFactory
    Stream<DynamicTest> degenerateProducts() {
        return GemmProblem.check("degenerate", GemmKernelTest::degenerate, 5, 0);
    }

    /** A sum over many products into a small result: k is sliced. */
    private static GemmProblem longSum(long seed) {
        GemmProblem p = new GemmProblem(seed);
        long m = 1 + p.random.nextInt(40);
        long n = 9 + p.random.nextInt(60);
        long k = 3000 + p.random.nextInt(3000);
        Var vm = p.block.var("m", m);
        Var vn = p.block.var("n", n);
        Var vk = p.block.var("k", k);
        p.m = List.of(vm);
        p.n = List.of(vn);
        p.k = List.of(vk);
        p.a = new Expr.Load(p.input(DType.F32, m * k), p.block.index(List.of(vm, vk), List.of(1L, m), 0));
        p.b = new Expr.Load(p.input(DType.F32, n * k), p.block.index(List.of(vn, vk), List.of(1L, n), 0));
        Expr result = p.result();
        Expr two = Expr.Const.of(DType.F32, 2);
        p.store(m * n, p.block.index(List.of(vm, vn), List.of(n, 1L), 0), Expr.bin(Prim2.MUL, result, two), DType.F32);
        return p;
    }

    @TestFactory
    Stream<DynamicTest> longSums() {
        return GemmProblem.check("long sums", GemmKernelTest::longSum, 3, 0);
    }

    /** Operands in pieces: each side of a matrix has two variables, and memory holds them in any order. */
    private static GemmProblem pieces(long seed) {
        GemmProblem p = new GemmProblem(seed);
        long[] ms = extents(p.random, 1 + p.random.nextInt(6), 30);
        long[] ns = extents(p.random, 1 + p.random.nextInt(6), 40);
        long[] ks = extents(p.random, 1 + p.random.nextInt(9), p.random.nextInt(4) == 0 ? 80 : 20);
        p.m = vars(p, "m", ms);
        p.n = vars(p, "n", ns);
        p.k = vars(p, "k", ks);
        p.a = inAnyOrder(p, p.m, ms, p.k, ks);
        p.b = inAnyOrder(p, p.n, ns, p.k, ks);
        Expr result = p.result();
        if (p.random.nextBoolean()) result = Expr.bin(Prim2.MUL, result, Expr.Const.of(DType.F32, 2));
        List<Var> all = new ArrayList<>(p.m);
        all.addAll(p.n);
        long n = ns[0] * ns[1];
        p.store(ms[0] * ms[1] * n, p.block.index(all, List.of(ms[1] * n, n, ns[1], 1L), 0), result, DType.F32);
        return p;
    }

    private static long[] extents(Random r, long outer, int most) {
        return new long[] {outer, 1 + r.nextInt(most)};
    }

    private static List<Var> vars(GemmProblem p, String name, long[] extents) {
        return List.of(p.block.var(name + 0, extents[0]), p.block.var(name + 1, extents[1]));
    }

    private static Expr inAnyOrder(GemmProblem p, List<Var> rows, long[] rowExtents, List<Var> ks, long[] kExtents) {
        List<Var> vars = new ArrayList<>(rows);
        vars.addAll(ks);
        long[] extents = {rowExtents[0], rowExtents[1], kExtents[0], kExtents[1]};
        List<Integer> order = new ArrayList<>(List.of(0, 1, 2, 3));
        java.util.Collections.shuffle(order, p.random);
        Long[] strides = new Long[4];
        // Sometimes no variable is contiguous.
        long size = p.random.nextInt(4) == 0 ? 2 : 1;
        for (int v : order) {
            strides[v] = size;
            size *= extents[v];
        }
        return new Expr.Load(p.input(DType.F32, size), p.block.index(vars, List.of(strides), 0));
    }

    @TestFactory
    Stream<DynamicTest> productsOfPieces() {
        return GemmProblem.check("pieces", GemmKernelTest::pieces, 40, 0);
    }

    /** A vector, or a few, times a matrix whose rows are long: dot products, row by row. */
    private static GemmProblem fewLongRows(long seed) {
        GemmProblem p = new GemmProblem(seed);
        long m = 300 + p.random.nextInt(20);
        long n = 1 + p.random.nextInt(6);
        long k = 1024 + p.random.nextInt(40);
        boolean few = seed % 2 == 0;
        return matmul(p, 1, few ? m : n, few ? n : m, k, DType.F32, DType.F32, true, new boolean[3]);
    }

    @TestFactory
    Stream<DynamicTest> dotsOfLongRows() {
        return GemmProblem.check("long rows", GemmKernelTest::fewLongRows, 4, 0);
    }

    /** Few rows times a matrix whose rows are contiguous: it is read where it lies, in more than one long block of k. */
    private static GemmProblem fewRows(long seed) {
        GemmProblem p = new GemmProblem(seed);
        long m = 9 + p.random.nextInt(28);
        long n = 60 + p.random.nextInt(100);
        long k = 1000 + p.random.nextInt(300);
        return matmul(p, 1, m, n, k, DType.F32, DType.F32, true, new boolean[] {false, true, false});
    }

    @TestFactory
    Stream<DynamicTest> productsOfFewRows() {
        return GemmProblem.check("few rows", GemmKernelTest::fewRows, 4, 0);
    }

    /** Few rows times a matrix whose columns lie in panels: of as many columns as are multiplied at once, of more, and of others. */
    private static GemmProblem panels(long seed) {
        GemmProblem p = new GemmProblem(seed);
        long m = 9 + p.random.nextInt(28);
        long panel = new long[] {64, 128, 32, 48, 19}[(int) seed % 5];
        long count = 2 + p.random.nextInt(3);
        long k = 1000 + p.random.nextInt(100);
        Var vm = p.block.var("m", m);
        Var vk = p.block.var("k", k);
        p.m = List.of(vm);
        p.n = vars(p, "n", new long[] {count, panel});
        p.k = List.of(vk);
        p.a = new Expr.Load(p.input(DType.F32, m * k), p.block.index(List.of(vm, vk), List.of(k, 1L), 0));
        List<Var> of = List.of(p.n.get(0), vk, p.n.get(1));
        long gap = seed < 5 ? 0 : 16;
        Index index = p.block.index(of, List.of(k * panel + gap, panel, 1L), 0);
        p.b = new Expr.Load(p.input(DType.F32, count * (k * panel + gap)), index);
        List<Var> all = List.of(vm, p.n.get(0), p.n.get(1));
        Expr result = p.result();
        if (seed % 2 == 1) result = Expr.bin(Prim2.MUL, result, Expr.Const.of(DType.F32, 2));
        p.store(m * count * panel, p.block.index(all, List.of(count * panel, panel, 1L), 0), result, DType.F32);
        return p;
    }

    @TestFactory
    Stream<DynamicTest> productsOfPanels() {
        return GemmProblem.check("panels", GemmKernelTest::panels, 10, 0);
    }
}
