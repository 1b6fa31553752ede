// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.ir.DType;
import io.sinter.runtime.Session;
import java.util.LinkedHashMap;
import java.util.Map;
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

    private static void run(Supplier<Tensor> call) {
        Tensor r = call.get();
        Sinter.flush();
        r.release();
    }

    /**
     * The memory-bound cases: bytes that each must move, per second.
     *
     * @param elements of the elementwise cases; rows have 1,024
     * @return gigabytes a second by case
     */
    Map<String, Double> memoryBound(long elements) {
        Map<String, Double> rates = new LinkedHashMap<>();
        long rows = Math.max(1, elements / 1024);
        long width = elements / rows;
        Tensor a = Tensor.randn(elements);
        Tensor b = Tensor.randn(elements);
        Tensor c = Tensor.randn(elements);
        Tensor d = Tensor.randn(elements);
        rates.put("add", rate(12 * elements, () -> a.add(b)));
        rates.put("ew_chain", rate(20 * elements, () -> a.mul(b).add(c).tanh().mul(d.sigmoid())));
        Tensor x = a.reshape(rows, width).clone();
        Tensor gamma = Tensor.randn(width);
        Tensor beta = Tensor.randn(width);
        rates.put("softmax", rate(8 * elements, () -> F.softmax(x, -1)));
        rates.put("layernorm", rate(8 * elements, () -> F.layerNorm(x, new long[] {width}, gamma, beta, 1e-5)));
        return rates;
    }

    private double rate(long bytes, Supplier<Tensor> call) {
        return bytes / millis(call) / 1e6;
    }

    /** Milliseconds of a product of two n × n matrices. */
    double matmul(long n, DType dtype) {
        Tensor a = Tensor.randn(n, n).to(dtype);
        Tensor b = Tensor.randn(n, n).to(dtype);
        return millis(() -> a.matmul(b));
    }

    /** Milliseconds of causal attention in bf16. */
    double attention(long batch, long heads, long length, long width) {
        Tensor q = Tensor.randn(batch, heads, length, width).toBfloat16();
        Tensor k = Tensor.randn(batch, heads, length, width).toBfloat16();
        Tensor v = Tensor.randn(batch, heads, length, width).toBfloat16();
        return millis(() -> F.scaledDotProductAttention(q, k, v, null, 0, true));
    }
}
