// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Space;
import io.sinter.codegen.ptx.sim.SimFault.Kind;

/** Finds the bytes of an address, and checks that a thread may access them. What was found is in {@link #store} and {@link #at}. */
final class Access {
    private final Warp warp;
    /** The allocation of the last access to global memory, which is likely to be that of the next. */
    private DeviceMemory.Allocation recent;
    /** What is known of accesses to it; null if nobody watches. */
    private Races races;

    Store store;
    int at;

    Access(Warp warp) {
        this.warp = warp;
    }

    /** Finds bytes to read; {@code strong}: volatile, atomic or ordered. */
    void read(Space space, long address, int lane, int bytes, boolean strong) {
        SharedMemory shared = locate(space, address, lane, bytes);
        if (shared != null) {
            shared.reading(warp, lane, at, bytes, strong);
            return;
        }
        if (warp.options.checkInitialized() && !store.written.all(at, bytes)) {
            throw warp.fault(
                    Kind.UNINITIALIZED_MEMORY,
                    lane,
                    "reads " + bytes + " bytes at " + DeviceMemory.hex(address) + " that were never written");
        }
        if (isWatched(space, address)) races.read(warp, lane, at, bytes, strong);
    }

    /** Whether what was located last lies in memory that is watched for races. */
    private boolean isWatched(Space space, long address) {
        return races != null
                && (space == Space.GLOBAL || space == Space.GENERIC && Window.space(address) == Space.GLOBAL);
    }

    void write(Space space, long address, int lane, int bytes, boolean strong) {
        Space where = space == Space.GENERIC ? Window.space(address) : space;
        if (where == Space.CONST || where == Space.PARAM) {
            throw warp.fault(Kind.WRONG_SPACE, lane, "writes to " + where + " memory at " + DeviceMemory.hex(address));
        }
        SharedMemory shared = locate(space, address, lane, bytes);
        if (shared != null) shared.writing(warp, lane, at, bytes, strong);
        else if (isWatched(space, address)) races.write(warp, lane, at, bytes, strong);
    }

    /** Finds bytes to read and write at once; returns their space. */
    Space update(Space space, long address, int lane, int bytes) {
        Space where = space == Space.GENERIC ? Window.space(address) : space;
        if (where != Space.GLOBAL && !where.isShared()) {
            throw warp.fault(Kind.WRONG_SPACE, lane, "an atomic operation in " + where + " memory");
        }
        SharedMemory shared = locate(space, address, lane, bytes);
        if (shared != null) {
            shared.reading(warp, lane, at, bytes, true);
            shared.writing(warp, lane, at, bytes, true);
            return where;
        }
        if (warp.options.checkInitialized() && !store.written.all(at, bytes)) {
            throw warp.fault(
                    Kind.UNINITIALIZED_MEMORY,
                    lane,
                    "updates " + bytes + " bytes at " + DeviceMemory.hex(address) + " that were never written");
        }
        if (isWatched(space, address)) {
            races.read(warp, lane, at, bytes, true);
            races.write(warp, lane, at, bytes, true);
        }
        return where;
    }

    /** Finds bytes in any space; returns the shared memory that they lie in, or null. */
    SharedMemory locate(Space space, long address, int lane, int bytes) {
        if (space == Space.GENERIC) {
            Space found = Window.space(address);
            return locate(found, address - Window.of(found), lane, bytes);
        }
        switch (space) {
            case GLOBAL -> {
                global(address, lane, bytes);
                return null;
            }
            case SHARED, SHARED_CTA, SHARED_CLUSTER -> {
                return shared(space, address, lane, bytes);
            }
            case LOCAL -> within(space, warp.local.length == 0 ? null : warp.local[lane], address, lane, bytes);
            case PARAM -> within(space, warp.cta.grid.parameters, address, lane, bytes);
            case CONST -> within(space, warp.program.constBank(), address, lane, bytes);
            case REG, GENERIC -> throw new IllegalStateException("no memory: " + space);
        }
        return null;
    }

    private void global(long address, int lane, int bytes) {
        if ((address & bytes - 1) != 0 && Integer.bitCount(bytes) == 1) {
            throw warp.fault(
                    Kind.MISALIGNED,
                    lane,
                    "global address " + DeviceMemory.hex(address) + " is no multiple of " + bytes);
        }
        if (recent == null || !recent.holds(address, bytes)) {
            recent = warp.cta.grid.memory.find(address, bytes);
            if (recent == null) throw outside(address, lane, bytes);
            races = warp.cta.races(recent);
        }
        store = recent.store;
        at = (int) (address - recent.base);
    }

    private SimFault outside(long address, int lane, int bytes) {
        Space s = Window.space(address);
        String what = bytes + " bytes at global address " + DeviceMemory.hex(address);
        if (s != Space.GLOBAL) return warp.fault(Kind.WRONG_SPACE, lane, what + " lie in " + s + " memory");
        if (address >= 0 && address < 1 << 24 && address >= Window.SHARED_FIRST) {
            return warp.fault(Kind.WRONG_SPACE, lane, what + ": this is an address within shared memory");
        }
        return warp.fault(Kind.OUT_OF_BOUNDS, lane, what + " are " + warp.cta.grid.memory.describe(address));
    }

    /** The shared memory, and in {@link #at} the place in it, of an address within shared memory. */
    SharedMemory shared(Space space, long address, int lane, int bytes) {
        if (address >>> 32 != 0) {
            String what = "address " + DeviceMemory.hex(address) + " is not within shared memory";
            throw warp.fault(Kind.WRONG_SPACE, lane, what + (address >= DeviceMemory.FIRST ? ", but global" : ""));
        }
        int rank = (int) (address >>> Window.RANK_SHIFT);
        Cta cta = warp.cta;
        // The address of a CTA's own variable has rank 0, whatever the CTA's rank; mapa makes those of others.
        if (rank != 0 || space == Space.SHARED_CLUSTER) {
            cta = rank == 0 ? warp.cta : warp.cta.cluster.cta(rank - 1);
            if (cta == null)
                throw warp.fault(
                        Kind.OUT_OF_BOUNDS,
                        lane,
                        "shared address " + DeviceMemory.hex(address) + " is of no CTA of the cluster");
            if (cta != warp.cta && space != Space.SHARED_CLUSTER && space != Space.SHARED) {
                throw warp.fault(
                        Kind.WRONG_SPACE, lane, "shared address " + DeviceMemory.hex(address) + " is of another CTA");
            }
        }
        at = (int) (address & Window.OFFSET_MASK);
        cta.shared.check(warp, lane, at, bytes);
        store = cta.shared.store;
        return cta.shared;
    }

    private void within(Space space, Store s, long address, int lane, int bytes) {
        if (s == null || address < 0 || address + bytes > s.data.length) {
            if (address >= DeviceMemory.FIRST || (address >>> 32 != 0 && Window.space(address) != Space.GLOBAL)) {
                throw warp.fault(
                        Kind.WRONG_SPACE,
                        lane,
                        "address " + DeviceMemory.hex(address) + " is not within " + space + " memory");
            }
            throw warp.fault(
                    Kind.OUT_OF_BOUNDS,
                    lane,
                    bytes + " bytes at address " + address + " of " + space + " memory, which has "
                            + (s == null ? 0 : s.data.length));
        }
        if ((address & bytes - 1) != 0 && Integer.bitCount(bytes) == 1) {
            throw warp.fault(Kind.MISALIGNED, lane, space + " address " + address + " is no multiple of " + bytes);
        }
        store = s;
        at = (int) address;
    }
}
