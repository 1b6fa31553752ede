// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

/** Where an {@link Allocator} gets its blocks from: the system's memory, or a device's. Blocks are 64-byte aligned. */
interface MemorySource {
    /** The address of a fresh block, or 0 if there is none of this size. */
    long map(long bytes);

    /** Gives back a block that {@link #map} returned, with the size that was asked for. */
    void unmap(long address, long bytes);
}
