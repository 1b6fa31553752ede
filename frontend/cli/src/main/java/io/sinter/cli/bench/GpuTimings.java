// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.runtime.Session;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/** Times of single operators on a GPU, in the current session: many calls are queued, then waited for. */
final class GpuTimings {
    private static final int WARM_UP = 3;
    private static final int QUEUED = 5;

    private final double seconds;

    /** @param seconds for each case */
    GpuTimings(double seconds) {
        this.seconds = seconds;
    }

    /** Milliseconds of one call at best, inputs made. */
    double millis(Supplier<Tensor> call) {
        try (var _ = Sinter.noGrad()) {
            for (int i = 0; i < WARM_UP; i++) run(call);
            Session.current().synchronize();
            double best = Double.POSITIVE_INFINITY;
            long end = System.nanoTime() + (long) (seconds * 1e9);
            do {
                long start = System.nanoTime();
                for (int i = 0; i < QUEUED; i++) run(call);
                Session.current().synchronize();
                best = Math.min(best, (System.nanoTime() - start) / 1e6 / QUEUED);
            } while (System.nanoTime() < end);
            return best;
        }
    }

    /** What is timed is to find its operands in memory: a cast that nobody keeps would be made in every call. */
    private static Tensor operand(DType dtype, long... shape) {
        Tensor t = Tensor.randn(shape).to(dtype).keep();
        Sinter.flush();
        return t;
    }

    private static void run(Supplier<Tensor> call) {
        Tensor r = call.get();
        Sinter.flush();
        r.release();
    }

    /** Names of the memory-bound cases. */
    static final List<String> MEMORY_BOUND = List.of("add", "ew_chain", "softmax", "layernorm");

    /**
     * The memory-bound cases: bytes that each must move, per second.
     *
     * @param elements of the elementwise cases; rows have 1,024
     * @return gigabytes a second by case, measured when it is asked for
     */
    Map<String, DoubleSupplier> memoryBound(long elements) {
        long rows = Math.max(1, elements / 1024);
        long width = elements / rows;
        Supplier<Tensor> flat = () -> Tensor.randn(elements);
        return Map.of(
                "add",
                () -> {
                    Tensor a = flat.get();
                    Tensor b = flat.get();
                    return rate(12 * elements, () -> a.add(b));
                },
                "ew_chain",
                () -> {
                    Tensor a = flat.get();
                    Tensor b = flat.get();
                    Tensor c = flat.get();
                    Tensor d = flat.get();
                    return rate(20 * elements, () -> a.mul(b).add(c).tanh().mul(d.sigmoid()));
                },
                "softmax",
                () -> {
                    Tensor x = Tensor.randn(rows, width);
                    return rate(8 * elements, () -> F.softmax(x, -1));
                },
                "layernorm",
                () -> {
                    Tensor x = Tensor.randn(rows, width);
                    Tensor gamma = Tensor.randn(width);
                    Tensor beta = Tensor.randn(width);
                    return rate(8 * elements, () -> F.layerNorm(x, new long[] {width}, gamma, beta, 1e-5));
                });
    }

    private double rate(long bytes, Supplier<Tensor> call) {
        return bytes / millis(call) / 1e6;
    }

    /**
     * Milliseconds of a product of two n × n matrices.
     *
     * @param tolerance of its relative error
     * @throws IllegalStateException if it is wrong
     */
    double matmul(long n, DType dtype, double tolerance) {
        Tensor a = operand(dtype, n, n);
        Tensor b = operand(dtype, n, n);
        GpuProof.matmul(a, b, a.matmul(b), tolerance);
        return millis(() -> a.matmul(b));
    }

    /**
     * Milliseconds of causal attention in bf16.
     *
     * @throws IllegalStateException if it is wrong
     */
    double attention(long batch, long heads, long length, long width) {
        Tensor q = operand(DType.BF16, batch, heads, length, width);
        Tensor k = operand(DType.BF16, batch, heads, length, width);
        Tensor v = operand(DType.BF16, batch, heads, length, width);
        Supplier<Tensor> call = () -> F.scaledDotProductAttention(q, k, v, null, 0, true);
        GpuProof.attention(q, k, v, call.get(), 0.02);
        return millis(call);
    }
}
