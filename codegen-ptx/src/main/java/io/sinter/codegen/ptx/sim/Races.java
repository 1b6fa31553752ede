// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.sim.SimFault.Kind;

/**
 * Unordered accesses by threads of one CTA to one piece of memory, of which one writes. Found by happens-before (as FastTrack does, Flanagan
 * and Freund 2009), with one clock for each warp, and what its lanes know of each other and of other warps ({@link WarpClock}): two accesses race if neither is
 * ordered before the other and they are by different threads.
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
        /** Lanes of the reader's warp that have read, a bit for each. */
        final int[] lanes = new int[PAGE];
        /** Of other warps that have read since the last write: clocks, and below them the lanes. */
        final long[][] others = new long[PAGE][];
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
        long reader = p.readers[g];
        int own = lane == SEVERAL ? -1 : 1 << lane;
        if (reader == 0 || warp(reader) == w.id) {
            // One that is ordered before this one need not be remembered: what comes behind this one comes behind both.
            if (reader == 0 || areOrdered(clock(reader), p.lanes[g], w, lane)) {
                p.readers[g] = stamp(w, lane, atomic);
                p.lanes[g] = own;
            } else {
                p.readers[g] = stamp(w, SEVERAL, atomic && (reader & ATOMIC) != 0);
                p.lanes[g] |= own;
            }
            return;
        }
        long[] others = p.others[g];
        if (others == null) {
            if (clock(reader) < w.known(lane, warp(reader))) {
                p.readers[g] = stamp(w, lane, atomic);
                p.lanes[g] = own;
                return;
            }
            others = p.others[g] = new long[warps];
        }
        long before = others[w.id];
        int lanes = before == 0 || areOrdered((int) (before >>> 32), (int) before, w, lane) ? own : (int) before | own;
        others[w.id] = (long) w.clock() << 32 | lanes & 0xffff_ffffL;
        if (!atomic) p.readers[g] = reader & ~ATOMIC;
    }

    private void write(Agent w, int lane, int granule, boolean atomic) {
        Page p = page(granule);
        int g = granule & PAGE - 1;
        long writer = p.writers[g];
        if (writer != 0 && !ordered(writer, w, lane) && !(atomic && (writer & ATOMIC) != 0))
            throw race(w, lane, granule, writer, "write", "write");
        long reader = p.readers[g];
        if (reader != 0) {
            if (!atomic || (reader & ATOMIC) == 0) afterReaders(w, lane, granule, p, reader);
            p.readers[g] = 0;
            p.others[g] = null;
        }
        p.writers[g] = stamp(w, lane, atomic);
    }

    /** Checks that a write is ordered after the reads since the last one. */
    private void afterReaders(Agent w, int lane, int granule, Page p, long reader) {
        int g = granule & PAGE - 1;
        boolean fine = warp(reader) == w.id
                ? areOrdered(clock(reader), p.lanes[g], w, lane)
                : clock(reader) < w.known(lane, warp(reader));
        if (!fine) throw race(w, lane, granule, reader, "write", "read");
        long[] others = p.others[g];
        for (int x = 0; others != null && x < warps; x++) {
            if (others[x] == 0) continue;
            int at = (int) (others[x] >>> 32);
            if (x == w.id ? areOrdered(at, (int) others[x], w, lane) : at < w.known(lane, x)) continue;
            throw race(w, lane, granule, stamp(x, SEVERAL, at), "write", "read");
        }
    }

    private static boolean ordered(long stamp, Agent w, int lane) {
        return w.knows(lane, warp(stamp), lane(stamp), clock(stamp));
    }

    /** Whether what lanes of an agent itself did at a time is ordered before what one of them does next. */
    private static boolean areOrdered(int at, int lanes, Agent w, int lane) {
        if (at < w.known(lane, w.id)) return true;
        for (int m = lanes; m != 0; m &= m - 1)
            if (!w.knows(lane, w.id, Integer.numberOfTrailingZeros(m), at)) return false;
        return true;
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
