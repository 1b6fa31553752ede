// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.conformance;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.Arrays;
import java.util.List;

/**
 * Attention with whole heads in shared memory, and its gradients, without a bias and with a scale that is not negative: every operation of f32 in the order of
 * the emitted kernels. Exponentials are to base 2 and the simulator's: correctly rounded but for {@link Math#pow}, subnormal numbers being 0.
 */
final class AttentionHeadsModel extends AttentionModel {
    private static final float LOG2_E = (float) (1 / Math.log(2));

    /** Threads of a row. */
    private static final int THREADS = 4;

    /** Bytes of a block of keys. */
    private static final int BLOCK = 8192;

    /** Keys of a block. */
    private final int side;
    /** Queries of a CTA. */
    private final int rows;

    private AttentionHeadsModel(Form form, boolean causal, double scale, List<RefArray> in) {
        super(form, causal, scale, new int[2], in);
        int padded = Math.max(features, values) <= 64 ? 64 : 128;
        side = BLOCK / (2 * padded);
        rows = padded == 64 ? 128 : 64;
    }

    /** Of {@code q, k, v}: the result, and the logarithms of queries' sums. */
    static MutantCase.Model forward(Form form, boolean causal, double scale) {
        return in -> new AttentionHeadsModel(form, causal, scale, in).forward();
    }

    /** Of {@code q, k, v, out, lse, dout}: the gradients of the first three. */
    static MutantCase.Model gradient(Form form, boolean causal, double scale) {
        return in -> new AttentionHeadsModel(form, causal, scale, in).gradient(in.get(3), in.get(4), in.get(5));
    }

    private static float exp2(float x) {
        float y = (float) Math.pow(2, Math.abs(x) < Float.MIN_NORMAL ? 0 : x);
        return y < Float.MIN_NORMAL ? 0 : y;
    }

    private boolean sees(int i, int j) {
        return !causal || j <= i;
    }

    private float product(int b, int i, int j) {
        return accumulate(0, features, d -> get(q, b, i, d), d -> get(k, b, j, d));
    }

    // ---- forward

    private List<RefArray> forward() {
        RefArray out = RefArray.zeros(Type.of(q.dtype(), batch, queries, values));
        RefArray lse = RefArray.zeros(Type.of(DType.F32, batch, queries));
        for (int b = 0; b < batch; b++) {
            float[] max = new float[queries];
            float[] total = new float[queries];
            for (int i = 0; i < queries; i++) {
                float[] sums = new float[THREADS];
                float[] o = new float[values];
                max[i] = attend(b, i, sums, o);
                total[i] = butterfly(sums);
                float inverse = 1 / total[i];
                for (int x = 0; x < values; x++)
                    out.set((b * queries + i) * values + x, total[i] == 0 ? 0 : o[x] * inverse);
            }
            float[] logs = apply(LOGARITHM, total);
            for (int i = 0; i < queries; i++) {
                float sum = Math.fma(max[i], Math.abs(scale), logs[i]);
                lse.set(b * queries + i, total[i] == 0 ? Float.NEGATIVE_INFINITY : sum);
            }
        }
        return List.of(out, lse);
    }

    /**
     * Goes through a query's keys.
     *
     * @param sums of weights, by threads
     * @param o weighted values
     * @return the greatest product
     */
    private float attend(int b, int i, float[] sums, float[] o) {
        float factor = Math.max(Math.abs(scale) * LOG2_E, Float.MIN_NORMAL);
        // Blocks go up to what the last of the CTA's queries sees.
        int end = causal ? Math.min(keys, i / rows * rows + rows) : keys;
        float max = Float.NEGATIVE_INFINITY;
        for (int from = 0; from < end; from += side) {
            int first = from;
            float[] s = new float[side];
            Arrays.fill(s, Float.NEGATIVE_INFINITY);
            for (int j = 0; j < side && from + j < keys; j++) if (sees(i, from + j)) s[j] = product(b, i, from + j);
            float most = max;
            for (float x : s) most = Math.max(most, x);
            float shift = (most == Float.NEGATIVE_INFINITY ? 0 : most) * -factor;
            float before = exp2(Math.fma(max, factor, shift));
            float[] e = new float[side];
            for (int j = 0; j < side; j++) e[j] = exp2(Math.fma(s[j], factor, shift));
            for (int t = 0; t < THREADS; t++) {
                float part = e[2 * t];
                for (int n = 1; n < side / THREADS; n++) part += e[2 * t + n / 2 * 8 + n % 2];
                sums[t] = Math.fma(sums[t], before, part);
            }
            max = most;
            for (int x = 0; x < values; x++) {
                int column = x;
                o[x] = accumulate(
                        o[x] * before, Math.min(side, keys - from), j -> e[j], j -> get(v, b, first + j, column));
            }
        }
        return max;
    }

    // ---- backward

    private List<RefArray> gradient(RefArray out, RefArray lse, RefArray dout) {
        RefArray dq = RefArray.zeros(Type.of(q.dtype(), batch, queries, features));
        RefArray dk = RefArray.zeros(Type.of(q.dtype(), batch, keys, features));
        RefArray dv = RefArray.zeros(Type.of(q.dtype(), batch, keys, values));
        float factor = scale * LOG2_E;
        for (int number = 0; number < batch; number++) {
            int b = number;
            float[][] p = new float[queries][keys];
            float[][] ds = new float[queries][keys];
            for (int row = 0; row < queries; row++) {
                int i = row;
                float sum = (float) lse.getDouble(b * queries + i);
                float shift = sum == Float.NEGATIVE_INFINITY ? 0 : sum * -LOG2_E;
                float delta = delta(b, i, out, dout);
                for (int column = 0; column < keys; column++) {
                    int j = column;
                    float slope = accumulate(0, values, x -> get(dout, b, i, x), x -> get(v, b, j, x));
                    float x = Math.fma(product(b, i, j), factor, shift);
                    p[i][j] = exp2(sees(i, j) ? x : Float.NEGATIVE_INFINITY);
                    ds[i][j] = p[i][j] * (slope - delta);
                }
                for (int d = 0; d < features; d++) {
                    int column = d;
                    float total = accumulate(0, keys, j -> ds[i][j], j -> get(k, b, j, column));
                    dq.set((b * queries + i) * features + d, total * scale);
                }
            }
            for (int key = 0; key < keys; key++) {
                int j = key;
                for (int d = 0; d < features; d++) {
                    int column = d;
                    float total = accumulate(0, queries, i -> ds[i][j], i -> get(q, b, i, column));
                    dk.set((b * keys + j) * features + d, total * scale);
                }
                for (int x = 0; x < values; x++) {
                    int column = x;
                    float total = accumulate(0, queries, i -> p[i][j], i -> get(dout, b, i, column));
                    dv.set((b * keys + j) * values + x, total);
                }
            }
        }
        return List.of(dq, dk, dv);
    }

    /** {@code Σ dout · out} of a query: each thread has two neighbours of each 8. */
    private float delta(int b, int i, RefArray out, RefArray dout) {
        float[] parts = new float[THREADS];
        for (int x = 0; x < values; x++) {
            int t = x % 8 / 2;
            parts[t] = Math.fma(get(out, b, i, x), get(dout, b, i, x), parts[t]);
        }
        return butterfly(parts);
    }
}
