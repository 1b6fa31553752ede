// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** {@code variable = value}. */
record Assign(LocalVar variable, Code value) implements Code {
    Assign {
        if (!variable.type().equals(value.type())) {
            throw new IllegalArgumentException(
                    "cannot assign " + value.type() + " to " + variable.type() + " " + variable + ": " + value);
        }
    }

    @Override
    public Type type() {
        return Type.VOID_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        value.emit(mv);
        mv.visitVarInsn(variable.type().getOpcode(Opcodes.ISTORE), variable.slot());
    }

    @Override
    public String toString() {
        return variable + " = " + value;
    }
}
