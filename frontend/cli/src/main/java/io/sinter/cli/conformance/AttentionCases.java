// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.cli.conformance.AttentionModel.Form;
import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.Attention;
import io.sinter.ir.op.AttentionGrad;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/**
 * Attention in each of its forms, forward and backward: blocks that end at every place of a thread's rows and columns, several blocks of queries, keys and
 * features, hidden keys, a query that sees nothing, and scores so far apart that the greatest of a later block takes over. {@link AttentionModel} says what
 * comes out, to the bit.
 */
final class AttentionCases {
    private static final double HIDDEN = Double.NEGATIVE_INFINITY;
    private static final double SCALE = 0.2;

    /** A query that sees nothing, where there are so many. */
    private static final int BLIND = 5;

    /** In each 8 neighbours a thread of {@code mma} has two columns: a program for each of them in each 8 of a block. */
    private static final int ENDS = 16;

    private AttentionCases() {}

    static List<Supplier<MutantCase>> all() {
        return List.of(
                () -> attention("attention", DType.F32, Form.FMA, false, false),
                () -> attention("attention-causal", DType.F32, Form.FMA, true, false),
                () -> attention("attention-f32-async", DType.F32, Form.FMA, false, true),
                () -> attention("attention-f32-large", DType.F32, Form.LARGE_FMA, false, true),
                () -> heads("attention-heads", DType.F16, false, new long[][] {
                    {150, 141, 64, 40}, {40, 83, 48, 64}, {9, 59, 8, 16}
                }),
                () -> heads(
                        "attention-heads-causal", DType.BF16, true, new long[][] {{70, 77, 88, 128}, {77, 70, 128, 72}
                        }),
                () -> attention("attention-f16", DType.F16, Form.F16, true, false),
                () -> attention("attention-f16-async", DType.F16, Form.F16, false, true),
                () -> attention("attention-tf32", DType.F32, Form.TF32, true, false));
    }

    /** @param async whether rows of operands begin at multiples of 16 bytes: they come by asynchronous copies then */
    private static MutantCase attention(String template, DType t, Form form, boolean causal, boolean async) {
        Numerics numerics = form == Form.TF32 ? Numerics.DEFAULT.withProducts(MatmulPrecision.HIGH) : Numerics.DEFAULT;
        boolean large = form == Form.LARGE_FMA;
        double tolerance = form == Form.FMA || large ? 2e-5 : 3e-2;
        MutantCase.Builder b =
                new MutantCase.Builder(template, (_, in) -> in).with(numerics).aligned();
        // Launches of many CTAs take it, more than are simulated here.
        if (large) b.inForm("fma by async, 64 a thread");
        for (int n = 0; n < ENDS; n++) {
            // So many queries that each of a thread's rows is there.
            long[] size = {32 + end(n) % 32, end(n + 5), end(n + 10), end(n + 3)};
            programs(b, t, form, causal, async, size, tolerance);
        }
        for (long[] size : new long[][] {{70, 67, 21, 67}, {66, 132, 67, 21}})
            programs(b, t, form, causal, async, size, tolerance);
        return b.build();
    }

    private static long blockEnd(int number) {
        int n = number % ENDS;
        return n / 2 * 8 + n % 2 + 2;
    }

    /** Whole heads in shared memory at once, of 16 bits and without a bias. */
    private static MutantCase heads(String template, DType t, boolean causal, long[][] sizes) {
        Form form = t == DType.F16 ? Form.F16 : Form.BF16;
        double tolerance = t == DType.F16 ? 4e-3 : 3e-2;
        MutantCase.Builder b = new MutantCase.Builder(template, (_, in) -> in).aligned();
        int[] cut = new int[2];
        List<long[]> all = new ArrayList<>(List.of(sizes));
        // A thread has two columns in each 8: blocks that end at each of them.
        for (int n = 0; n < ENDS; n++) all.add(new long[] {blockEnd(n + 5), blockEnd(n), sizes[0][2], 8});
        for (long[] size : all) {
            Type q = Type.of(t, 2, size[0], size[2]);
            Type k = Type.of(t, 2, size[1], size[2]);
            Type v = Type.of(t, 2, size[1], size[3]);
            b.computing(forward(causal, cut), AttentionHeadsModel.forward(form, causal, SCALE))
                    .at(q, k, v)
                    .on((x, i) -> MutantInputs.uniform(x, i), tolerance)
                    .on((x, i) -> i == 0 ? Sample.uniform(x, -16, 16, 9) : MutantInputs.uniform(x, i), tolerance)
                    .on((x, i) -> RoundingInputs.ofMeans(x, i), tolerance)
                    .on((x, i) -> i == 0 ? RoundingInputs.small(q, k, causal) : RoundingInputs.keys(x, i), tolerance);
            Type out = Type.of(t, 2, size[0], size[3]);
            Type lse = Type.of(DType.F32, 2, size[0]);
            MutantCase.Builder.Sized backward = b.computing(
                            gradient(causal, cut), AttentionHeadsModel.gradient(form, causal, SCALE))
                    .at(q, k, v, out, lse, out)
                    .on((x, i) -> i == 4 ? Sample.uniform(x, 2, 4, 1) : Sample.uniform(x, -1, 1, i), tolerance)
                    .on((x, i) -> i == 4 ? Sample.uniform(x, 2, 4, 2) : Sample.uniform(x, -1, 1, i + 7), tolerance);
            // Slopes of single weights: of the gradient of queries, and of that of keys.
            for (int zero = 0; zero < 2; zero++) {
                int none = zero;
                backward.on((x, i) -> RoundingInputs.ofSlopes(x, i, none, t), 100 * tolerance);
                for (int sign : new int[] {1, -1})
                    backward.on((x, i) -> RoundingInputs.ofDifferences(x, i, none, sign), 100 * tolerance);
            }
        }
        return b.build();
    }

    /** Numbers below 64, of which no two end at the same column of a thread. */
    private static long end(int number) {
        int n = number % ENDS;
        return n / 2 * 8 + n % 2 + 2 * (1 + n % 3);
    }

    /** Forward and backward, of two matrices of {@code size}: queries, keys, features of these, and of values. */
    private static void programs(
            MutantCase.Builder b, DType t, Form form, boolean causal, boolean async, long[] size, double tolerance) {
        long width = async ? size[2] + 7 & -8 : size[2];
        long valueWidth = async ? size[3] + 7 & -8 : size[3];
        int[] cut = {Math.toIntExact(width - size[2]), Math.toIntExact(valueWidth - size[3])};
        Type q = Type.of(t, 2, size[0], width);
        Type k = Type.of(t, 2, size[1], width);
        Type v = Type.of(t, 2, size[1], valueWidth);
        Type bias = Type.of(t, 2, size[0], size[1]);
        b.computing(forward(causal, cut), AttentionModel.forward(form, causal, SCALE, cut))
                .at(q, k, v, bias)
                .on((x, i) -> dense(x, i), tolerance)
                .on((x, i) -> i == 0 ? Sample.uniform(x, -16, 16, 9) : dense(x, i), 100 * tolerance)
                .on((x, i) -> i == 3 ? sparse(x) : dense(x, i), tolerance)
                .on(
                        (x, i) -> switch (i) {
                            case 0 -> infinite(x, cut[0], 1);
                            case 1 -> infinite(x, cut[0], -1);
                            case 2 -> infiniteEnd(x);
                            default -> dense(x, i);
                        },
                        Double.NaN,
                        tolerance);
        Type out = Type.of(t, 2, size[0], size[3]);
        Type lse = Type.of(DType.F32, 2, size[0]);
        Type dout = Type.of(t, 2, size[0], valueWidth);
        MutantCase.Builder.Sized backward = b.computing(
                        gradient(causal, cut), AttentionModel.gradient(form, causal, SCALE, cut))
                .at(q, k, v, bias, out, lse, dout)
                .on((x, i) -> i == 5 ? sums(x, 1) : dense(x, i), 100 * tolerance)
                .on((x, i) -> i == 5 ? sums(x, 2) : dense(x, i == 3 ? 3 : i + 7), 100 * tolerance)
                .on((x, i) -> i == 5 ? sums(x, 3) : i == 3 ? sparse(x) : dense(x, i), 100 * tolerance)
                .on(
                        (x, i) -> switch (i) {
                            case 0 -> infinite(x, cut[0], 1);
                            case 1 -> infinite(x, cut[0], -1);
                            case 5 -> sums(x, 4);
                            default -> dense(x, i);
                        },
                        Double.NaN);
        if (form == Form.FMA) return;
        // Weights that are multiplied as they are in dv; and what is multiplied in dq and dk, where the weight's slope
        // is 1.
        backward.on(
                        (x, i) -> switch (i) {
                            case 0, 3 -> RefArray.zeros(x);
                            case 5 -> middles(x, 1);
                            default -> dense(x, i);
                        },
                        100 * tolerance)
                .on(
                        (x, i) -> switch (i) {
                            case 0, 2, 3 -> RefArray.zeros(x);
                            case 4 -> first(x, -1, true);
                            case 5 -> middles(x, (float) RefArray.round(t, SCALE));
                            case 6 -> first(x, 1, false);
                            default -> dense(x, i);
                        },
                        100 * tolerance);
    }

    private static Node cut(GraphBuilder g, Node x, int by) {
        return g.slice(x, 2, 0, g.type(x).dim(2) - by, 1);
    }

    private static List<Node> operands(GraphBuilder g, List<Node> in, int[] cut) {
        return new ArrayList<>(List.of(
                cut(g, in.get(0), cut[0]),
                cut(g, in.get(1), cut[0]),
                cut(g, in.get(2), cut[1]),
                hasBias(g, in) ? in.get(3) : noBias(g, in),
                g.constant(in.get(0), SCALE)));
    }

    /** Whether the fourth operand is as large as the scores. */
    private static boolean hasBias(GraphBuilder g, List<Node> in) {
        return in.size() > 3 && g.type(in.get(3)).shape().equals(scores(g, in));
    }

    private static Shape scores(GraphBuilder g, List<Node> in) {
        return g.type(in.get(0)).shape().with(2, g.type(in.get(1)).dim(1));
    }

    private static Node noBias(GraphBuilder g, List<Node> in) {
        return g.expand(g.constant(in.get(0), 0), scores(g, in));
    }

    private static BiFunction<GraphBuilder, List<Node>, List<Node>> forward(boolean causal, int[] cut) {
        return (g, in) -> g.emit(new Attention(causal), operands(g, in, cut));
    }

    private static BiFunction<GraphBuilder, List<Node>, List<Node>> gradient(boolean causal, int[] cut) {
        return (g, in) -> {
            List<Node> operands = operands(g, in, cut);
            int saved = hasBias(g, in) ? 4 : 3;
            operands.addAll(List.of(in.get(saved), in.get(saved + 1), cut(g, in.get(saved + 2), cut[1])));
            return g.emit(new AttentionGrad(causal), operands);
        };
    }

    private static RefArray dense(Type t, int number) {
        return number == 3 ? hidden(t) : MutantInputs.uniform(t, number);
    }

    /** A mask that hides some keys, and from one query all. */
    private static RefArray hidden(Type t) {
        int queries = Math.toIntExact(t.dim(1));
        int keys = Math.toIntExact(t.dim(2));
        return RefArray.of(t, i -> i / keys % queries == BLIND || i * 7L % 11 == 3 ? HIDDEN : (i % 13 - 6) * 0.1);
    }

    /** A mask that shows few keys: each weight counts. */
    private static RefArray sparse(Type t) {
        Random r = new Random(1);
        return RefArray.of(t, _ -> r.nextInt(8) == 0 ? r.nextInt(-6, 7) * 0.1 : HIDDEN);
    }

    /**
     * Queries, or keys, of whose last features those of queries are positive and those of keys negative, with one in each matrix that is infinite: it is seen
     * by nobody. What is read beyond the last feature is 0 where the other operand's is not to be multiplied.
     */
    private static RefArray infinite(Type t, int cut, int sign) {
        RefArray a = MutantInputs.uniform(t, 3 + sign);
        int rows = Math.toIntExact(t.dim(1));
        int n = Math.toIntExact(t.dim(2));
        for (int row = 0; row < a.size() / n; row++) {
            int last = row * n + n - 1 - cut;
            a.set(last, sign * (row % rows == rows / 2 ? Double.POSITIVE_INFINITY : 0.5 + Math.abs(a.getDouble(last))));
        }
        return a;
    }

    /** Dense, with an infinity in the last row of each matrix. */
    private static RefArray infiniteEnd(Type t) {
        RefArray a = MutantInputs.uniform(t, 8);
        int n = Math.toIntExact(t.dim(1) * t.dim(2));
        for (int end = n; end <= a.size(); end += n) a.set(end - Math.toIntExact(t.dim(2)), Double.POSITIVE_INFINITY);
        return a;
    }

    /** A number at the beginning of each row, and behind it zeros or dense ones. */
    private static RefArray first(Type t, double value, boolean alone) {
        RefArray a = alone ? RefArray.zeros(t) : MutantInputs.uniform(t, 9);
        int n = Math.toIntExact(t.dim(2));
        for (int i = 0; i < a.size(); i += n) a.set(i, value);
        return a;
    }

    /**
     * What to take from a score of 0, so that its exponential, times a factor, lies beside the middle of two numbers of 11 bits: its last bit decides to which of
     * them it is rounded.
     */
    private static RefArray middles(Type t, float factor) {
        Random r = new Random(4);
        return RefArray.of(t, _ -> {
            float x = r.nextFloat(-2, 2);
            while (Math.abs((Float.floatToRawIntBits((float) Math.exp(x) * factor) & 0x1fff) - 0x1000) > 1)
                x = Math.nextUp(x);
            return -x;
        });
    }

    /** Logarithms of queries' sums, as good as any. */
    private static RefArray sums(Type t, long seed) {
        RefArray a = Sample.uniform(t, 0.5, 2.5, seed);
        int queries = Math.toIntExact(t.dim(1));
        for (int i = 0; i < a.size(); i++) if (i % queries == BLIND) a.set(i, HIDDEN);
        return a;
    }
}
