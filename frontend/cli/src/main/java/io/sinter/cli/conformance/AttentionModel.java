// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.DType;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.SimulatedProgram;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Attention and its gradients with every sum of f32 in the order that the emitted kernels have, so that a result that differs in its last bit is wrong:
 * blocks of 64 keys one after the other, the online softmax, sums over the threads of a row by a butterfly. Blocks of which nothing is seen are left out.
 * Tensor cores add up the products of an instruction as the simulator does: in double, rounded once.
 */
class AttentionModel {
    /** Keys, or queries, of a block. */
    private static final int SIDE = 64;

    /** What multiplies. */
    enum Form {
        /** Fused multiply-adds; 16 threads have 4 neighbouring columns each. */
        FMA(16, 4, 1),
        /** The same; 8 threads have 4 neighbouring columns in each half of a block. */
        LARGE_FMA(8, 4, 1),
        /** {@code mma.m16n8k16}; 4 threads have 2 neighbours in each 8 columns. */
        F16(4, 2, 16),
        /** The same of bfloat16. */
        BF16(4, 2, 16),
        /** {@code mma.m16n8k8}. */
        TF32(4, 2, 8);

        private final int threadsOfRow;
        /** Threads that add up what is known of one query before all else. */
        private final int threadsOfQuery;
        /** Products that are added up before the sum is rounded. */
        private final int group;

        Form(int threadsOfRow, int threadsOfQuery, int group) {
            this.threadsOfRow = threadsOfRow;
            this.threadsOfQuery = threadsOfQuery;
            this.group = group;
        }

        /** The column of a block that a thread of a row has as its {@code n}th. */
        private int column(int thread, int n) {
            return switch (this) {
                case FMA -> 4 * thread + n;
                case LARGE_FMA -> 4 * thread + n / 4 * (SIDE / 2) + n % 4;
                case F16, BF16, TF32 -> 2 * thread + n / 2 * 8 + n % 2;
            };
        }

        /** An operand as it is multiplied. */
        private float operand(float x) {
            return switch (this) {
                case FMA, LARGE_FMA -> x;
                case F16 -> (float) RefArray.round(DType.F16, x);
                case BF16 -> (float) RefArray.round(DType.BF16, x);
                case TF32 -> Float.intBitsToFloat(Float.floatToRawIntBits(x) + 0x1000 & ~0x1fff);
            };
        }
    }

    /** An operand of a product of numbers that are counted. */
    interface Line {
        float at(int k);
    }

    private static final BiFunction<GraphBuilder, Node, Node> EXP = GraphBuilder::exp;
    private static final BiFunction<GraphBuilder, Node, Node> LOG = GraphBuilder::log;
    private static final SimulatedProgram EXPONENTIAL = program(EXP);
    static final SimulatedProgram LOGARITHM = program(LOG);

    final Form form;
    final boolean causal;
    final float scale;
    final int batch;
    final int queries;
    final int keys;
    final int features;
    final int values;
    final RefArray q;
    final RefArray k;
    final RefArray v;
    private final RefArray bias;

    /** @param cut how many elements at the end of each row of queries and keys, and of values, do not belong to it */
    AttentionModel(Form form, boolean causal, double scale, int[] cut, List<RefArray> in) {
        this.form = form;
        this.causal = causal;
        q = in.get(0);
        k = in.get(1);
        v = in.get(2);
        bias = in.size() > 3 ? in.get(3) : null;
        this.scale = (float) RefArray.round(q.dtype(), scale);
        batch = extent(q, 0);
        queries = extent(q, 1);
        keys = extent(k, 1);
        features = extent(q, 2) - cut[0];
        values = extent(v, 2) - cut[1];
    }

    /** Of {@code q, k, v, bias}: the result, and the logarithms of queries' sums. */
    static MutantCase.Model forward(Form form, boolean causal, double scale, int[] cut) {
        return in -> new AttentionModel(form, causal, scale, cut, in).forward();
    }

    /** Of {@code q, k, v, bias, out, lse, dout}: the gradients of the first three. */
    static MutantCase.Model gradient(Form form, boolean causal, double scale, int[] cut) {
        return in -> new AttentionModel(form, causal, scale, cut, in).gradient(in.get(4), in.get(5), in.get(6));
    }

    private static int extent(RefArray a, int axis) {
        return Math.toIntExact(a.type().dim(axis));
    }

    static float get(RefArray a, int b, int row, int column) {
        return (float) a.getDouble((b * extent(a, 1) + row) * extent(a, 2) + column);
    }

    // ---- what both have in common

    private static SimulatedProgram program(BiFunction<GraphBuilder, Node, Node> function) {
        GraphBuilder g = new GraphBuilder();
        return new SimulatedProgram(g.build(function.apply(g, g.input(Type.of(DType.F32, SIDE)))));
    }

    /** A function of each number, to the bit as PTX spells it out. */
    static float[] apply(SimulatedProgram function, float[] x) {
        float[] y = new float[x.length];
        for (int from = 0; from < x.length; from += SIDE) {
            int first = from;
            RefArray in = RefArray.of(Type.of(DType.F32, SIDE), i -> first + i < x.length ? x[first + i] : 1);
            RefArray out = function.interpret(List.of(in)).getFirst();
            for (int i = 0; i < SIDE && from + i < x.length; i++) y[from + i] = (float) out.getDouble(i);
        }
        return y;
    }

    /** {@code sum + Σ a(k) b(k)}. */
    float accumulate(float sum, int n, Line a, Line b) {
        for (int from = 0; from < n; from += form.group) {
            if (form.group == 1) {
                sum = Math.fma(a.at(from), b.at(from), sum);
                continue;
            }
            double some = 0;
            for (int i = from; i < Math.min(n, from + form.group); i++)
                some += (double) form.operand(a.at(i)) * form.operand(b.at(i));
            sum = (float) (some + sum);
        }
        return sum;
    }

    /** The sum of what as many threads as a power of two have. */
    static float butterfly(float[] parts) {
        float[] x = parts;
        for (int distance = x.length / 2; distance > 0; distance /= 2) {
            float[] next = new float[x.length];
            for (int i = 0; i < x.length; i++) next[i] = x[i] + x[i ^ distance];
            x = next;
        }
        return x[0];
    }

    /** The scores of a query; −∞ where a key is hidden. */
    private float[] scores(int b, int i) {
        float[] s = new float[keys];
        for (int j = 0; j < keys; j++) {
            int key = j;
            float product = accumulate(0, features, d -> get(q, b, i, d), d -> get(k, b, key, d));
            s[j] = causal && j > i ? Float.NEGATIVE_INFINITY : product * scale + get(bias, b, i, j);
        }
        return s;
    }

    /** Keys of the blocks that a query's block sees something of. */
    private int keysOf(int i) {
        return causal ? Math.min(keys, i / SIDE * SIDE + SIDE) : keys;
    }

    /** The first query of the blocks that see something of a key's block. */
    private int firstQueryOf(int j) {
        return causal ? Math.min(queries, j / SIDE * SIDE) : 0;
    }

    // ---- forward

    private List<RefArray> forward() {
        RefArray out = RefArray.zeros(Type.of(q.dtype(), batch, queries, values));
        RefArray lse = RefArray.zeros(Type.of(DType.F32, batch, queries));
        for (int b = 0; b < batch; b++) {
            float[] max = new float[queries];
            float[] sum = new float[queries];
            for (int i = 0; i < queries; i++) {
                float[] o = new float[values];
                max[i] = Float.NEGATIVE_INFINITY;
                float[] all = scores(b, i);
                for (int from = 0; from < keysOf(i); from += SIDE) {
                    float[] s = Arrays.copyOfRange(all, from, from + SIDE);
                    if (keys < from + SIDE) Arrays.fill(s, keys - from, SIDE, Float.NEGATIVE_INFINITY);
                    float most = max[i];
                    for (float x : s) most = Math.max(most, x);
                    float base = most == Float.NEGATIVE_INFINITY ? 0 : most;
                    float[] e = Arrays.copyOf(s, SIDE + 1);
                    e[SIDE] = max[i];
                    for (int j = 0; j <= SIDE; j++) e[j] -= base;
                    e = apply(EXPONENTIAL, e);
                    max[i] = most;
                    sum[i] = Math.fma(sum[i], e[SIDE], rowSum(e));
                    weigh(o, e, b, from);
                }
                for (int x = 0; x < values; x++)
                    out.set((b * queries + i) * values + x, sum[i] > 0 ? o[x] / sum[i] : 0);
            }
            float[] logs = apply(LOGARITHM, sum);
            for (int i = 0; i < queries; i++)
                lse.set(b * queries + i, sum[i] > 0 ? max[i] + logs[i] : Float.NEGATIVE_INFINITY);
        }
        return List.of(out, lse);
    }

    /** The first 64 numbers as the threads of a row add them up. */
    private float rowSum(float[] e) {
        float[] parts = new float[form.threadsOfRow];
        for (int t = 0; t < parts.length; t++) {
            parts[t] = e[form.column(t, 0)];
            for (int n = 1; n < SIDE / parts.length; n++) parts[t] += e[form.column(t, n)];
        }
        return butterfly(parts);
    }

    private void weigh(float[] o, float[] e, int b, int from) {
        for (int x = 0; x < values; x++) {
            int column = x;
            o[x] = accumulate(o[x] * e[SIDE], Math.min(SIDE, keys - from), j -> e[j], j -> get(v, b, from + j, column));
        }
    }

    // ---- backward

    private List<RefArray> gradient(RefArray out, RefArray lse, RefArray dout) {
        RefArray dq = RefArray.zeros(Type.of(q.dtype(), batch, queries, features));
        RefArray dk = RefArray.zeros(Type.of(q.dtype(), batch, keys, features));
        RefArray dv = RefArray.zeros(Type.of(q.dtype(), batch, keys, values));
        for (int number = 0; number < batch; number++) {
            int b = number;
            float[][] p = new float[queries][];
            float[][] ds = new float[queries][keys];
            for (int row = 0; row < queries; row++) {
                int i = row;
                float[] s = scores(b, i);
                for (int j = 0; j < keys; j++)
                    if (s[j] != Float.NEGATIVE_INFINITY) s[j] -= (float) lse.getDouble(b * queries + i);
                p[i] = apply(EXPONENTIAL, s);
                float delta = delta(b, i, out, dout);
                for (int j = 0; j < keys; j++) {
                    int key = j;
                    float slope = accumulate(0, values, x -> get(dout, b, i, x), x -> get(v, b, key, x));
                    ds[i][j] = p[i][j] * (slope - delta) * scale;
                }
                for (int d = 0; d < features; d++) {
                    int column = d;
                    float total = accumulate(0, keysOf(i), j -> ds[i][j], j -> get(k, b, j, column));
                    dq.set((b * queries + i) * features + d, total);
                }
            }
            for (int key = 0; key < keys; key++) {
                int j = key;
                int first = firstQueryOf(j);
                int n = queries - first;
                for (int d = 0; d < features; d++) {
                    int column = d;
                    float total = accumulate(0, n, i -> ds[first + i][j], i -> get(q, b, first + i, column));
                    dk.set((b * keys + j) * features + d, total);
                }
                for (int x = 0; x < values; x++) {
                    int column = x;
                    float total = accumulate(0, n, i -> p[first + i][j], i -> get(dout, b, first + i, column));
                    dv.set((b * keys + j) * values + x, total);
                }
            }
        }
        return List.of(dq, dk, dv);
    }

    /** {@code Σ dout · out} of a query. */
    private float delta(int b, int i, RefArray out, RefArray dout) {
        float[] parts = new float[form.threadsOfQuery];
        for (int x = 0; x < values; x++) {
            int t = x % parts.length;
            parts[t] = Math.fma(get(out, b, i, x), get(dout, b, i, x), parts[t]);
        }
        return butterfly(parts);
    }
}
