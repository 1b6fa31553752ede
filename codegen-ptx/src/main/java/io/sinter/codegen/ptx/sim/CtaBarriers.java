// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.ArrayList;
import java.util.List;

/** The sixteen barriers of a CTA. */
final class CtaBarriers {
    static final int COUNT = 16;

    /** Called for each split that has waited, when the barrier is complete. */
    interface Result {
        void deliver(Warp w, Split s, int holds, int arrived);
    }

    private record Waiter(Warp warp, Split split, int mask, Result result) {}

    private static final class Barrier {
        /** Threads that must arrive; 0: all live ones of the CTA. */
        int threads;

        boolean used;
        int arrived;
        /** Lanes that have arrived, by warp. */
        int[] lanes;
        /** Threads whose predicate held. */
        int holds;

        int[] clocks;
        final List<Waiter> waiters = new ArrayList<>();
    }

    private final Cta cta;
    private final Barrier[] barriers = new Barrier[COUNT];

    CtaBarriers(Cta cta) {
        this.cta = cta;
    }

    /**
     * Lanes arrive.
     *
     * @param s the split that waits; null if it goes on
     * @param threads 0 for all of the CTA
     * @param count how many threads that counts for
     */
    void arrive(int number, Warp w, Split s, int mask, int threads, int count, int holds, Result result) {
        Barrier b = barriers[number];
        if (b == null) {
            b = barriers[number] = new Barrier();
            b.lanes = new int[cta.warps.size()];
        }
        if (!b.used) {
            b.used = true;
            b.threads = threads;
            b.clocks = new int[w.agents];
        } else if (b.threads != threads) {
            throw w.fault(
                    SimFault.Kind.DIVERGENT,
                    Integer.numberOfTrailingZeros(mask),
                    "barrier " + number + " is used for " + threads + " threads here and for " + b.threads
                            + " elsewhere (0: all)");
        }
        if ((b.lanes[w.id] & mask) != 0) {
            throw w.fault(
                    SimFault.Kind.DIVERGENT,
                    Integer.numberOfTrailingZeros(b.lanes[w.id] & mask),
                    "arrives twice at barrier " + number + " before the others did once");
        }
        b.lanes[w.id] |= mask;
        b.arrived += count;
        b.holds += holds;
        w.clock.release(mask, b.clocks);
        if (s != null) b.waiters.add(new Waiter(w, s, mask, result));
        complete(b);
    }

    /** Threads have exited: barriers for all may be complete. */
    void check() {
        for (Barrier b : barriers) if (b != null && b.used) complete(b);
    }

    private void complete(Barrier b) {
        if (b.threads > 0) {
            if (b.arrived < b.threads) return;
        } else {
            for (Warp w : cta.warps) if ((w.live & ~b.lanes[w.id]) != 0) return;
        }
        List<Waiter> waiters = List.copyOf(b.waiters);
        int[] clocks = b.clocks;
        int holds = b.holds;
        int arrived = b.arrived;
        b.waiters.clear();
        b.used = false;
        b.arrived = 0;
        b.holds = 0;
        java.util.Arrays.fill(b.lanes, 0);
        for (Waiter x : waiters) {
            x.warp.acquire(x.mask, clocks);
            if (x.result != null) x.result.deliver(x.warp, x.split, holds, arrived);
            x.warp.pass(x.split);
        }
    }
}
