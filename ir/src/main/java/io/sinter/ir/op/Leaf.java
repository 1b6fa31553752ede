// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

/** Operators that make values out of nothing but attributes (and, for random bits, a key). */
public sealed interface Leaf extends Op permits Input, Constant, Iota, RandomBits {}
