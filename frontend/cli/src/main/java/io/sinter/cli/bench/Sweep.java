// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.nn.Net;
import io.sinter.optim.AdamW;
import io.sinter.optim.Optimizer;
import io.sinter.runtime.Counters;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What changing shapes cost: training steps of train_gpt_small's network at 50 sequence lengths, in a mixed order. A new length is a new program;
 * the code of its kernels must be there already, but for the few variants of a schedule that extents choose.
 */
final class Sweep {
    private static final int LENGTHS = 50;
    private static final int BATCH = 8;
    private static final int VOCABULARY = 65;

    private final Net net = new Models.Gpt(6, 6, 384, 256, VOCABULARY);
    private final Optimizer optimizer = new AdamW(net.parameters(), 3e-4);
    private final Counters counters = Sinter.counters();

    /**
     * {@code first_ms}: the shortest, a middle and the longest sequence; {@code sweep_ms}: then a step at each length; {@code steady_ms}: all of them
     * once more; {@code ratio}: of these two; {@code kernels_first} and {@code kernels}: generated before and during the sweep; {@code programs}:
     * compiled during it.
     */
    static Map<String, Object> measure() {
        Sinter.manualSeed(0);
        return new Sweep().run();
    }

    /** 7, 12, …, 252, neighbours far apart. */
    private static List<Long> lengths() {
        List<Long> r = new ArrayList<>();
        for (int i = 0; i < LENGTHS; i++) r.add(7L + 5 * (i * 17 % LENGTHS));
        return r;
    }

    private Map<String, Object> run() {
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("case", "sweep_gpt_small_" + LENGTHS + "_lengths");
        long before = counters.kernelsGenerated();
        r.put("first_ms", steps(List.of(7L, 127L, 252L)));
        long kernels = counters.kernelsGenerated();
        long programs = counters.programsCompiled();
        double sweep = steps(lengths());
        r.put("sweep_ms", sweep);
        r.put("kernels_first", kernels - before);
        r.put("kernels", counters.kernelsGenerated() - kernels);
        r.put("programs", counters.programsCompiled() - programs);
        double steady = steps(lengths());
        r.put("steady_ms", steady);
        r.put("ratio", Math.round(1000 * sweep / steady) / 1000.0);
        return r;
    }

    /** Milliseconds, to a tenth. */
    private double steps(List<Long> lengths) {
        long start = System.nanoTime();
        for (long n : lengths) step(n);
        return Math.round((System.nanoTime() - start) / 1e5) / 10.0;
    }

    private void step(long length) {
        Tensor x = Tensor.randint(0, VOCABULARY, BATCH, length);
        Tensor y = Tensor.randint(0, VOCABULARY, BATCH * length);
        optimizer.zeroGrad();
        Tensor loss = F.crossEntropy(net.call(x).reshape(-1, VOCABULARY), y);
        loss.backward();
        optimizer.step();
        if (Double.isNaN(loss.item())) throw new IllegalStateException("the loss is not a number");
    }
}
