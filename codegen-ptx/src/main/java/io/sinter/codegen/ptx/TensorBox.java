// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.PtxType;
import java.util.List;

/**
 * A tensor in global memory and the box of it that one copy moves: what {@code cuTensorMapEncodeTiled} makes a tensor map of, without interleave, with zeros
 * beyond the edges, and chunks of 16 bytes exchanged within 128.
 *
 * @param type of the elements
 * @param address of the first element, a multiple of 16
 * @param extents the innermost dimension first
 * @param strides in bytes, multiples of 16, of every dimension but the innermost
 * @param box extents of what a copy moves
 */
public record TensorBox(PtxType type, long address, List<Long> extents, List<Long> strides, List<Integer> box) {
    /** Bytes of a map in a kernel's parameters, and what its address is a multiple of. */
    public static final int MAP_BYTES = 128;

    public static final int MAP_ALIGNMENT = 64;

    /** Bytes within which chunks are exchanged. */
    public static final int SWIZZLE_BYTES = 128;

    public TensorBox {
        extents = List.copyOf(extents);
        strides = List.copyOf(strides);
        box = List.copyOf(box);
    }
}
