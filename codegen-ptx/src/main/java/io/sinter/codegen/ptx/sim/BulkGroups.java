// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The groups of bulk copies to global memory of a warp's threads. */
final class BulkGroups {
    /** A copy that happens at some time, but before it is waited for. */
    abstract static class Copy implements Cluster.Deferred {
        private boolean done;
        /** When its reads are over, as a clock of asynchronous copies. */
        int clock;

        abstract void copy();

        @Override
        public final void run() {
            if (done) return;
            done = true;
            copy();
        }
    }

    private static final class Thread {
        List<Copy> open = new ArrayList<>();
        final Deque<List<Copy>> groups = new ArrayDeque<>();
    }

    private final Warp warp;
    private final Thread[] threads = new Thread[Warp.LANES];

    BulkGroups(Warp warp) {
        this.warp = warp;
    }

    private Thread thread(int lane) {
        if (threads[lane] == null) threads[lane] = new Thread();
        return threads[lane];
    }

    void add(int lane, Copy c) {
        thread(lane).open.add(c);
    }

    void commit(int lane) {
        Thread t = thread(lane);
        t.groups.add(t.open);
        t.open = new ArrayList<>();
    }

    void await(int lane, int pending) {
        Thread t = thread(lane);
        int agent = warp.agents - 1;
        while (t.groups.size() > pending) {
            for (Copy c : t.groups.remove()) {
                c.run();
                warp.clock.learn(lane, warp.live, agent, c.clock + 1);
            }
        }
    }
}
