// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** {@code while (condition) body}. */
record While(Code condition, Code body) implements Code {
    @Override
    public Type type() {
        return Type.VOID_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        Label head = new Label();
        Label end = new Label();
        mv.visitLabel(head);
        condition.emitJump(mv, false, end);
        body.emit(mv);
        mv.visitJumpInsn(Opcodes.GOTO, head);
        mv.visitLabel(end);
    }

    @Override
    public String toString() {
        return "while " + condition + " {\n" + body.toString().indent(2) + "}";
    }
}
