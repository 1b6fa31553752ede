// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** CTAs that run together and see each other's shared memory, and the asynchronous copies that are under way to it. */
final class Cluster {
    /** What happens some time later. */
    interface Deferred {
        void run();
    }

    final List<Cta> ctas = new ArrayList<>();
    private final List<Deferred> deferred = new ArrayList<>();
    private final Random random;

    /** The barrier of the cluster: phases that are complete, and lanes that have arrived in this one. */
    private int phase;

    private int arrived;

    Cluster(Random random) {
        this.random = random;
    }

    Cta cta(int rank) {
        return rank < ctas.size() ? ctas.get(rank) : null;
    }

    boolean isDone() {
        for (Cta c : ctas) if (!c.isDone()) return false;
        return true;
    }

    void later(Deferred d) {
        deferred.add(d);
    }

    /** Does one of the deferred things, any of them. */
    void settleOne() {
        deferred.remove(random.nextInt(deferred.size())).run();
    }

    /**
     * Runs some warp for a while.
     *
     * @return instructions of warps that ran; 0 if nothing can go on
     */
    int run() {
        if (!deferred.isEmpty() && random.nextInt(4) == 0) settleOne();
        int total = 0;
        for (Cta c : ctas) total += c.warps.size();
        for (boolean polling : new boolean[] {false, true}) {
            int first = random.nextInt(total);
            for (int i = 0; i < total; i++) {
                Warp w = warp((first + i) % total);
                Split s = w.runnable(polling);
                if (s == null) continue;
                if (!polling) return w.run(s, 1 + random.nextInt(64));
                // Asking again is progress only if the answer has changed.
                w.run(s, 1);
                if (s.state != Split.State.POLLING) return 1;
            }
            if (!deferred.isEmpty()) {
                settleOne();
                return 1;
            }
        }
        return 0;
    }

    private Warp warp(int i) {
        for (Cta c : ctas) {
            if (i < c.warps.size()) return c.warps.get(i);
            i -= c.warps.size();
        }
        throw new IllegalStateException();
    }

    /** Lanes of a warp arrive at the cluster's barrier; returns the phase to wait for. */
    int arrive(int mask) {
        int mine = phase + 1;
        arrived += Integer.bitCount(mask);
        check();
        return mine;
    }

    boolean isComplete(int waited) {
        return phase >= waited;
    }

    /** Threads have arrived or exited: the barrier may be complete. */
    void check() {
        int live = 0;
        for (Cta c : ctas) for (Warp w : c.warps) live += Integer.bitCount(w.live);
        if (arrived == 0 || arrived < live) return;
        arrived = 0;
        phase++;
        // Clocks are of one CTA: all that its warps did is ordered before what they do next.
        for (Cta c : ctas) {
            int[] clocks = new int[c.warps.getFirst().agents];
            for (Warp w : c.warps) w.clock.release(w.live, clocks);
            for (Warp w : c.warps) w.acquire(w.live, clocks);
        }
    }
}
