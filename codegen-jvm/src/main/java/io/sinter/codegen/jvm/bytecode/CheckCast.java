// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** A checked reference cast. */
record CheckCast(Type to, Code a) implements Code {
    @Override
    public Type type() {
        return to;
    }

    @Override
    public void emit(MethodVisitor mv) {
        a.emit(mv);
        mv.visitTypeInsn(Opcodes.CHECKCAST, to.getInternalName());
    }

    @Override
    public String toString() {
        return "((" + Invoke.simpleName(to) + ") " + a + ")";
    }
}
