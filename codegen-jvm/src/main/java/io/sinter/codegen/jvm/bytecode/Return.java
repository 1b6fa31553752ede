// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** Returns a value, or nothing if it is null. */
record Return(Code value) implements Code {
    @Override
    public Type type() {
        return Type.VOID_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        if (value == null) {
            mv.visitInsn(Opcodes.RETURN);
        } else {
            value.emit(mv);
            mv.visitInsn(value.type().getOpcode(Opcodes.IRETURN));
        }
    }

    @Override
    public String toString() {
        return value == null ? "return" : "return " + value;
    }
}
