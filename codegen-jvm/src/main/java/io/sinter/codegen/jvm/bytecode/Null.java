// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** The null reference, as a value of a type. */
record Null(Type type) implements Code {
    @Override
    public void emit(MethodVisitor mv) {
        mv.visitInsn(Opcodes.ACONST_NULL);
    }

    @Override
    public boolean isTrivial() {
        return true;
    }

    @Override
    public String toString() {
        return "null";
    }
}
