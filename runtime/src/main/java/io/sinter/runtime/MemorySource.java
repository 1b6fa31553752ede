// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.foreign.MemorySegment;

/** Where an {@link Allocator} gets its blocks from: the system's memory, or a device's. Blocks are 64-byte aligned. */
interface MemorySource {
    /** The address of a fresh block, or 0 if there is none of this size. */
    long map(long bytes);

    /** Gives back a block that {@link #map} returned, with the size that was asked for. */
    void unmap(long address, long bytes);

    /** A block, fresh or used before, gets a new owner, who finds nothing in it and uses its first {@code bytes} bytes. */
    default void handOut(long address, long bytes) {}

    /** Throws what makes the results of a run (see {@link Buffer#madeBy}) unusable; by default nothing does. */
    default void check(long run) {}

    /** Copies out of blocks; by default they are host memory. */
    default void read(long address, MemorySegment target) {
        MemorySegment.copy(Memory.ALL, address, target, 0, target.byteSize());
    }

    /** Copies into blocks; by default they are host memory. */
    default void write(long address, MemorySegment source) {
        MemorySegment.copy(source, 0, Memory.ALL, address, source.byteSize());
    }
}
