// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.List;

/**
 * Attention in several heads ({@code torch.nn.MultiheadAttention} with {@code batch_first}; Vaswani et al.,
 * 2017): queries [N, T, features], keys and values [N, S, features], result [N, T, features].
 */
public final class MultiheadAttention extends Net {
    /** [3 · features, features]: the projections of queries, keys and values; Xavier-uniform at first. */
    public final Tensor inProjWeight;

    /** [3 · features], zeros at first. */
    public final Tensor inProjBias;

    public final Linear outProj;

    private final long features;
    private final int heads;
    private final double dropout;

    public MultiheadAttention(long features, int heads) {
        this(features, heads, 0);
    }

    /** @param dropout probability that an attention weight is dropped while training */
    public MultiheadAttention(long features, int heads, double dropout) {
        Check.positive("MultiheadAttention: features", features);
        Check.divides("MultiheadAttention: features and heads", heads, features);
        Check.probability("MultiheadAttention", dropout);
        this.features = features;
        this.heads = heads;
        this.dropout = dropout;
        inProjWeight = parameter(Fill.constant(0, 3 * features, features));
        inProjBias = parameter(Fill.constant(0, 3 * features));
        outProj = new Linear(features, features);
        Init.xavierUniform_(inProjWeight);
        Init.zeros_(outProj.bias);
    }

    /** Of a sequence with itself, every position seeing all. */
    @Override
    public Tensor forward(Tensor x) {
        return attend(x, x, x, null, false);
    }

    /** Of a sequence with itself, every position seeing itself and those before it. */
    public Tensor callCausal(Tensor x) {
        return scope(() -> attend(x, x, x, null, true));
    }

    /**
     * In general.
     *
     * @param mask null, or broadcastable to [N, heads, T, S]: bool (false hides a key from a query) or a
     *     number to be added to the score
     */
    public Tensor call(Tensor query, Tensor key, Tensor value, Tensor mask) {
        return scope(() -> attend(query, key, value, mask, false));
    }

    private Tensor attend(Tensor query, Tensor key, Tensor value, Tensor mask, boolean causal) {
        for (Tensor t : new Tensor[] {query, key, value}) {
            Check.rank("MultiheadAttention", t, 3, 3);
            Check.extent("MultiheadAttention", t, -1, features);
        }
        Tensor q;
        Tensor k;
        Tensor v;
        if (query == key && key == value) {
            List<Tensor> all = F.linear(query, inProjWeight, inProjBias).chunk(3, -1);
            q = heads(all.get(0));
            k = heads(all.get(1));
            v = heads(all.get(2));
        } else {
            q = heads(project(query, 0));
            k = heads(project(key, 1));
            v = heads(project(value, 2));
        }
        Tensor out = F.scaledDotProductAttention(q, k, v, mask, isTraining() ? dropout : 0, causal);
        return outProj.call(out.transpose(1, 2).reshape(query.size(0), query.size(1), features));
    }

    private Tensor project(Tensor x, int which) {
        return F.linear(
                x, inProjWeight.chunk(3, 0).get(which), inProjBias.chunk(3, 0).get(which));
    }

    /** [N, T, features] to [N, heads, T, features / heads]. */
    private Tensor heads(Tensor x) {
        return x.reshape(x.size(0), x.size(1), heads, features / heads).transpose(1, 2);
    }

    @Override
    protected String describe() {
        return features + ", heads=" + heads + (dropout == 0 ? "" : ", dropout=" + dropout);
    }
}
