// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * A local variable or parameter of a method; as code, its value. Made by {@link MethodBuilder}; identity is
 * the variable's.
 */
public final class LocalVar implements Code {
    private final String name;
    private final Type type;
    private final int slot;

    LocalVar(String name, Type type, int slot) {
        this.name = name;
        this.type = type;
        this.slot = slot;
    }

    public String name() {
        return name;
    }

    int slot() {
        return slot;
    }

    @Override
    public Type type() {
        return type;
    }

    @Override
    public void emit(MethodVisitor mv) {
        mv.visitVarInsn(type.getOpcode(Opcodes.ILOAD), slot);
    }

    @Override
    public boolean isTrivial() {
        return true;
    }

    /** {@code this = value}. */
    public Code set(Code value) {
        return new Assign(this, value);
    }

    /** {@code this += step} of an int variable. */
    public Code increment(int step) {
        return new Increment(this, step);
    }

    @Override
    public String toString() {
        return name + slot;
    }
}
