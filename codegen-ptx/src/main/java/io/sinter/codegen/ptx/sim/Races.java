// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.sim.SimFault.Kind;

/**
 * Unordered accesses by threads of one CTA to one piece of memory, of which one writes. Found by happens-before (as FastTrack does, Flanagan
 * and Freund 2009), with one clock for each warp: two accesses race if neither is ordered before the other by barriers and they are by
 * different threads. Lanes of one warp are ordered by {@code bar.warp.sync} and the CTA's barriers only, not by running in lockstep.
 */
final class Races {
    /** Stands for several lanes of a warp. */
    static final int SEVERAL = 32;

    private static final long ATOMIC = 1L << 62;

    /** Granules that are made together, when the first of them is accessed. */
    private static final int PAGE_BITS = 9;

    private static final int PAGE = 1 << PAGE_BITS;

    /** Who accessed each granule last. */
    private static final class Page {
        final long[] writers = new long[PAGE];
        final long[] readers = new long[PAGE];
        /** Clocks of the readers by warp, where several warps have read since the last write. */
        final int[][] readerClocks = new int[PAGE][];
    }

    private final String what;
    private final long base;
    private final int shift;
    private final int warps;
    private final Page[] pages;

    /**
     * @param what names an address in messages
     * @param base what is added to a place to give the address
     * @param granule bytes that are watched together: the least that the kernel accesses at once
     * @param warps number of clocks
     */
    Races(String what, long base, long bytes, int granule, int warps) {
        this.what = what;
        this.base = base;
        this.warps = warps;
        shift = Integer.numberOfTrailingZeros(granule);
        pages = new Page[Math.toIntExact((bytes >> shift >> PAGE_BITS) + 1)];
    }

    private Page page(int granule) {
        Page p = pages[granule >> PAGE_BITS];
        return p != null ? p : (pages[granule >> PAGE_BITS] = new Page());
    }

    /** A lane reads bytes; {@code atomic}: by an access that may meet others of its kind. */
    void read(Agent w, int lane, int at, int bytes, boolean atomic) {
        for (int g = at >> shift, end = (at + bytes - 1) >> shift; g <= end; g++) read(w, lane, g, atomic);
    }

    /** A lane writes bytes. */
    void write(Agent w, int lane, int at, int bytes, boolean atomic) {
        for (int g = at >> shift, end = (at + bytes - 1) >> shift; g <= end; g++) write(w, lane, g, atomic);
    }

    private void read(Agent w, int lane, int granule, boolean atomic) {
        Page p = page(granule);
        int g = granule & PAGE - 1;
        long writer = p.writers[g];
        if (writer != 0 && !ordered(writer, w, lane) && !(atomic && (writer & ATOMIC) != 0))
            throw race(w, lane, granule, writer, "read", "write");
        long stamp = stamp(w, lane, atomic);
        long reader = p.readers[g];
        if (reader == 0 || warp(reader) == w.id) {
            boolean same = reader == 0 || clock(reader) < w.clock() || lane(reader) == lane;
            p.readers[g] = same ? stamp : stamp(w, SEVERAL, atomic && (reader & ATOMIC) != 0);
        } else if (clock(reader) < w.seen[warp(reader)] && p.readerClocks[g] == null) {
            p.readers[g] = stamp;
        } else {
            int[] clocks = p.readerClocks[g];
            if (clocks == null) {
                clocks = p.readerClocks[g] = new int[warps];
                clocks[warp(reader)] = clock(reader);
            }
            clocks[w.id] = w.clock();
            if ((reader & ATOMIC) != 0 && !atomic) p.readers[g] = reader & ~ATOMIC;
        }
    }

    private void write(Agent w, int lane, int granule, boolean atomic) {
        Page p = page(granule);
        int g = granule & PAGE - 1;
        long writer = p.writers[g];
        if (writer != 0 && !ordered(writer, w, lane) && !(atomic && (writer & ATOMIC) != 0))
            throw race(w, lane, granule, writer, "write", "write");
        long reader = p.readers[g];
        if (reader != 0) {
            boolean both = atomic && (reader & ATOMIC) != 0;
            if (!both && !ordered(reader, w, lane)) throw race(w, lane, granule, reader, "write", "read");
            int[] clocks = p.readerClocks[g];
            if (clocks != null && !both) {
                for (int x = 0; x < warps; x++) {
                    if (x != w.id && clocks[x] >= w.seen[x] && clocks[x] != 0)
                        throw race(w, lane, granule, stamp(x, SEVERAL, clocks[x]), "write", "read");
                }
            }
            p.readers[g] = 0;
            p.readerClocks[g] = null;
        }
        p.writers[g] = stamp(w, lane, atomic);
    }

    private static boolean ordered(long stamp, Agent w, int lane) {
        return clock(stamp) < w.seen[warp(stamp)] || (warp(stamp) == w.id && lane(stamp) == lane);
    }

    private SimFault race(Agent w, int lane, int g, long other, String access, String before) {
        int l = lane(other);
        return w.fault(
                Kind.RACE,
                lane,
                access + " of " + what + " " + address(g) + " is not ordered after a " + before + " by "
                        + (l == SEVERAL ? "several threads" : "thread " + (32 * warp(other) + l))
                        + (warp(other) == w.id ? " of this warp" : ""));
    }

    private String address(int g) {
        long a = base + ((long) g << shift);
        return base == 0 ? Long.toString(a) : DeviceMemory.hex(a);
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
