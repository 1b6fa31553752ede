// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.DType;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Scaled dot-product attention (Vaswani et al. 2017): {@code q[B…,T,D], k[B…,S,D], v[B…,S,E], bias[B…,T,S],
 * scale[] -> (out[B…,T,E], lse[B…,T])} with {@code out = softmax(scale·q·kᵀ + bias)·v} and lse the
 * log-sum-exp of each row of scores, f32 for f16 and bf16.
 *
 * <p>A bias of -inf hides a key. A row whose keys are all hidden gives zeros (as PyTorch's
 * scaled_dot_product_attention) and an lse of -inf. Bias and scale have q's dtype or the one that it is
 * computed in.
 *
 * @param causal query i sees keys j ≤ i only
 */
public record Attention(boolean causal) implements Composite {

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("causal", causal);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 5);
        return results(this, in);
    }

    /** Types of out and lse; the first five operands are q, k, v, bias, scale. */
    static List<Type> results(Op op, List<Type> in) {
        Rule.isFloat(op, in, 0);
        Type q = in.get(0);
        Type k = in.get(1);
        Type v = in.get(2);
        int r = q.rank();
        if (r < 2 || k.rank() != r || v.rank() != r) {
            throw OpException.of(
                    op.name(), in, "q, k and v must have one rank, at least 2 ([batch…, positions, features])");
        }
        for (int i = 0; i < r - 2; i++) {
            if (k.dim(i) != q.dim(i) || v.dim(i) != q.dim(i)) {
                throw OpException.of(
                        op.name(),
                        in,
                        "batch extents %s, %s and %s of axis %s differ; expand k and v",
                        q.dim(i),
                        k.dim(i),
                        v.dim(i),
                        i);
            }
        }
        if (k.dim(r - 1) != q.dim(r - 1)) {
            throw OpException.of(
                    op.name(), in, "q has %s features, k has %s; they must be equal", q.dim(r - 1), k.dim(r - 1));
        }
        if (v.dim(r - 2) != k.dim(r - 2) || k.dim(r - 2) < 1) {
            throw OpException.of(
                    op.name(),
                    in,
                    "there are %s keys and %s values; as many of each are needed, at least " + "one",
                    k.dim(r - 2),
                    v.dim(r - 2));
        }
        Shape scores = q.shape().with(r - 1, k.dim(r - 2));
        if (!in.get(3).shape().equals(scores)) {
            throw OpException.of(
                    op.name(),
                    in,
                    "bias must be %s, got %s; expand it",
                    scores,
                    in.get(3).shape());
        }
        if (in.get(4).rank() != 0)
            throw OpException.of(
                    op.name(), in, "scale must be a scalar, got %s", in.get(4).shape());
        Type statistics = Composite.statistics(q);
        for (int i = 1; i < 5; i++) {
            DType t = in.get(i).dtype();
            if (t != q.dtype() && (i < 3 || t != statistics.dtype())) {
                throw OpException.of(op.name(), in, "operand %s is %s, q is %s; cast it", i, t, q.dtype());
            }
        }
        return List.of(
                q.with(q.shape().with(r - 1, v.dim(r - 1))),
                statistics.with(q.shape().without(r - 1)));
    }

    /** The scores {@code scale·q·kᵀ + bias}, hidden ones -inf; q and k in the dtype that is computed in. */
    static <V> V scores(Emitter<V> e, V q, V k, V bias, V scale, boolean causal) {
        V s = e.add(e.mul(e.matmul(q, e.transpose(k, -2, -1)), Composite.as(e, scale, q)), Composite.as(e, bias, q));
        if (!causal) return s;
        int r = e.type(s).rank();
        long queries = e.type(s).dim(r - 2);
        V i = e.reshape(e.cast(e.iota(queries), DType.I32), Shape.of(queries, 1));
        V j = e.cast(e.iota(e.type(s).dim(r - 1)), DType.I32);
        return e.where(e.binary(Binary.LE, j, i), s, e.constant(s, Double.NEGATIVE_INFINITY));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V q = Composite.wide(e, in.get(0));
        V s = scores(e, q, Composite.wide(e, in.get(1)), in.get(3), in.get(4), causal);
        int last = e.type(s).rank() - 1;
        V none = e.constant(s, Double.NEGATIVE_INFINITY);
        V max = e.reduceKeep(Reduce.Kind.MAX, s, last);
        V shift = e.where(e.binary(Binary.EQ, max, none), e.constant(s, 0), max);
        V weights = e.exp(e.sub(s, shift));
        V sum = e.sumKeep(weights, last);
        V hidden = e.binary(Binary.EQ, sum, e.constant(s, 0));
        V divisor = e.where(hidden, e.constant(s, 1), sum);
        V out = e.matmul(e.div(weights, divisor), Composite.wide(e, in.get(2)));
        V lse = e.where(hidden, none, e.add(shift, e.log(divisor)));
        return List.of(
                Composite.as(e, out, in.get(0)),
                e.reshape(lse, e.type(lse).shape().without(last)));
    }

    /**
     * By {@link AttentionGrad}; the gradients of lse, and those by bias and scale, by the decomposition,
     * which holds the scores.
     */
    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        Emitter<V> e = call.e();
        List<V> d = new ArrayList<>(Collections.nCopies(5, null));
        if (call.flows(0)) {
            List<V> in = new ArrayList<>(call.inputs());
            in.addAll(List.of(call.out(0), call.out(1), call.grad(0)));
            List<V> viaOut = e.emit(new AttentionGrad(causal), in);
            for (int i = 0; i < 3; i++) d.set(i, viaOut.get(i));
        }
        if (call.flows(1)) {
            List<V> viaLse = Vjp.gradient(
                    e, this::decompose, call.inputs(), Arrays.asList(null, call.grad(1)), i -> i < 2 && call.needs(i));
            for (int i = 0; i < 2; i++) d.set(i, sum(e, d.get(i), viaLse.get(i)));
        }
        if (call.needs(3) || call.needs(4)) {
            List<V> rest = Vjp.gradient(call, this::decompose, 2, i -> i >= 3 && call.needs(i));
            d.set(3, rest.get(3));
            d.set(4, rest.get(4));
        }
        return d;
    }

    /** The sum of two gradients, of which one may be absent. */
    private static <V> V sum(Emitter<V> e, V a, V b) {
        return a == null ? b : b == null ? a : e.add(a, b);
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        List<Type> types = infer(in.stream().map(RefArray::type).toList());
        RefArray out = RefArray.zeros(types.get(0));
        RefArray lse = RefArray.zeros(types.get(1));
        RefArray v = in.get(2);
        Extents x = Extents.of(in);
        for (int row = 0; row < lse.size(); row++) {
            double[] s = x.scores(in, row, causal);
            double all = LogSumExp.of(s);
            lse.set(row, all);
            for (int c = 0; c < x.e; c++) {
                double sum = 0;
                for (int j = 0; j < x.s; j++) sum += weight(s[j], all) * v.getDouble(x.key(row, j) * x.e + c);
                out.set(row * x.e + c, sum);
            }
        }
        return List.of(out, lse);
    }

    /** Softmax weight of a score; 0 in a row that is hidden altogether. */
    static double weight(double score, double lse) {
        return lse == Double.NEGATIVE_INFINITY ? 0 : Math.exp(score - lse);
    }

    /** Extents of plain evaluation. Rows are query positions of all batches. */
    record Extents(int t, int s, int d, int e) {
        static Extents of(List<RefArray> in) {
            int r = in.get(0).shape().rank();
            return new Extents(
                    (int) in.get(0).shape().dim(r - 2),
                    (int) in.get(1).shape().dim(r - 2),
                    (int) in.get(0).shape().dim(r - 1),
                    (int) in.get(2).shape().dim(r - 1));
        }

        /** Number of key {@code j} of the row's batch among the keys of all batches. */
        int key(int row, int j) {
            return row / t * s + j;
        }

        double[] scores(List<RefArray> in, int row, boolean causal) {
            double[] scores = new double[s];
            for (int j = 0; j < s; j++) {
                double dot = 0;
                for (int i = 0; i < d; i++)
                    dot += in.get(0).getDouble(row * d + i) * in.get(1).getDouble(key(row, j) * d + i);
                boolean seen = !causal || j <= row % t;
                scores[j] = seen
                        ? dot * in.get(4).getDouble(0) + in.get(3).getDouble(row * s + j)
                        : Double.NEGATIVE_INFINITY;
            }
            return scores;
        }
    }

    @Override
    public List<Sample> samples() {
        List<Sample> s = new ArrayList<>();
        for (boolean c : new boolean[] {false, true}) {
            s.add(sample(c, true, DType.F64, 3, 3, 4, 4, 0));
            s.add(sample(c, true, DType.F64, 2, 4, 3, 2, 0.2, 2));
            s.add(sample(c, true, DType.F64, 4, 3, 2, 3, 0, 1, 2));
            s.add(sample(c, true, DType.F32, 17, 17, 8, 8, 0, 2, 3));
            s.add(sample(c, true, DType.F32, 33, 65, 16, 24, 0.1, 1, 2));
            s.add(sample(c, true, DType.F32, 1, 9, 8, 8, 0, 2));
            s.add(sample(c, false, DType.F32, 1, 1, 1, 1, 0));
            s.add(sample(c, false, DType.F32, 3, 2, 4, 4, 1, 2));
            s.add(sample(c, false, DType.F32, 3, 4, 2, 2, 0, 0));
            s.add(sample(c, false, DType.F16, 5, 7, 8, 8, 0.1, 2));
            s.add(sample(c, false, DType.BF16, 5, 7, 8, 8, 0, 2));
        }
        return s;
    }

    /** A sample in which a fraction of the keys (1: all) is hidden by the bias. */
    private static Sample sample(
            boolean causal,
            boolean smooth,
            DType t,
            long queries,
            long keys,
            long d,
            long e,
            double hidden,
            long... batch) {
        Type lead = Type.of(t, batch);
        int b = batch.length;
        RefArray dice = Sample.uniform(lead.with(lead.shape().insert(b, keys).insert(b, queries)), 0, 1, 5);
        RefArray bias = RefArray.of(
                dice.type(), i -> dice.getDouble(i) < hidden ? Double.NEGATIVE_INFINITY : dice.getDouble(i) - 0.5);
        List<RefArray> in = List.of(
                Sample.uniform(lead.with(lead.shape().insert(b, d).insert(b, queries)), -1, 1, 1),
                Sample.uniform(lead.with(lead.shape().insert(b, d).insert(b, keys)), -1, 1, 2),
                Sample.uniform(lead.with(lead.shape().insert(b, e).insert(b, keys)), -1, 1, 3),
                bias,
                RefArray.scalar(t.compute(), 1 / Math.sqrt(d)));
        return new Sample(new Attention(causal), in, smooth);
    }
}
