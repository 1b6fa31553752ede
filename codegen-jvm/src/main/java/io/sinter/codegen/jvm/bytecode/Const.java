// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** A constant: Integer (also for boolean), Long, Float, Double or String. */
record Const(Type type, Object value) implements Code {
    @Override
    public void emit(MethodVisitor mv) {
        switch (value) {
            case Integer i when i >= -1 && i <= 5 -> mv.visitInsn(Opcodes.ICONST_0 + i);
            case Integer i when i == i.byteValue() -> mv.visitIntInsn(Opcodes.BIPUSH, i);
            case Integer i when i == i.shortValue() -> mv.visitIntInsn(Opcodes.SIPUSH, i);
            case Long l when l == 0 || l == 1 -> mv.visitInsn(l == 0 ? Opcodes.LCONST_0 : Opcodes.LCONST_1);
            case Float f when Float.floatToRawIntBits(f) == 0 -> mv.visitInsn(Opcodes.FCONST_0);
            case Double d when Double.doubleToRawLongBits(d) == 0 -> mv.visitInsn(Opcodes.DCONST_0);
            default -> mv.visitLdcInsn(value);
        }
    }

    @Override
    public boolean isTrivial() {
        return true;
    }

    @Override
    public String toString() {
        if (type == Type.BOOLEAN_TYPE) return value.equals(1) ? "true" : "false";
        return value instanceof String s
                ? '"' + s + '"'
                : value + (value instanceof Long ? "L" : value instanceof Float ? "f" : "");
    }
}
