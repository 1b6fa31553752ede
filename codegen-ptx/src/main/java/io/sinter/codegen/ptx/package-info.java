// SPDX-License-Identifier: Apache-2.0

/**
 * Loop IR to PTX text for NVIDIA GPUs. The language itself is in {@link io.sinter.codegen.ptx.lang}; the generator is not written yet,
 * and no device offers CUDA until it is.
 */
package io.sinter.codegen.ptx;
