// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** One launch of a kernel. */
final class Grid {
    /** Instructions after which a CTA that has not ended is taken to wait for others, which then begin beside it. */
    private static final int PATIENCE = 100_000;

    final Program program;
    final SimOptions options;
    final DeviceMemory memory;
    final Dim3 grid;
    final Dim3 block;
    final Dim3 cluster;
    final int dynamicShared;
    final Store parameters;
    private final Random random;
    private long instructions;

    Grid(
            Program program,
            SimOptions options,
            DeviceMemory memory,
            Dim3 grid,
            Dim3 block,
            int dynamicShared,
            Store parameters) {
        this.program = program;
        this.options = options;
        this.memory = memory;
        this.grid = grid;
        this.block = block;
        this.cluster = program.cluster();
        this.dynamicShared = dynamicShared;
        this.parameters = parameters;
        random = new Random(options.seed());
    }

    int multiprocessors() {
        return 4;
    }

    long instructions() {
        return instructions;
    }

    /** Runs all CTAs, in an order that the seed chooses. */
    void run() {
        List<int[]> waiting = new ArrayList<>();
        for (int z = 0; z < grid.z(); z += cluster.z()) {
            for (int y = 0; y < grid.y(); y += cluster.y()) {
                for (int x = 0; x < grid.x(); x += cluster.x()) waiting.add(new int[] {x, y, z});
            }
        }
        Collections.shuffle(waiting, random);
        List<Cluster> resident = new ArrayList<>();
        while (!waiting.isEmpty() || !resident.isEmpty()) {
            boolean progress = false;
            for (Cluster c : List.copyOf(resident)) {
                progress |= run(c);
                if (c.isDone()) resident.remove(c);
            }
            if (!waiting.isEmpty() && (resident.isEmpty() || resident.size() < 256)) {
                resident.add(cluster(waiting.removeLast()));
            } else if (!progress && !resident.isEmpty()) {
                throw deadlock(resident);
            }
        }
    }

    private boolean run(Cluster c) {
        boolean progress = false;
        for (int done = 0; done < PATIENCE && !c.isDone(); ) {
            int n = c.run();
            if (n == 0) return progress;
            done += n;
            instructions += n;
            progress = true;
        }
        if (instructions > options.maxInstructions()) {
            throw fault(SimFault.Kind.DEADLOCK, "no end after " + instructions + " instructions of warps", List.of(c));
        }
        return progress;
    }

    private SimFault deadlock(List<Cluster> resident) {
        boolean lanes = false;
        for (Cluster c : resident) {
            for (Cta a : c.ctas) for (Warp w : a.warps) for (Split s : w.splits) lanes |= s.state == Split.State.LANES;
        }
        return lanes
                ? fault(SimFault.Kind.DIVERGENT, "lanes wait for others of their warp that never come", resident)
                : fault(SimFault.Kind.DEADLOCK, "no thread can go on", resident);
    }

    private SimFault fault(SimFault.Kind kind, String what, List<Cluster> stuck) {
        StringBuilder s = new StringBuilder(what);
        Step at = null;
        int shown = 0;
        for (Cluster c : stuck) {
            for (Cta a : c.ctas) {
                for (Warp w : a.warps) {
                    if (w.isDone()) continue;
                    for (Split x : w.splits) {
                        boolean first = at == null || (kind == SimFault.Kind.DIVERGENT && x.state == Split.State.LANES);
                        if (first) at = program.steps()[x.pc];
                    }
                    if (shown++ < 8) s.append(w.places());
                }
            }
        }
        return new SimFault(
                kind, program.name(), at == null ? 0 : at.line, at == null ? "" : at.source, "", s.toString());
    }

    private Cluster cluster(int[] at) {
        Cluster c = new Cluster(new Random(random.nextLong()));
        int rank = 0;
        for (int z = 0; z < cluster.z(); z++) {
            for (int y = 0; y < cluster.y(); y++) {
                for (int x = 0; x < cluster.x(); x++) {
                    Cta a = new Cta(this, at[0] + x, at[1] + y, at[2] + z, rank++);
                    a.cluster = c;
                    c.ctas.add(a);
                }
            }
        }
        return c;
    }
}
