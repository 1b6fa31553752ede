// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Type;

/** {@code variable += step} of an int. */
record Increment(LocalVar variable, int step) implements Code {
    @Override
    public Type type() {
        return Type.VOID_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        mv.visitIincInsn(variable.slot(), step);
    }

    @Override
    public String toString() {
        return variable + " += " + step;
    }
}
