// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * A block of a GPT (Radford et al., 2019): causal self-attention, then two linear layers (four times as wide
 * between) with GELU, each after a layer norm and inside a residual connection: [N, T, features] to the same.
 */
public final class TransformerBlock extends Net {
    public final LayerNorm norm1;
    public final MultiheadAttention attention;
    public final LayerNorm norm2;
    public final Linear up;
    public final Linear down;
    public final Dropout dropout;

    public TransformerBlock(long features, int heads, double dropout) {
        norm1 = new LayerNorm(features);
        attention = new MultiheadAttention(features, heads, dropout);
        norm2 = new LayerNorm(features);
        up = new Linear(features, 4 * features);
        down = new Linear(4 * features, features);
        this.dropout = new Dropout(dropout);
    }

    @Override
    public Tensor forward(Tensor x) {
        Tensor y = x.add(dropout.call(attention.callCausal(norm1.call(x))));
        return y.add(dropout.call(down.call(F.gelu(up.call(norm2.call(y))))));
    }
}
