// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** {@code if (condition) body else otherwise}; {@code otherwise} may be null. */
record If(Code condition, Code body, Code otherwise) implements Code {
    @Override
    public Type type() {
        return Type.VOID_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        Label no = new Label();
        condition.emitJump(mv, false, no);
        body.emit(mv);
        if (otherwise == null) {
            mv.visitLabel(no);
        } else {
            Label end = new Label();
            mv.visitJumpInsn(Opcodes.GOTO, end);
            mv.visitLabel(no);
            otherwise.emit(mv);
            mv.visitLabel(end);
        }
    }

    @Override
    public String toString() {
        String s = "if " + condition + " {\n" + body.toString().indent(2) + "}";
        return otherwise == null ? s : s + " else {\n" + otherwise.toString().indent(2) + "}";
    }
}
