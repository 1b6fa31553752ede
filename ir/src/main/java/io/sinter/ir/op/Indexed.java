// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

/** Operators whose element positions come from data. Negative indices wrap; all are checked. */
public sealed interface Indexed extends Op permits Take, Put, Gather, Scatter, CheckIndex {}
