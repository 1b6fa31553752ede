// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import java.util.List;

/** What Sinter is to reach: our median divided by PyTorch's, the time of first calls, peak memory. */
final class Figures {
    /**
     * @param prefix what the names of these cases begin with
     * @param eager greatest ratio to PyTorch's eager mode
     * @param compiled greatest ratio to its compile mode
     */
    private record Figure(String prefix, double eager, double compiled) {}

    /** The first that fits a name holds. */
    private static final List<Figure> FIGURES = List.of(
            new Figure("ew_chain_", 0.35, 0.9),
            new Figure("gelu_", 0.35, 0.9),
            new Figure("add_", 0.35, 0.9),
            new Figure("softmax_", 0.7, 0.8),
            new Figure("layernorm_", 0.7, 0.8),
            new Figure("cross_entropy_", 0.7, 0.8),
            new Figure("batchnorm_", 0.7, 0.8),
            new Figure("sum_", 1.0, 1.1),
            new Figure("cumsum_", 1.0, 1.1),
            new Figure("transpose_", 1.0, 1.1),
            new Figure("maxpool_", 1.0, 1.1),
            new Figure("embedding_", 1.0, 1.1),
            new Figure("sort_", 1.0, 1.1),
            new Figure("topk_", 1.0, 1.1),
            new Figure("gemm_2048", 1.3, 1.3),
            new Figure("gemm_4096", 1.3, 1.3),
            new Figure("gemm_", 1.2, 1.2),
            new Figure("gemv_", 1.2, 1.2),
            new Figure("bmm_", 1.2, 1.2),
            new Figure("linear_bias_gelu_", 0.8, 1.1),
            new Figure("conv2d_", 1.1, 1.1),
            new Figure("attention_", 0.7, 1.0),
            new Figure("train_mlp", 0.9, 1.0),
            new Figure("train_cnn", 0.9, 1.0),
            new Figure("train_lstm", 0.9, 1.0),
            new Figure("train_resnet18", 1.0, 1.1),
            new Figure("train_gpt_small", 1.0, 1.1),
            new Figure("infer_", 1.0, 1.1),
            new Figure("tiny_", 0.5, Double.NaN));

    private Figures() {}

    /** The greatest ratio that the case may have; NaN if there is no figure. */
    static double ratio(String name, boolean compiled) {
        for (Figure f : FIGURES) {
            if (name.startsWith(f.prefix)) return compiled ? f.compiled : f.eager;
        }
        return Double.NaN;
    }

    /** The greatest geometric mean of the ratios of all cases. */
    static double mean(boolean compiled) {
        return compiled ? 0.95 : 0.8;
    }

    /** The greatest ratio of peak memory that the case may have; NaN if there is no figure. */
    static double memory(String name) {
        return name.startsWith("train_") ? 1.3 : Double.NaN;
    }

    /** Milliseconds that the first call may take in a process of its own; NaN if there is no figure. */
    static double firstCall(String name) {
        return switch (name) {
            case "train_mlp" -> 1_500;
            case "train_cnn" -> 2_500;
            case "train_resnet18" -> 6_000;
            case "train_gpt_small" -> 4_000;
            default -> Double.NaN;
        };
    }
}
