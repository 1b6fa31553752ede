// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.sinter.ir.DType;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.AttentionKernel.Pass;
import io.sinter.ir.loop.AttentionKernel.Target;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.Var;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Attention and its gradient, in all vector widths, against loops in double precision that hold all
 * scores.
 */
final class AttentionKernelTest {
    private static final long MANY = 4;

    /** A problem: heads are split by strides, as views of [batch, position, head, feature] do it. */
    private static final class Problem {
        final Arena arena = Arena.ofShared();
        final ParameterBlock block = new ParameterBlock(arena);
        final Random random;
        final DType memory;
        final boolean causal;
        final boolean biased;
        final int batches;
        final int heads;
        final int t;
        final int s;
        final int d;
        final int e;
        final Var b;
        final Var h;
        final Var i;
        final Var j;
        final Var vd;
        final Var ve;
        final Buf q;
        final Buf k;
        final Buf v;
        final Buf bias;
        final Buf out;
        final Buf lse;
        final Buf dout;
        final Buf dq;
        final Buf dk;
        final Buf dv;
        final double scale;

        Problem(long seed, DType memory, boolean causal, boolean biased) {
            this.random = new Random(seed);
            this.memory = memory;
            this.causal = causal;
            this.biased = biased;
            // Many batch elements make one task each, with all of its keys; rows wider than a panel.
            boolean many = seed == MANY;
            batches = many ? 2 : 1 + random.nextInt(2);
            heads = many ? 8 : 1 + random.nextInt(3);
            t = many ? 110 : 1 + random.nextInt(random.nextInt(3) == 0 ? 150 : 20);
            s = many ? 130 : random.nextBoolean() ? t : 1 + random.nextInt(random.nextInt(3) == 0 ? 230 : 20);
            d = many ? 80 : 1 + random.nextInt(20);
            e = random.nextBoolean() ? d : 1 + random.nextInt(30);
            scale = 1 / Math.sqrt(d);
            b = block.var("b", batches);
            h = block.var("h", heads);
            i = block.var("i", t);
            j = block.var("j", s);
            vd = block.var("d", d);
            ve = block.var("e", e);
            q = in(t * d);
            k = in(s * d);
            v = in(s * e);
            // Some keys are hidden; query 0 of each head sees none now and then.
            int none = random.nextInt(3);
            bias = block.buffer(memory.compute(), (long) batches * t * s, Buf.Kind.IN, x -> {
                boolean hidden = random.nextInt(5) == 0 || none == 0 && x % (t * s) < s;
                return hidden ? Double.NEGATIVE_INFINITY : random.nextGaussian();
            });
            out = block.buffer(memory, count(t * e), Buf.Kind.OUT, _ -> 77);
            lse = block.buffer(memory.compute(), count(t), Buf.Kind.OUT, _ -> 77);
            dout = in(t * e);
            dq = block.buffer(memory, count(t * d), Buf.Kind.OUT, _ -> 77);
            dk = block.buffer(memory, count(s * d), Buf.Kind.OUT, _ -> 77);
            dv = block.buffer(memory, count(s * e), Buf.Kind.OUT, _ -> 77);
        }

        private long count(long ofOne) {
            return batches * heads * ofOne;
        }

        private Buf in(long ofOne) {
            return block.buffer(memory, count(ofOne), Buf.Kind.IN, _ -> random.nextGaussian());
        }

        /** [batch, position, head, feature]. */
        private Index index(Var position, long positions, Var feature, long features) {
            return block.index(
                    List.of(b, h, position, feature),
                    List.of(positions * heads * features, features, heads * features, 1L),
                    0);
        }

        private int at(int b, int h, int position, int positions, int feature, int features) {
            return ((b * positions + position) * heads + h) * features + feature;
        }

        /** [batch, head, query]. */
        private Index byQuery() {
            return block.index(List.of(b, h, i), List.of((long) heads * t, (long) t, 1L), 0);
        }

        private Expr load(Buf buf, Index index) {
            return new Expr.Load(buf, index);
        }

        AttentionKernel kernel(Pass pass) {
            Expr scaleArgument = new Expr.Arg(
                    memory.compute(),
                    block.slot(
                            memory == DType.F64
                                    ? Double.doubleToRawLongBits(scale)
                                    : Float.floatToRawIntBits((float) scale)));
            Expr biasValue =
                    biased ? load(bias, block.index(List.of(b, i, j), List.of((long) t * s, (long) s, 1L), 0)) : null;
            List<Expr> saved = new ArrayList<>();
            List<Target> outputs = new ArrayList<>();
            if (pass == Pass.FORWARD) {
                outputs.add(new Target(out, index(i, t, ve, e)));
                outputs.add(new Target(lse, byQuery()));
            } else {
                saved.add(load(out, index(i, t, ve, e)));
                saved.add(load(dout, index(i, t, ve, e)));
                saved.add(load(lse, byQuery()));
                outputs.add(new Target(dq, index(i, t, vd, d)));
                outputs.add(new Target(dk, index(j, s, vd, d)));
                outputs.add(new Target(dv, index(j, s, ve, e)));
            }
            return new AttentionKernel(
                    "attention",
                    pass,
                    List.of(b, h),
                    i,
                    j,
                    vd,
                    ve,
                    load(q, index(i, t, vd, d)),
                    load(k, index(j, s, vd, d)),
                    load(v, index(j, s, ve, e)),
                    biasValue,
                    causal,
                    scaleArgument,
                    saved,
                    outputs,
                    memory.compute(),
                    List.of(),
                    block.slots());
        }

        double[] scores(int b, int h, int i) {
            double[] r = new double[s];
            for (int j = 0; j < s; j++) {
                double dot = 0;
                for (int x = 0; x < d; x++)
                    dot += block.get(q, at(b, h, i, t, x, d)) * block.get(k, at(b, h, j, s, x, d));
                double bi = biased ? block.get(bias, ((long) b * t + i) * s + j) : 0;
                r[j] = causal && j > i ? Double.NEGATIVE_INFINITY : dot * scale + bi;
            }
            return r;
        }

        static double logSumExp(double[] s) {
            double max = Double.NEGATIVE_INFINITY;
            for (double x : s) max = Math.max(max, x);
            if (max == Double.NEGATIVE_INFINITY) return max;
            double sum = 0;
            for (double x : s) sum += Math.exp(x - max);
            return max + Math.log(sum);
        }

        static double weight(double score, double lse) {
            return lse == Double.NEGATIVE_INFINITY ? 0 : Math.exp(score - lse);
        }

        void checkForward(double tolerance) {
            for (int b = 0; b < batches; b++) {
                for (int h = 0; h < heads; h++) {
                    for (int i = 0; i < t; i++) {
                        double[] row = scores(b, h, i);
                        double all = logSumExp(row);
                        assertEquals(
                                all,
                                block.get(lse, ((long) b * heads + h) * t + i),
                                tolerance * 4,
                                "lse of " + where(b, h, i));
                        for (int x = 0; x < e; x++) {
                            double sum = 0;
                            for (int j = 0; j < s; j++) sum += weight(row[j], all) * block.get(v, at(b, h, j, s, x, e));
                            assertEquals(
                                    sum, block.get(out, at(b, h, i, t, x, e)), tolerance, "out of " + where(b, h, i));
                        }
                    }
                }
            }
        }

        void checkBackward(double tolerance) {
            double[] wantQ = new double[(int) count(t * d)];
            double[] wantK = new double[(int) count(s * d)];
            double[] wantV = new double[(int) count(s * e)];
            for (int b = 0; b < batches; b++) {
                for (int h = 0; h < heads; h++) {
                    for (int i = 0; i < t; i++) gradients(b, h, i, wantQ, wantK, wantV);
                }
            }
            for (int x = 0; x < wantQ.length; x++)
                assertEquals(wantQ[x], block.get(dq, x), tolerance, "dq " + x + where(-1, -1, -1));
            for (int x = 0; x < wantV.length; x++)
                assertEquals(wantV[x], block.get(dv, x), tolerance, "dv " + x + where(-1, -1, -1));
            for (int x = 0; x < wantK.length; x++)
                assertEquals(wantK[x], block.get(dk, x), tolerance, "dk " + x + where(-1, -1, -1));
        }

        private void gradients(int b, int h, int i, double[] wantQ, double[] wantK, double[] wantV) {
            double[] row = scores(b, h, i);
            double all = block.get(lse, ((long) b * heads + h) * t + i);
            double delta = 0;
            for (int x = 0; x < e; x++)
                delta += block.get(dout, at(b, h, i, t, x, e)) * block.get(out, at(b, h, i, t, x, e));
            for (int j = 0; j < s; j++) {
                double p = weight(row[j], all);
                double dp = 0;
                for (int x = 0; x < e; x++) {
                    double g = block.get(dout, at(b, h, i, t, x, e));
                    dp += g * block.get(v, at(b, h, j, s, x, e));
                    wantV[at(b, h, j, s, x, e)] += p * g;
                }
                double ds = p * (dp - delta) * scale;
                for (int x = 0; x < d; x++) {
                    wantQ[at(b, h, i, t, x, d)] += ds * block.get(k, at(b, h, j, s, x, d));
                    wantK[at(b, h, j, s, x, d)] += ds * block.get(q, at(b, h, i, t, x, d));
                }
            }
        }

        private String where(int b, int h, int i) {
            return " batch " + b + " head " + h + " query " + i + " (T=" + t + " S=" + s + " D=" + d + " E=" + e + " B="
                    + batches + " H=" + heads + ")";
        }

        double[] results(Buf... bufs) {
            List<Double> all = new ArrayList<>();
            for (Buf x : bufs) {
                for (long n = 0; n < block.count(x); n++) all.add(block.get(x, n));
            }
            return all.stream().mapToDouble(Double::doubleValue).toArray();
        }
    }

    private static void check(Problem p, int width, double tolerance) {
        try (p.arena) {
            AttentionKernel forward = p.kernel(Pass.FORWARD);
            AttentionKernel backward = p.kernel(Pass.BACKWARD);
            long params = p.block.address();
            run(p, JvmCodegen.compile(forward, new Options(width)), params, p.out, p.lse);
            p.checkForward(tolerance);
            run(p, JvmCodegen.compile(backward, new Options(width)), params, p.dq, p.dk, p.dv);
            p.checkBackward(tolerance * 10);
            p.block.checkGuards();
        }
    }

    /** Runs in turn and in another order, which must not change a bit. */
    private static void run(Problem p, JvmKernel kernel, long params, Buf... results) {
        KernelRunner.run(kernel, params, null);
        double[] once = p.results(results);
        KernelRunner.run(kernel, params, new Random(3));
        double[] again = p.results(results);
        for (int x = 0; x < once.length; x++) assertEquals(once[x], again[x], "the order of tasks changes a bit");
    }

    @TestFactory
    Stream<DynamicTest> attention() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int width : new int[] {512, 256, 128, 0}) {
            for (DType type : new DType[] {DType.F32, DType.F64, DType.F16}) {
                double tolerance = type == DType.F64 ? 1e-12 : type == DType.F32 ? 2e-6 : 4e-3;
                for (int flags = 0; flags < 4; flags++) {
                    boolean causal = (flags & 1) != 0;
                    boolean biased = (flags & 2) != 0;
                    String name = type + (causal ? ", causal" : "") + (biased ? ", bias" : "") + ", width " + width;
                    tests.add(DynamicTest.dynamicTest(name, () -> {
                        int seeds = width == 512 ? 5 : 1;
                        for (long seed = 0; seed < seeds; seed++)
                            check(new Problem(seed, type, causal, biased), width, tolerance);
                    }));
                }
            }
        }
        return tests.stream();
    }
}
