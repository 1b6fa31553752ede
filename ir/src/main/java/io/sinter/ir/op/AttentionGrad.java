// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.List;

/**
 * Gradient of the first result of {@link Attention}: {@code q, k, v, bias, scale, out, lse, dout -> (dq, dk,
 * dv)}. With the weights {@code p = exp(scale·q·kᵀ + bias - lse)} and {@code ds = p·(dout·vᵀ - Σ dout·out)}:
 * {@code dq = scale·ds·k}, {@code dk = scale·dsᵀ·q}, {@code dv = pᵀ·dout} (Dao et al. 2022).
 */
public record AttentionGrad(boolean causal) implements Composite {

    @Override
    public String name() {
        return "attention_grad";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("causal", causal);
    }

    @Override
    public List<Type> infer(List<Type> in) {
        Rule.arity(this, in, 8);
        List<Type> forward = Attention.results(this, in);
        if (!in.get(5).equals(forward.get(0))
                || !in.get(6).equals(forward.get(1))
                || !in.get(7).equals(forward.get(0))) {
            throw OpException.of(
                    name(),
                    in,
                    "out and dout must be %s, lse %s; pass the results of attention and the " + "gradient of the first",
                    forward.get(0),
                    forward.get(1));
        }
        return List.of(in.get(0), in.get(1), in.get(2));
    }

    @Override
    public <V> List<V> decompose(Emitter<V> e, List<V> in) {
        V q = Composite.wide(e, in.get(0));
        V k = Composite.wide(e, in.get(1));
        V v = Composite.wide(e, in.get(2));
        V out = Composite.wide(e, in.get(5));
        V dout = Composite.wide(e, in.get(7));
        V s = Attention.scores(e, q, k, in.get(3), in.get(4), causal);
        int last = e.type(s).rank() - 1;
        // In a row that is hidden altogether every score is -inf: its weights become exp(-inf - 0)
        // = 0.
        V hidden = e.binary(Binary.EQ, in.get(6), e.constant(in.get(6), Double.NEGATIVE_INFINITY));
        V lse = e.where(hidden, e.constant(in.get(6), 0), in.get(6));
        V p = e.exp(e.sub(s, e.reshape(lse, e.type(s).shape().with(last, 1))));
        V dp = e.matmul(dout, e.transpose(v, -2, -1));
        V delta = e.sumKeep(e.mul(dout, out), last);
        V ds = e.mul(e.mul(p, e.sub(dp, delta)), Composite.as(e, in.get(4), q));
        return List.of(
                Composite.as(e, e.matmul(ds, k), in.get(0)),
                Composite.as(e, e.matmul(e.transpose(ds, -2, -1), q), in.get(1)),
                Composite.as(e, e.matmul(e.transpose(p, -2, -1), dout), in.get(2)));
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        Attention.Extents x = Attention.Extents.of(in);
        RefArray q = in.get(0);
        RefArray k = in.get(1);
        RefArray v = in.get(2);
        RefArray out = in.get(5);
        RefArray lse = in.get(6);
        RefArray dout = in.get(7);
        double scale = in.get(4).getDouble(0);
        double[] dq = new double[q.size()];
        double[] dk = new double[k.size()];
        double[] dv = new double[v.size()];
        for (int row = 0; row < lse.size(); row++) {
            double[] s = x.scores(in, row, causal);
            double delta = 0;
            for (int c = 0; c < x.e(); c++) delta += dout.getDouble(row * x.e() + c) * out.getDouble(row * x.e() + c);
            for (int j = 0; j < x.s(); j++) {
                int key = x.key(row, j);
                double p = Attention.weight(s[j], lse.getDouble(row));
                double dp = 0;
                for (int c = 0; c < x.e(); c++) {
                    dp += dout.getDouble(row * x.e() + c) * v.getDouble(key * x.e() + c);
                    dv[key * x.e() + c] += p * dout.getDouble(row * x.e() + c);
                }
                double ds = scale * p * (dp - delta);
                for (int i = 0; i < x.d(); i++) {
                    dq[row * x.d() + i] += ds * k.getDouble(key * x.d() + i);
                    dk[key * x.d() + i] += ds * q.getDouble(row * x.d() + i);
                }
            }
        }
        return List.of(
                RefArray.of(q.type(), i -> dq[i]),
                RefArray.of(k.type(), i -> dk[i]),
                RefArray.of(v.type(), i -> dv[i]));
    }

    @Override
    public List<Sample> samples() {
        return new Attention(causal)
                .samples().stream().map(AttentionGrad::sample).toList();
    }

    private static Sample sample(Sample forward) {
        List<RefArray> out = forward.op().evaluate(forward.inputs());
        List<RefArray> in = new ArrayList<>(forward.inputs());
        in.addAll(out);
        in.add(Sample.uniform(out.get(0).type(), -1, 1, 6));
        return new Sample(new AttentionGrad(((Attention) forward.op()).causal()), in, forward.smooth());
    }
}
