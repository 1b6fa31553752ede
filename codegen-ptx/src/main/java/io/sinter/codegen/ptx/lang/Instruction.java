// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;
import java.util.stream.Collectors;

/**
 * One PTX instruction without its guard. Each family of opcodes is one record, whose components are the modifiers and operands in the
 * order of PTX; a result comes first.
 */
public sealed interface Instruction
        permits Arithmetic,
                Bitwise,
                Comparison,
                Movement,
                Memory,
                WarpOp,
                Synchronization,
                AsyncCopy,
                Mbarrier,
                Matrix,
                Control {
    /** The opcode with all its modifiers, such as {@code ld.global.v4.f32}. */
    String opcode();

    /** The operands in the order in which they are written. */
    List<Operand> operands();

    /** The text without guard and semicolon. */
    default String text() {
        List<Operand> o = operands();
        return o.isEmpty()
                ? opcode()
                : o.stream().map(Object::toString).collect(Collectors.joining(", ", opcode() + " ", ""));
    }

    /** {@code .modifier} if {@code present}, else nothing. */
    static String flag(boolean present, String modifier) {
        return present ? "." + modifier : "";
    }
}
