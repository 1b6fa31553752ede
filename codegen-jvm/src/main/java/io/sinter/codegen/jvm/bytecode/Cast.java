// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * A primitive conversion, by Java's rules; to byte and short it keeps the low bits, sign-extended, as an int.
 */
record Cast(Type to, Code a) implements Code {
    @Override
    public Type type() {
        return to;
    }

    @Override
    public void emit(MethodVisitor mv) {
        a.emit(mv);
        int from = index(a.type());
        switch (to.getSort()) {
            case Type.BYTE -> mv.visitInsn(Opcodes.I2B);
            case Type.SHORT -> mv.visitInsn(Opcodes.I2S);
            case Type.INT, Type.LONG, Type.FLOAT, Type.DOUBLE -> {
                int to = index(this.to);
                // I2L I2F I2D, L2I L2F L2D, F2I F2L F2D, D2I D2L D2F are consecutive opcodes.
                if (from != to) mv.visitInsn(Opcodes.I2L + from * 3 + (to < from ? to : to - 1));
            }
            default -> throw new IllegalArgumentException("cast to " + to);
        }
    }

    private static int index(Type t) {
        return switch (t.getSort()) {
            case Type.BOOLEAN, Type.BYTE, Type.SHORT, Type.CHAR, Type.INT -> 0;
            case Type.LONG -> 1;
            case Type.FLOAT -> 2;
            case Type.DOUBLE -> 3;
            default -> throw new IllegalArgumentException("cast of " + t);
        };
    }

    @Override
    public String toString() {
        return "(" + to.getClassName() + ") " + a;
    }
}
