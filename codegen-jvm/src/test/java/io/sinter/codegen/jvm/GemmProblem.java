// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Local;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.loop.Var;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/**
 * One matrix product under construction, and its check in all vector widths against loops in double
 * precision.
 */
final class GemmProblem {
    private static final int[] WIDTHS = {512, 256, 128, 0};

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

    GemmProblem(long seed) {
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
        return new GemmKernel("product", batch, m, n, k, a, b, acc, result, epilogue, List.of(), block.slots());
    }

    /** Makes a problem from a seed. */
    interface Case {
        GemmProblem make(long seed);
    }

    static Stream<DynamicTest> check(String name, Case c, int seeds, double tolerance) {
        List<DynamicTest> tests = new ArrayList<>();
        for (int width : WIDTHS) {
            tests.add(DynamicTest.dynamicTest(name + ", width " + width, () -> {
                int count = width == 512 || seeds < 6 ? seeds : (seeds + 2) / 3;
                for (long seed = 0; seed < count; seed++)
                    check(name + " seed " + seed, c.make(seed), width, tolerance, seed < FORMED && width == 512);
            }));
        }
        return tests.stream();
    }

    /** Of so many seeds every form is tried. */
    private static final long FORMED = 2;

    /** @param forms whether the forms that the tables do not choose are tried, too */
    private static void check(String what, GemmProblem p, int width, double tolerance, boolean forms) {
        try (p.arena) {
            JvmKernel kernel = JvmCodegen.compile(p.kernel(), new Options(width));
            double[] expected = expected(p);
            long params = p.block.address();
            KernelRunner.run(kernel, params, null);
            double[] first = results(p);
            for (int i = 0; i < expected.length; i++) {
                double scale = tolerance * Math.max(1, Math.abs(expected[i]));
                assertEquals(expected[i], first[i], scale, what + ", element " + i + " of " + expected.length);
            }
            for (long i = 0; i < p.block.count(p.out); i++) p.block.set(p.out, i, 77);
            KernelRunner.run(kernel, params, new Random(5));
            double[] second = results(p);
            for (int i = 0; i < expected.length; i++)
                assertEquals(first[i], second[i], what + ": the order of tasks changes a bit");
            for (String form : forms ? kernel.forms(params, "") : List.<String>of()) {
                for (long i = 0; i < p.block.count(p.out); i++) p.block.set(p.out, i, 77);
                KernelRunner.run(kernel.in(form), params, new Random(6));
                double[] other = results(p);
                for (int i = 0; i < expected.length; i++) {
                    double scale = tolerance * Math.max(1, Math.abs(expected[i]));
                    assertEquals(expected[i], other[i], scale, what + ", form " + form + ", element " + i);
                }
            }
            p.block.move(params);
            for (long i = 0; i < p.block.count(p.out); i++) p.block.set(p.out, i, 77);
            KernelRunner.run(kernel, params, null);
            assertArrayEquals(first, results(p), what + ": the same launch, its memory elsewhere");
            p.block.checkGuards();
        }
    }

    private static double[] results(GemmProblem p) {
        double[] r = new double[Math.toIntExact(p.block.count(p.out))];
        for (int i = 0; i < r.length; i++) r[i] = p.block.get(p.out, i);
        return r;
    }

    private static double[] expected(GemmProblem p) {
        double[] out = results(p);
        LoopOracle o = new LoopOracle(p.block);
        List<Var> outer = new ArrayList<>(p.batch);
        outer.addAll(p.m);
        outer.addAll(p.n);
        nest(p, o, outer, () -> {
            double[] sum = {0};
            nest(p, o, p.k, () -> sum[0] += o.value(p.a) * o.value(p.b));
            o.locals.put(p.result, sum[0]);
            for (Stmt s : p.epilogue) {
                switch (s) {
                    case Stmt.Let l -> o.locals.put(l.local(), o.value(l.value()));
                    case Stmt.Store st -> out[Math.toIntExact(o.index(st.index()))] = o.value(st.value());
                    default -> throw new AssertionError(s);
                }
            }
        });
        return out;
    }

    private static void nest(GemmProblem p, LoopOracle o, List<Var> vars, Runnable body) {
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
}
