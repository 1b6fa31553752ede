// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

/**
 * An integer of a kernel that comes from extents and strides. Lowering computes with concrete numbers, so that index expressions simplify;
 * then {@link Parameterize} replaces every number but 0 and 1 by a slot of the parameter block: one piece of code serves every batch size.
 */
public sealed interface Coef {
    /** A number that is part of the code. */
    record Lit(long value) implements Coef {
        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    /** The 8-byte integer at slot {@code slot} of the kernel's parameter block. */
    record Slot(int slot) implements Coef {
        @Override
        public String toString() {
            return "$" + slot;
        }
    }

    static Coef of(long value) {
        return new Lit(value);
    }

    /** The number, if it is known while generating code. */
    default boolean is(long value) {
        return this instanceof Lit l && l.value == value;
    }

    /** The number of a literal. */
    default long lit() {
        if (this instanceof Lit l) return l.value;
        throw new IllegalStateException("extent " + this + " is a parameter, not a number");
    }
}
