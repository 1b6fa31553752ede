// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.sim.SimFault.Kind;

/**
 * The shared memory of one CTA, with what its checks need: which bytes belong to a variable, which have been written, which an
 * asynchronous copy is about to write, and who accessed each granule last.
 *
 * <p>Races are found by happens-before (as FastTrack does, Flanagan and Freund 2009), with one clock for each warp: two accesses
 * race if one writes, neither is ordered before the other by barriers, and they are by different threads. Lanes of one warp are ordered by
 * {@code bar.warp.sync} and the CTA's barriers only, not by running in lockstep.
 */
final class SharedMemory {
    /** Stands for several lanes of a warp. */
    static final int SEVERAL = 32;

    private static final long ATOMIC = 1L << 62;

    final Store store;
    private final Bitmap variables;
    private final Bitmap pending;
    private final int shift;
    private final long[] writers;
    private final long[] readers;
    /** Clocks of the readers by warp, where several warps have read since the last write. */
    private final int[][] readerClocks;

    private final int warps;

    /**
     * @param granule bytes that are watched together: the least that the kernel accesses at once, at most 4; 0: no watching
     */
    SharedMemory(int bytes, int granule, int warps) {
        store = new Store(bytes);
        variables = new Bitmap(bytes);
        pending = new Bitmap(bytes);
        this.warps = warps;
        shift = granule == 0 ? -1 : Integer.numberOfTrailingZeros(granule);
        int n = granule == 0 ? 0 : (bytes + granule - 1) / granule;
        writers = new long[n];
        readers = new long[n];
        readerClocks = new int[n][];
    }

    /** Says that bytes belong to a variable. */
    void declare(int at, int bytes) {
        variables.fill(at, bytes, true);
    }

    /** Checks that an access lies in a variable. */
    void check(Agent w, int lane, int at, int bytes) {
        if (at < 0 || at + bytes > store.data.length) {
            throw w.fault(Kind.OUT_OF_BOUNDS, lane, outside(at, bytes));
        }
        if (at % bytes != 0) {
            throw w.fault(Kind.MISALIGNED, lane, "shared address " + at + " is no multiple of " + bytes);
        }
        if (!variables.all(at, bytes)) throw w.fault(Kind.OUT_OF_BOUNDS, lane, outside(at, bytes));
    }

    private String outside(int at, int bytes) {
        return bytes + " bytes at shared address " + at + " lie in no variable; shared memory ends at "
                + store.data.length;
    }

    /** Checks a read of bytes that lie in one variable. */
    void reading(Agent w, int lane, int at, int bytes, boolean atomic) {
        if (pending.any(at, bytes)) {
            throw w.fault(
                    Kind.ASYNC_NOT_WAITED,
                    lane,
                    "shared address " + at + " is the target of a copy that was not waited for");
        }
        if (w.options.checkInitialized() && !store.written.all(at, bytes)) {
            throw w.fault(Kind.UNINITIALIZED_MEMORY, lane, "shared address " + at + " was never written");
        }
        if (shift < 0 || w.cta.shared != this) return;
        for (int g = at >> shift, end = (at + bytes - 1) >> shift; g <= end; g++) read(w, lane, g, atomic);
    }

    private void read(Agent w, int lane, int g, boolean atomic) {
        long writer = writers[g];
        if (writer != 0 && !ordered(writer, w, lane) && !(atomic && (writer & ATOMIC) != 0))
            throw race(w, lane, g, writer, "read", "write");
        long stamp = stamp(w, lane, atomic);
        long reader = readers[g];
        if (reader == 0 || warp(reader) == w.id) {
            boolean same = reader == 0 || clock(reader) < w.clock() || lane(reader) == lane;
            readers[g] = same ? stamp : stamp(w, SEVERAL, atomic && (reader & ATOMIC) != 0);
        } else if (clock(reader) < w.seen[warp(reader)] && readerClocks[g] == null) {
            readers[g] = stamp;
        } else {
            int[] clocks = readerClocks[g];
            if (clocks == null) {
                clocks = readerClocks[g] = new int[warps];
                clocks[warp(reader)] = clock(reader);
            }
            clocks[w.id] = w.clock();
            if ((reader & ATOMIC) != 0 && !atomic) readers[g] = reader & ~ATOMIC;
        }
    }

    /** Checks a write of bytes that lie in one variable. */
    void writing(Agent w, int lane, int at, int bytes, boolean atomic) {
        if (pending.any(at, bytes)) {
            throw w.fault(
                    Kind.ASYNC_NOT_WAITED,
                    lane,
                    "shared address " + at + " is the target of a copy that was not waited for");
        }
        if (shift < 0 || w.cta.shared != this) return;
        for (int g = at >> shift, end = (at + bytes - 1) >> shift; g <= end; g++) write(w, lane, g, atomic);
    }

    private void write(Agent w, int lane, int g, boolean atomic) {
        long writer = writers[g];
        if (writer != 0 && !ordered(writer, w, lane) && !(atomic && (writer & ATOMIC) != 0))
            throw race(w, lane, g, writer, "write", "write");
        long reader = readers[g];
        if (reader != 0) {
            boolean both = atomic && (reader & ATOMIC) != 0;
            if (!both && !ordered(reader, w, lane)) throw race(w, lane, g, reader, "write", "read");
            int[] clocks = readerClocks[g];
            if (clocks != null && !both) {
                for (int x = 0; x < warps; x++) {
                    if (x != w.id && clocks[x] >= w.seen[x] && clocks[x] != 0)
                        throw race(w, lane, g, stamp(x, SEVERAL, clocks[x]), "write", "read");
                }
            }
            readers[g] = 0;
            readerClocks[g] = null;
        }
        writers[g] = stamp(w, lane, atomic);
    }

    /** Bytes that an asynchronous copy is about to write: nobody may touch them. */
    void announce(Agent w, int lane, int at, int bytes) {
        writing(w, lane, at, bytes, false);
        pending.put(at, bytes, true);
    }

    void arrived(int at, int bytes) {
        pending.fill(at, bytes, false);
    }

    boolean isPending(int at, int bytes) {
        return pending.any(at, bytes);
    }

    private static boolean ordered(long stamp, Agent w, int lane) {
        return clock(stamp) < w.seen[warp(stamp)] || (warp(stamp) == w.id && lane(stamp) == lane);
    }

    private SimFault race(Agent w, int lane, int g, long other, String what, String before) {
        int l = lane(other);
        return w.fault(
                Kind.RACE,
                lane,
                what + " of shared address " + (g << shift) + " is not ordered after a " + before + " by "
                        + (l == SEVERAL ? "several threads" : "thread " + (32 * warp(other) + l))
                        + (warp(other) == w.id ? " of this warp" : ""));
    }

    private static long stamp(Agent w, int lane, boolean atomic) {
        return stamp(w.id, lane, w.clock()) | (atomic ? ATOMIC : 0);
    }

    /** Lane in bits 0–5, warp in bits 6–15, clock in bits 16–47. */
    private static long stamp(int warp, int lane, int clock) {
        return (long) clock << 16 | warp << 6 | lane;
    }

    private static int lane(long stamp) {
        return (int) stamp & 63;
    }

    private static int warp(long stamp) {
        return (int) stamp >> 6 & 0x3ff;
    }

    private static int clock(long stamp) {
        return (int) (stamp >> 16);
    }
}
