// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

import io.sinter.codegen.ptx.lang.Space;

/**
 * Where the state spaces lie among generic addresses: each but the global one has a window, in which the low bits are the address within
 * the space. An address within shared memory has 24 bits; above them, mapa puts the number of the CTA in its cluster plus one.
 */
final class Window {
    static final long SHARED = 0x7e00_0000_0000L;
    static final long LOCAL = 0x7d00_0000_0000L;
    static final long CONST = 0x7c00_0000_0000L;
    static final long PARAM = 0x7b00_0000_0000L;
    private static final long SIZE = 1L << 32;

    /** Address of the first byte of shared memory: 0 is nobody's. */
    static final int SHARED_FIRST = 1024;

    static final int RANK_SHIFT = 24;
    static final int OFFSET_MASK = (1 << RANK_SHIFT) - 1;

    private Window() {}

    /** The beginning of a space's window; 0 for global memory. */
    static long of(Space space) {
        return switch (space) {
            case SHARED, SHARED_CTA, SHARED_CLUSTER -> SHARED;
            case LOCAL -> LOCAL;
            case CONST -> CONST;
            case PARAM -> PARAM;
            case GLOBAL, GENERIC -> 0;
            case REG -> throw new IllegalArgumentException("registers have no address");
        };
    }

    /** The space of a generic address. */
    static Space space(long address) {
        if (inside(address, SHARED)) return Space.SHARED;
        if (inside(address, LOCAL)) return Space.LOCAL;
        if (inside(address, CONST)) return Space.CONST;
        if (inside(address, PARAM)) return Space.PARAM;
        return Space.GLOBAL;
    }

    static boolean inside(long address, long window) {
        return address >= window && address - window < SIZE;
    }
}
