// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.sim.SimFault.Kind;
import java.util.HashMap;
import java.util.Map;

/** The mbarriers of a CTA, by their addresses in its shared memory. */
final class Mbarriers {
    static final int BYTES = 8;

    /** One barrier: the phase it is in, and what that still waits for. */
    static final class Barrier {
        private final Cta cta;
        private final int at;
        private int expected;
        private int pending;
        private long transactions;
        private long phase;
        /** What those who arrived in this phase have done, and what those of complete phases have. */
        private final int[] arriving;

        private final int[] complete;

        private Barrier(Cta cta, int at, int expected, int clocks) {
            this.cta = cta;
            this.at = at;
            this.expected = expected;
            pending = expected;
            arriving = new int[clocks];
            complete = new int[clocks];
        }

        /** The number of the phase that is not complete. */
        long phase() {
            return phase;
        }

        void expectMore(int count) {
            pending += count;
        }

        /** Raises the bytes that the phase waits for. */
        void expectBytes(long bytes) {
            transactions += bytes;
        }

        /** Arrivals of a thread; {@code dropped} of them are not expected in later phases. */
        void arrive(Warp w, int lane, int count, int dropped) {
            if (count > pending) {
                throw w.fault(
                        Kind.DEADLOCK,
                        lane,
                        count + " arrivals at the mbarrier at shared address " + at + ", whose phase waits for "
                                + pending);
            }
            pending -= count;
            expected -= dropped;
            if (w.cta == cta) w.clock.release(1 << lane, arriving);
            check();
        }

        /** Bytes of an asynchronous copy are there. */
        void arrived(long bytes, int agent, int clock) {
            transactions -= bytes;
            arriving[agent] = Math.max(arriving[agent], clock + 1);
            check();
        }

        void completeBytes(long bytes) {
            transactions -= bytes;
            check();
        }

        private void check() {
            if (pending != 0 || transactions != 0) return;
            phase++;
            pending = expected;
            for (int i = 0; i < complete.length; i++) complete[i] = Math.max(complete[i], arriving[i]);
        }

        /** What was done before the last complete phase is ordered before what lanes of a warp do next. */
        void acquire(Warp w, int lanes) {
            if (w.cta == cta) w.acquire(lanes, complete);
        }
    }

    private final Cta cta;
    private final int clocks;
    private final Map<Integer, Barrier> barriers = new HashMap<>();

    Mbarriers(Cta cta, int clocks) {
        this.cta = cta;
        this.clocks = clocks;
    }

    static void init(Warp w, long address, int lane, long count) {
        SharedMemory shared = w.access.shared(Space.SHARED, address, lane, BYTES);
        int at = w.access.at;
        if (count < 1 || count >= 1 << 20)
            throw w.fault(Kind.INVALID_OPERAND, lane, "an mbarrier of " + count + " arrivals");
        shared.writing(w, lane, at, BYTES, false);
        shared.store.put(at, BYTES, 0);
        Mbarriers m = w.cta.mbarriers;
        m.barriers.put(at, new Barrier(m.cta, at, (int) count, m.clocks));
    }

    static void invalidate(Warp w, long address, int lane) {
        find(w, Space.SHARED, address, lane);
        w.access.shared(Space.SHARED, address, lane, BYTES).writing(w, lane, w.access.at, BYTES, false);
        w.cta.mbarriers.barriers.remove(w.access.at);
        w.access.store.written.put(w.access.at, BYTES, false);
    }

    /** The barrier at an address, which a thread uses. */
    static Barrier find(Warp w, Space space, long address, int lane) {
        SharedMemory shared = w.access.shared(space, address, lane, BYTES);
        int at = w.access.at;
        Cta cta = shared == w.cta.shared ? w.cta : owner(w, shared);
        Barrier b = cta.mbarriers.barriers.get(at);
        if (b == null) throw w.fault(Kind.UNINITIALIZED_MEMORY, lane, "no mbarrier was made at shared address " + at);
        shared.reading(w, lane, at, BYTES, true);
        return b;
    }

    private static Cta owner(Warp w, SharedMemory shared) {
        for (Cta c : w.cta.cluster.ctas) if (c.shared == shared) return c;
        throw new IllegalStateException("shared memory of no CTA");
    }
}
