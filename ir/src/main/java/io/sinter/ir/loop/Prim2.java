// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

/** Two-operand primitives that a generator must implement. */
public enum Prim2 {
    ADD,
    SUB,
    MUL,
    /** Floats: IEEE. Integers: truncating; by zero gives 0 and never traps; MIN / -1 wraps. */
    DIV,
    /** Sign of the dividend (C's fmod for floats, truncating remainder for integers; by zero gives 0 for integers). */
    REM,
    /** NaN if either is NaN; -0 &lt; +0. Bool: or for MAX, and for MIN. */
    MAX,
    MIN,
    /** Floats: C's pow. Integers: by squaring, wrapping; negative exponent gives 0 unless the base is 1 or -1. */
    POW,
    ATAN2,
    /** Integers bitwise, bool logical. */
    AND,
    OR,
    XOR,
    /** Integers; shift counts at or above the width give 0 (SHL) or the sign (SHR, arithmetic); negative counts likewise. */
    SHL,
    SHR,
    /** Logical (unsigned) right shift of an integer. */
    USHR,
    /** High 32 bits of the unsigned 32x32-bit product, i32 only (Philox). */
    UMULHI,
    /** Comparisons: IEEE for floats (NE is true on NaN, the others false), signed for integers; EQ, NE, LT … also on bool (false &lt; true). */
    EQ,
    NE,
    LT,
    LE,
    GT,
    GE;

    public boolean isComparison() {
        return ordinal() >= EQ.ordinal();
    }
}
