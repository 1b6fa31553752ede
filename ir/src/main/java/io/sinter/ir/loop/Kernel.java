// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.List;

/**
 * Code for one launch: independent tasks over the grid. The form that both generators take.
 *
 * <p>ABI: a kernel is called with the address of a parameter block of 8-byte slots (addresses of buffers, integers, raw bits of scalars), a
 * range of tasks, and the address of scratch memory of {@link #scratchBytes} for the calling worker. The flat task number is
 * row-major over the extents of {@link #grid}. Tasks may run in any order, on any thread. Slot 0 holds the address of the program's error
 * record: four i64 words (state, site, value, bound); the first failing {@link Expr.Checked} sets them.
 */
public sealed interface Kernel permits LoopKernel, GemmKernel, AttentionKernel {
    /** Short descriptive name, for dumps and class names: {@code relu_add}, {@code softmax}. */
    String name();

    /** The grid's variables, outermost first; their extents multiply to the number of tasks. */
    List<Var> grid();

    /** Every buffer that the kernel touches. */
    List<Buf> buffers();

    /** Number of 8-byte slots of the parameter block. */
    int slots();

    /** Bytes of scratch that one task needs. */
    long scratchBytes();
}
