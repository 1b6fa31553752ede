// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The copies by {@code cp.async} of a warp's threads: each happens as late as it may, when its thread waits for it. */
final class AsyncCopies {
    /** One copy of one thread. */
    private record Copy(Step step, int target, long source, int bytes, int sourceBytes) {}

    private static final class Thread {
        List<Copy> open = new ArrayList<>();
        final Deque<List<Copy>> groups = new ArrayDeque<>();
    }

    private final Warp warp;
    private final Thread[] threads = new Thread[Warp.LANES];

    AsyncCopies(Warp warp) {
        this.warp = warp;
    }

    private Thread thread(int lane) {
        if (threads[lane] == null) threads[lane] = new Thread();
        return threads[lane];
    }

    void issue(int lane, int target, long source, int bytes, int sourceBytes) {
        warp.cta.shared.announce(warp, lane, target, bytes);
        thread(lane).open.add(new Copy(warp.step(), target, source, bytes, sourceBytes));
    }

    void commit(int lane) {
        Thread t = thread(lane);
        t.groups.add(t.open);
        t.open = new ArrayList<>();
    }

    /** Completes all groups of a thread but the latest {@code pending}; −1: open copies too. */
    void await(int lane, int pending) {
        Thread t = thread(lane);
        while (t.groups.size() > Math.max(pending, 0)) finish(lane, t.groups.remove());
        if (pending < 0) {
            finish(lane, t.open);
            t.open = new ArrayList<>();
        }
    }

    /** Takes away all copies of a thread so far, to be completed by what is returned. */
    Runnable detach(int lane) {
        Thread t = thread(lane);
        List<Copy> all = new ArrayList<>();
        while (!t.groups.isEmpty()) all.addAll(t.groups.remove());
        all.addAll(t.open);
        t.open = new ArrayList<>();
        return () -> finish(lane, all);
    }

    private void finish(int lane, List<Copy> copies) {
        Step now = warp.step();
        SharedMemory shared = warp.cta.shared;
        for (Copy c : copies) {
            warp.resume(c.step);
            shared.arrived(c.target, c.bytes);
            shared.writing(warp, lane, c.target, c.bytes, false);
            int n = c.sourceBytes;
            if (n > 0) {
                DeviceMemory.Allocation a = warp.cta.grid.memory.find(c.source, n);
                if (a == null) {
                    throw warp.fault(
                            SimFault.Kind.OUT_OF_BOUNDS, lane, "the source of a copy was freed before it was read");
                }
                int from = (int) (c.source - a.base);
                System.arraycopy(a.store.data, from, shared.store.data, c.target, n);
                for (int i = 0; i < n; i++) shared.store.written.put(c.target + i, 1, a.store.written.get(from + i));
            }
            if (n < c.bytes) {
                java.util.Arrays.fill(shared.store.data, c.target + n, c.target + c.bytes, (byte) 0);
                shared.store.written.fill(c.target + n, c.bytes - n, true);
            }
        }
        warp.resume(now);
    }
}
