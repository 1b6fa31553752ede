// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.lang.foreign.MemorySegment;

/**
 * What Sinter asks of a GPU, as CUDA's driver offers it: memory by 64-bit address, modules of PTX text, launches. Calls are in order, as on one
 * stream; {@link #copyOut} waits for what was launched before it. Not for several threads at once.
 */
interface GpuDriver {
    /** An entry of a module that is loaded. */
    interface Function {
        String name();
    }

    /**
     * Memory that holds nothing yet, at a multiple of 256.
     *
     * @throws OutOfDeviceMemoryException if there is not so much
     */
    long allocate(long bytes);

    /** Gives back what {@link #allocate} gave. */
    void free(long address);

    /** Copies all of {@code source} to the device. */
    void copyIn(long address, MemorySegment source);

    /** Fills {@code target} from the device. */
    void copyOut(long address, MemorySegment target);

    /** Copies within the device. */
    void copy(long from, long to, long bytes);

    /** Assembles and loads PTX text with one entry of this name. */
    Function load(String ptx, String entry);

    /**
     * Launches a kernel whose parameters are 64 bits each.
     *
     * @param ctas in x and y
     * @param threads of a CTA in x and y
     */
    void launch(Function kernel, long[] ctas, int[] threads, long... parameters);
}
