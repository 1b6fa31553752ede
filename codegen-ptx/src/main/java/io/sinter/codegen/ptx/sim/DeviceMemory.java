// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;

/**
 * The global memory of a simulated device, as a driver offers it: allocations by 64-bit address, between which lies memory that belongs
 * to nobody. Addresses are never used again, so that what was freed is known as such. Not for several threads at once.
 */
public final class DeviceMemory {
    /** One allocation. */
    static final class Allocation {
        final long base;
        final String name;
        /** That may be used: all, or what {@link #renew} has left. */
        int bytes;

        Store store;

        Allocation(long base, int bytes, String name) {
            this.base = base;
            this.bytes = bytes;
            this.name = name;
            store = new Store(bytes);
        }

        boolean holds(long address, long size) {
            long at = address - base;
            return at >= 0 && at + size <= bytes && store != null;
        }
    }

    static final long FIRST = 0x7f00_0000_0000L;
    private static final long RED_ZONE = 64 * 1024;
    private static final long ALIGNMENT = 512;

    private final TreeMap<Long, Allocation> allocations = new TreeMap<>();
    private long next = FIRST;
    private long used;

    /**
     * Allocates memory, which holds nothing that could be read, at a multiple of 512.
     *
     * @param bytes at most 2³¹ − 64; zero gives an address that nothing can be read at
     */
    public long allocate(long bytes) {
        return allocate(bytes, "");
    }

    long allocate(long bytes, String name) {
        if (bytes < 0 || bytes > Integer.MAX_VALUE - 63)
            throw new IllegalArgumentException("allocation of " + bytes + " bytes");
        Allocation a = new Allocation(next, (int) bytes, name);
        allocations.put(next, a);
        next += (bytes + RED_ZONE + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        used += bytes;
        return a.base;
    }

    /**
     * Frees an allocation.
     *
     * @throws IllegalArgumentException if none begins at this address
     */
    public void free(long address) {
        Allocation a = allocations.get(address);
        if (a == null || a.store == null) throw new IllegalArgumentException("nothing to free at " + hex(address));
        used -= a.store.data.length;
        a.store = null;
    }

    /**
     * Makes an allocation new, as if it had just been made: its first {@code bytes} bytes may be used, and nothing is in them.
     *
     * @throws IllegalArgumentException if no allocation of at least this size begins at this address
     */
    public void renew(long address, long bytes) {
        Allocation a = allocations.get(address);
        if (a == null || a.store == null || bytes < 0 || bytes > a.store.data.length)
            throw new IllegalArgumentException("no allocation of " + bytes + " bytes at " + hex(address));
        a.bytes = (int) bytes;
        a.store.written.fill(0, a.store.data.length, false);
    }

    /** Bytes that are allocated. */
    public long used() {
        return used;
    }

    /** Copies from the host; source and target have one size. */
    public void copyIn(long address, MemorySegment source) {
        int n = Math.toIntExact(source.byteSize());
        Allocation a = require(address, n);
        int at = (int) (address - a.base);
        MemorySegment.copy(source, ValueLayout.JAVA_BYTE, 0, a.store.data, at, n);
        a.store.written.fill(at, n, true);
    }

    /** Copies to the host, what was never written too. */
    public void copyOut(long address, MemorySegment target) {
        int n = Math.toIntExact(target.byteSize());
        Allocation a = require(address, n);
        MemorySegment.copy(a.store.data, (int) (address - a.base), target, ValueLayout.JAVA_BYTE, 0, n);
    }

    /** Copies within the device; the ranges may overlap. What was never written stays so. */
    public void copy(long target, long source, long bytes) {
        int n = Math.toIntExact(bytes);
        Allocation from = require(source, n);
        Allocation to = require(target, n);
        int s = (int) (source - from.base);
        int t = (int) (target - to.base);
        System.arraycopy(from.store.data, s, to.store.data, t, n);
        boolean[] written = new boolean[n];
        for (int i = 0; i < n; i++) written[i] = from.store.written.get(s + i);
        for (int i = 0; i < n; i++) to.store.written.put(t + i, 1, written[i]);
    }

    /** Fills with a byte. */
    public void fill(long address, byte value, long bytes) {
        int n = Math.toIntExact(bytes);
        Allocation a = require(address, n);
        int at = (int) (address - a.base);
        java.util.Arrays.fill(a.store.data, at, at + n, value);
        a.store.written.fill(at, n, true);
    }

    /** Copies of allocations' contents, by their addresses. */
    public static final class Contents {
        private final Map<Long, Store> stores = new TreeMap<>();

        private Contents() {}

        /** Whether the same allocations hold the same, where they have been written at all. */
        public boolean isLike(Contents other) {
            return stores.keySet().equals(other.stores.keySet())
                    && stores.entrySet().stream().allMatch(e -> e.getValue().isLike(other.stores.get(e.getKey())));
        }
    }

    /** What all live allocations hold now. */
    public Contents contents() {
        Contents all = new Contents();
        allocations.forEach((base, a) -> {
            if (a.store != null) all.stores.put(base, a.store.copy());
        });
        return all;
    }

    /** What those allocations hold now that held something else when {@code before} was taken; none was made or freed since. */
    public Contents changesSince(Contents before) {
        Contents changed = new Contents();
        before.stores.forEach((base, was) -> {
            Store is = allocations.get(base).store;
            if (!is.isLike(was)) changed.stores.put(base, is.copy());
        });
        return changed;
    }

    /** Makes allocations hold what they have held before. */
    public void restore(Contents changes) {
        changes.stores.forEach((base, s) -> allocations.get(base).store = s.copy());
    }

    private Allocation require(long address, long bytes) {
        Allocation a = find(address, bytes);
        if (a == null)
            throw new IllegalArgumentException(bytes + " bytes at " + hex(address) + " are " + describe(address));
        return a;
    }

    /** The live allocation that holds a range; null if there is none. */
    Allocation find(long address, long bytes) {
        Map.Entry<Long, Allocation> e = allocations.floorEntry(address);
        return e != null && e.getValue().holds(address, bytes) ? e.getValue() : null;
    }

    /** Where an address lies, for messages. */
    String describe(long address) {
        Map.Entry<Long, Allocation> e = allocations.floorEntry(address);
        if (e == null) return "below every allocation";
        Allocation a = e.getValue();
        String what = (a.name.isEmpty() ? "the allocation" : "variable " + a.name) + " of " + a.bytes + " bytes at "
                + hex(a.base);
        long past = address - a.base - a.bytes;
        String where =
                past >= 0 ? past + " bytes past the end of " + what : "at byte " + (address - a.base) + " of " + what;
        return a.store == null ? where + ", which has been freed" : where;
    }

    static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
