// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
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
                Gelu,
                OptimizerStep {
    /**
     * The same function in other operators; one value per output. f16 and bf16 are computed in f32 throughout
     * and rounded once, at the end.
     */
    <V> List<V> decompose(Emitter<V> e, List<V> in);

    /**
     * The gradient of the decomposition: right for every composite; those that know a better rule have their
     * own.
     */
    @Override
    default <V> List<V> gradient(GradCall<V> call) {
        int results = infer(call.inputs().stream().map(call.e()::type).toList()).size();
        return Vjp.gradient(call, this::decompose, results, call::needs);
    }

    /** {@code v} in the dtype that it is computed in. */
    static <V> V wide(Emitter<V> e, V v) {
        return e.cast(v, e.type(v).dtype().compute());
    }

    /** {@code v} cast to the dtype of {@code like}. */
    static <V> V as(Emitter<V> e, V v, V like) {
        return e.cast(v, e.type(like).dtype());
    }

    /** {@code type} with the dtype that statistics of it are kept in: f32 for f16 and bf16. */
    static Type statistics(Type type) {
        return type.with(type.dtype().compute());
    }
}
