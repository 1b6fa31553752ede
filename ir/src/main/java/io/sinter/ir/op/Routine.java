// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

/**
 * An operator that devices run by a routine of their own instead of generated code: one dense operand, two
 * dense results (values, and their i64 positions in the operand).
 */
public sealed interface Routine extends Op permits Sort, TopK, MaxPool {}
