// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.List;
import java.util.function.IntFunction;

/**
 * Queues what a program's runs have in common: a list of orders that is the same as the time before, down to its addresses, is captured as a graph, and
 * from then on queued by one call. Capturing takes longer than queueing: a graph that was soon given up again is followed by one only when orders have stayed the
 * same for longer. Used with the GPU's monitor held.
 */
final class PtxQueue {
    /** Fewer orders are no work to queue one by one. */
    private static final int LEAST_GRAPH = 3;

    /** Calls of a graph that make up for having captured it. */
    private static final int WORTHWHILE = 8;

    /** Most times in a row that orders have to be the same. */
    private static final int MOST = 256;

    private final Gpu gpu;
    private final GraphSlot graph;
    private List<PtxOrder> before = List.of();
    /** How often in a row the orders have been the same, and how often they are to be before they are captured. */
    private int same;

    private int enough = 1;

    /** @param owner lives as long as the graph is needed */
    PtxQueue(Gpu gpu, Object owner) {
        this.gpu = gpu;
        graph = gpu.graphOf(owner);
    }

    /**
     * Queues all of {@code orders}.
     *
     * @param times null if nobody asks how long each takes
     * @param lines source line of a result, for a kernel that is waited for
     */
    void queue(List<PtxOrder> orders, GpuTimes times, IntFunction<?> lines) {
        if (orders.size() < LEAST_GRAPH || times != null || !gpu.hasGraphs()) {
            issue(gpu, orders, times, lines);
            return;
        }
        if (!orders.equals(before)) {
            if (!graph.isEmpty() && same < enough + WORTHWHILE) enough = Math.min(MOST, 2 * enough);
            graph.drop();
            before = orders;
            same = 0;
            issue(gpu, orders, null, lines);
            return;
        }
        if (++same < enough) {
            issue(gpu, orders, null, lines);
            return;
        }
        if (graph.isEmpty()) graph.set(captured(orders));
        for (PtxOrder o : orders) if (o.function() != null) gpu.queued(o.function());
        gpu.driver().launch(gpu.stream(), graph.get());
    }

    /** The orders as a graph. One that cannot be captured to its end is none. */
    private GpuDriver.Graph captured(List<PtxOrder> orders) {
        GpuDriver driver = gpu.driver();
        driver.beginCapture(gpu.stream());
        try {
            for (PtxOrder o : orders) o.issue(gpu);
        } catch (RuntimeException e) {
            try {
                driver.destroy(driver.endCapture(gpu.stream()));
            } catch (RuntimeException also) {
                e.addSuppressed(also);
            }
            throw e;
        }
        return driver.endCapture(gpu.stream());
    }

    /** Queues orders one by one. Parameters as {@link #queue} has them. */
    static void issue(Gpu gpu, List<PtxOrder> orders, GpuTimes times, IntFunction<?> lines) {
        for (PtxOrder o : orders) {
            if (times == null) o.issue(gpu);
            else times.time(o.site(), o.first(), () -> o.issue(gpu));
            GpuDriver.Function f = o.function();
            if (f == null) continue;
            gpu.queued(f);
            if (gpu.waitsForEach())
                gpu.waitFor(f, o.results().stream().map(lines::apply).toList());
        }
    }
}
