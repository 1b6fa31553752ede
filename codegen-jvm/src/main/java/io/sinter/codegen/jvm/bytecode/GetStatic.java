// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** A static field's value. Fields used here are final, so reading one is free. */
record GetStatic(Type owner, String name, Type type) implements Code {
    @Override
    public void emit(MethodVisitor mv) {
        mv.visitFieldInsn(Opcodes.GETSTATIC, owner.getInternalName(), name, type.getDescriptor());
    }

    @Override
    public boolean isTrivial() {
        return true;
    }

    @Override
    public String toString() {
        return Invoke.simpleName(owner) + "." + name;
    }
}
