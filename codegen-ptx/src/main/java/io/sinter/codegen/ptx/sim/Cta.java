// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.ArrayList;
import java.util.List;

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
        int clocks = count + 1;
        shared = new SharedMemory(
                p.sharedEnd() + grid.dynamicShared, grid.options.checkRaces() ? p.sharedGranule() : 0, clocks);
        p.sharedVariables().forEach(v -> shared.declare(v.at(), v.bytes()));
        if (grid.dynamicShared > 0) shared.declare(p.sharedEnd(), grid.dynamicShared);
        mbarriers = new Mbarriers(this, clocks);
        for (int w = 0; w < count; w++) warps.add(new Warp(this, w, p, grid.options, clocks));
    }

    boolean isDone() {
        for (Warp w : warps) if (!w.isDone()) return false;
        return true;
    }
}
