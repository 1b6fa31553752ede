// SPDX-License-Identifier: Apache-2.0

/**
 * The PTX language as immutable data: types, state spaces, operands, instructions (one small record for each family), kernels and
 * modules, with a printer, a parser, and a builder for generators. What the parser reads prints back to the same program:
 * {@code parse(print(m))} equals {@code m}. After "Parallel Thread Execution ISA", NVIDIA.
 */
package io.sinter.codegen.ptx.lang;
