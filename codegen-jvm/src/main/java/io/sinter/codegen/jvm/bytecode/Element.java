// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** An element of an array of longs. */
record Element(Code array, int index) implements Code {
    @Override
    public Type type() {
        return Type.LONG_TYPE;
    }

    @Override
    public void emit(MethodVisitor mv) {
        array.emit(mv);
        Code.constant(index).emit(mv);
        mv.visitInsn(Opcodes.LALOAD);
    }

    @Override
    public String toString() {
        return array + "[" + index + "]";
    }
}
