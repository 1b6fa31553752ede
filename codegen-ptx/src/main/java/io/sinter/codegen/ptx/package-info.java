// SPDX-License-Identifier: Apache-2.0

/**
 * Loop IR to PTX text for NVIDIA GPUs, and the simulator that runs PTX without a GPU. Not written yet: this module holds the place
 * in the order of dependencies (runtime → codegen-ptx → ir), and no device offers CUDA until it is.
 */
package io.sinter.codegen.ptx;
