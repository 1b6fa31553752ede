// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Kernel;
import java.util.List;

/**
 * A kernel as PTX. Its parameters are the address of its first parameter block, the distance in bytes from each block to the next, and the address
 * of scratch memory; CTAs at y work on block y.
 *
 * @param code the entry
 * @param listing the loop IR that the code's {@code .loc} lines point into
 * @param rule how it is to be launched
 * @param next what is to be launched right after it, with the same parameters; null for nothing
 * @param tensors of which maps follow as further parameters: each {@link TensorBox#MAP_BYTES} at a multiple of {@link TensorBox#MAP_ALIGNMENT}; a launch of
 *     such a kernel works on one parameter block
 */
public record PtxKernel(Kernel code, String listing, LaunchRule rule, PtxKernel next, List<TensorRule> tensors) {
    public PtxKernel {
        tensors = List.copyOf(tensors);
    }

    public PtxKernel(Kernel code, String listing, LaunchRule rule) {
        this(code, listing, rule, null, List.of());
    }

    public String name() {
        return code.name();
    }
}
