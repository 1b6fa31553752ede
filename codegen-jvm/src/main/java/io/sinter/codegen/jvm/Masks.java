// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import static io.sinter.codegen.jvm.Species.MASK;
import static io.sinter.codegen.jvm.Species.SPECIES;

import io.sinter.codegen.jvm.bytecode.Code;
import java.util.List;
import org.objectweb.asm.Type;

/** Code of operations on vector masks. */
public final class Masks {
    private Masks() {}

    static Code and(Code a, Code b) {
        return binary("and", a, b);
    }

    /** {@code a & b} where null stands for all true. */
    static Code andNullable(Code a, Code b) {
        return a == null ? b : b == null ? a : and(a, b);
    }

    static Code or(Code a, Code b) {
        return binary("or", a, b);
    }

    static Code xor(Code a, Code b) {
        return binary("xor", a, b);
    }

    /** {@code a & ~b}. */
    static Code andNot(Code a, Code b) {
        return binary("andNot", a, b);
    }

    static Code not(Code a) {
        return Code.callVirtual(MASK, "not", MASK, List.of(), a);
    }

    static Code eq(Code a, Code b) {
        return binary("eq", a, b);
    }

    static Code anyTrue(Code a) {
        return Code.callVirtual(MASK, "anyTrue", Type.BOOLEAN_TYPE, List.of(), a);
    }

    static Code allTrue(Code a) {
        return Code.callVirtual(MASK, "allTrue", Type.BOOLEAN_TYPE, List.of(), a);
    }

    /** Bit {@code l} is lane {@code l}. */
    static Code toLong(Code a) {
        return Code.callVirtual(MASK, "toLong", Type.LONG_TYPE, List.of(), a);
    }

    /** The mask whose lane {@code l} is bit {@code l}; bits beyond the lanes do not count. */
    static Code fromLong(Species s, Code bits) {
        return Code.call(MASK, "fromLong", MASK, List.of(SPECIES, Type.LONG_TYPE), s.code(), bits);
    }

    /** The mask for vectors of another element type with as many lanes. */
    static Code cast(Code a, Species to) {
        return Code.callVirtual(MASK, "cast", MASK, List.of(SPECIES), a, to.code());
    }

    /** All lanes {@code scalar} (a boolean). */
    static Code broadcast(Species s, Code scalar) {
        return Code.callInterface(SPECIES, "maskAll", MASK, List.of(Type.BOOLEAN_TYPE), s.code(), scalar);
    }

    private static Code binary(String method, Code a, Code b) {
        return Code.callVirtual(MASK, method, MASK, List.of(MASK), a, b);
    }
}
