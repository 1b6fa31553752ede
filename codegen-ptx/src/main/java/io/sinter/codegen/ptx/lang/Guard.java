// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

/** The predicate under which a thread performs an instruction: {@code @%p1} or {@code @!%p1}. */
public record Guard(Operand.Reg predicate, boolean negated) {
    public static Guard when(Operand.Reg predicate) {
        return new Guard(predicate, false);
    }

    public static Guard unless(Operand.Reg predicate) {
        return new Guard(predicate, true);
    }

    @Override
    public String toString() {
        return (negated ? "@!" : "@") + predicate;
    }
}
