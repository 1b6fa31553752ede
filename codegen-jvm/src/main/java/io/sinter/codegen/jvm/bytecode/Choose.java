// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** {@code cond ? a : b}. */
record Choose(Code cond, Code a, Code b) implements Code {
    Choose {
        if (!a.type().equals(b.type())) throw new IllegalArgumentException("? : of " + a.type() + " and " + b.type());
    }

    @Override
    public Type type() {
        return a.type();
    }

    @Override
    public void emit(MethodVisitor mv) {
        Label otherwise = new Label();
        Label end = new Label();
        cond.emitJump(mv, false, otherwise);
        a.emit(mv);
        mv.visitJumpInsn(Opcodes.GOTO, end);
        mv.visitLabel(otherwise);
        b.emit(mv);
        mv.visitLabel(end);
    }

    @Override
    public String toString() {
        return "(" + cond + " ? " + a + " : " + b + ")";
    }
}
