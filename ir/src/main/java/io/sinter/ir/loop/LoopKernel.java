// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.List;

/** A nest of loops with scalar code: fused elementwise, row and column kernels, scans, gathers and scatters. */
public record LoopKernel(String name, List<Var> grid, List<Buf> buffers, int slots, long scratchBytes, List<Stmt> body)
        implements Kernel {}
