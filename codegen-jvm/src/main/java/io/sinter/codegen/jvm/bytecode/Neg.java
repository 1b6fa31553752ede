// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** {@code -a}. */
record Neg(Code a) implements Code {
    @Override
    public Type type() {
        return a.type();
    }

    @Override
    public void emit(MethodVisitor mv) {
        a.emit(mv);
        mv.visitInsn(a.type().getOpcode(Opcodes.INEG));
    }

    @Override
    public String toString() {
        return "-" + a;
    }
}
