// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** A block of threads with its shared memory. */
final class Cta {
    final Grid grid;
    /** Number in the grid, and coordinates. */
    final int number;

    final int x;
    final int y;
    final int z;
    /** Number in the cluster. */
    final int rank;

    final SharedMemory shared;
    final List<Warp> warps = new ArrayList<>();
    final CtaBarriers barriers = new CtaBarriers(this);
    final Mbarriers mbarriers;
    Cluster cluster;
    /** Accesses to global memory, by allocation. */
    private final Map<DeviceMemory.Allocation, Races> races = new IdentityHashMap<>();

    private final int clocks;
    /** The time of the next asynchronous copy. */
    int asyncClock = 1;

    Cta(Grid grid, int x, int y, int z, int rank) {
        this.grid = grid;
        this.x = x;
        this.y = y;
        this.z = z;
        this.rank = rank;
        number = (z * grid.grid.y() + y) * grid.grid.x() + x;
        Program p = grid.program;
        int count = (int) ((grid.block.size() + Warp.LANES - 1) / Warp.LANES);
        // One clock for each warp, and one for asynchronous copies.
        clocks = count + 1;
        shared = new SharedMemory(
                p.sharedEnd() + grid.dynamicShared, grid.options.checkRaces() ? p.sharedGranule() : 0, clocks);
        p.sharedVariables().forEach(v -> shared.declare(v.at(), v.bytes()));
        if (grid.dynamicShared > 0) shared.declare(p.sharedEnd(), grid.dynamicShared);
        mbarriers = new Mbarriers(this, clocks);
        for (int w = 0; w < count; w++) warps.add(new Warp(this, w, p, grid.options, clocks));
    }

    /** What is known of accesses to an allocation in global memory; null if nobody watches. Those of other CTAs are not seen. */
    Races races(DeviceMemory.Allocation a) {
        if (!grid.options.checkRaces()) return null;
        return races.computeIfAbsent(
                a, _ -> new Races("global address", a.base, a.bytes, grid.program.globalGranule(), clocks));
    }

    boolean isDone() {
        for (Warp w : warps) if (!w.isDone()) return false;
        return true;
    }
}
