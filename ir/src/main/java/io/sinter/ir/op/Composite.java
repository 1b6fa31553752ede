// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import java.util.List;

/** Operators that stay whole until lowering, because a backend can do better than their parts. */
public sealed interface Composite extends Op
        permits Matmul,
                Conv,
                ConvInputGrad,
                ConvWeightGrad,
                Softmax,
                LogSoftmax,
                LogSumExp,
                LayerNorm,
                LayerNormGrad,
                Attention,
                AttentionGrad,
                CrossEntropy,
                CrossEntropyGrad,
                Gelu {
    /** The same function in other operators; one value per output. */
    <V> List<V> decompose(Emitter<V> e, List<V> in);
}
