// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.Arrays;
import java.util.List;

/**
 * A variable in a state space, or a kernel's parameter.
 *
 * @param linkage visible outside, defined elsewhere (as dynamic shared memory is), or neither
 * @param align alignment in bytes; 0: that of the type
 * @param count number of elements; 1 and {@code array} false for a scalar, −1 for an array of unknown size
 * @param initial the first elements' values as constants or symbols; the rest is zero
 * @param pointer for a parameter that is a pointer: what it points to, as written after {@code .ptr}; else null
 */
public record Variable(
        Linkage linkage,
        Space space,
        int align,
        PtxType type,
        String name,
        boolean array,
        long count,
        List<Operand> initial,
        Pointer pointer) {
    /** Who may see a name. */
    public enum Linkage {
        NONE,
        VISIBLE,
        EXTERN,
        WEAK
    }

    /** What a parameter points to. */
    public record Pointer(Space space, int align) {}

    public Variable {
        initial = List.copyOf(initial);
    }

    /** An array in shared memory. */
    public static Variable shared(String name, int align, long bytes) {
        return new Variable(Linkage.NONE, Space.SHARED, align, PtxType.B8, name, true, bytes, List.of(), null);
    }

    /** The shared memory whose size the launch gives; declared in the module. */
    public static Variable dynamicShared(String name, int align) {
        return new Variable(Linkage.EXTERN, Space.SHARED, align, PtxType.B8, name, true, -1, List.of(), null);
    }

    /** A scalar parameter. */
    public static Variable parameter(PtxType type, String name) {
        return new Variable(Linkage.NONE, Space.PARAM, 0, type, name, false, 1, List.of(), null);
    }

    /** An array of a module, in constant or global memory, with its bytes. */
    public static Variable bytes(Space space, int align, String name, byte[] value) {
        Operand[] initial = new Operand[value.length];
        Arrays.setAll(initial, i -> new Operand.Int(value[i] & 0xff));
        return new Variable(Linkage.NONE, space, align, PtxType.B8, name, true, value.length, List.of(initial), null);
    }

    /** Alignment in bytes. */
    public int alignment() {
        return align == 0 ? type.bytes() : align;
    }

    /** Size in bytes; −1 if unknown. */
    public long bytes() {
        return count < 0 ? -1 : count * type.bytes();
    }
}
