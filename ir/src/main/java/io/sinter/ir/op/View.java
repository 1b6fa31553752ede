// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

/** Pure maps of positions: one operand, no arithmetic. */
public sealed interface View extends Op permits Reshape, Permute, Expand, Slice, Window, Pad {}
