// SPDX-License-Identifier: Apache-2.0

/**
 * Loop IR to PTX for NVIDIA GPUs. {@link io.sinter.codegen.ptx.PtxCodegen} is the way in; the language itself is in
 * {@link io.sinter.codegen.ptx.lang}, and a simulator that runs it without a GPU in {@link io.sinter.codegen.ptx.sim}.
 */
package io.sinter.codegen.ptx;
