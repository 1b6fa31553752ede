// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** Evaluates a value for its effect. */
record Drop(Code a) implements Code {
    @Override
    public Type type() {
        return Type.VOID_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        a.emit(mv);
        if (a.type().getSize() > 0) mv.visitInsn(a.type().getSize() == 2 ? Opcodes.POP2 : Opcodes.POP);
    }

    @Override
    public String toString() {
        return a.toString();
    }
}
