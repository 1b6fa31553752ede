// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** A graph of a GPU, or none. Used with the GPU's monitor held. */
final class GraphSlot {
    private final Gpu gpu;
    private GpuDriver.Graph graph;

    GraphSlot(Gpu gpu) {
        this.gpu = gpu;
    }

    boolean isEmpty() {
        return graph == null;
    }

    GpuDriver.Graph get() {
        return graph;
    }

    void set(GpuDriver.Graph value) {
        graph = value;
    }

    /** Gives the graph back, when it is not running any more. */
    void drop() {
        synchronized (gpu) {
            if (graph != null) gpu.destroy(graph);
            graph = null;
        }
    }
}
