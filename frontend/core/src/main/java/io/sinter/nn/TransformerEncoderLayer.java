// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;

/**
 * Self-attention, then a network of two linear layers with ReLU, each with dropout, a residual connection and
 * a layer norm ({@code torch.nn.TransformerEncoderLayer} with {@code batch_first}; Vaswani et al., 2017): [N,
 * T, features] to the same.
 */
public final class TransformerEncoderLayer extends Net {
    public final MultiheadAttention selfAttn;
    public final Linear linear1;
    public final Dropout dropout;
    public final Linear linear2;
    public final LayerNorm norm1;
    public final LayerNorm norm2;
    public final Dropout dropout1;
    public final Dropout dropout2;
    private final boolean normFirst;

    /** With PyTorch's defaults: dropout 0.1, norms after the residual connections. */
    public TransformerEncoderLayer(long features, int heads, long feedForward) {
        this(features, heads, feedForward, 0.1, false);
    }

    /**
     * @param normFirst norms before attention and feed-forward network instead of after the residual
     *     connections
     */
    public TransformerEncoderLayer(long features, int heads, long feedForward, double dropout, boolean normFirst) {
        this.normFirst = normFirst;
        selfAttn = new MultiheadAttention(features, heads, dropout);
        linear1 = new Linear(features, feedForward);
        this.dropout = new Dropout(dropout);
        linear2 = new Linear(feedForward, features);
        norm1 = new LayerNorm(features);
        norm2 = new LayerNorm(features);
        dropout1 = new Dropout(dropout);
        dropout2 = new Dropout(dropout);
    }

    @Override
    public Tensor forward(Tensor x) {
        return encode(x, null);
    }

    /** @param mask as that of {@link MultiheadAttention#call(Tensor, Tensor, Tensor, Tensor)} */
    public Tensor call(Tensor x, Tensor mask) {
        return scope(() -> encode(x, mask));
    }

    private Tensor encode(Tensor x, Tensor mask) {
        if (normFirst) {
            Tensor y = x.add(attend(norm1.call(x), mask));
            return y.add(feedForward(norm2.call(y)));
        }
        Tensor y = norm1.call(x.add(attend(x, mask)));
        return norm2.call(y.add(feedForward(y)));
    }

    private Tensor attend(Tensor x, Tensor mask) {
        return dropout1.call(selfAttn.call(x, x, x, mask));
    }

    private Tensor feedForward(Tensor x) {
        return dropout2.call(linear2.call(dropout.call(linear1.call(x).relu())));
    }
}
