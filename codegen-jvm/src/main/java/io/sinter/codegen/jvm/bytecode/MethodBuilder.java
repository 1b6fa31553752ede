// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** One method under construction: parameters first, then locals as they are needed, and a body. */
public final class MethodBuilder {
    private final ClassBuilder owner;
    private final int access;
    private final String name;
    private final Type result;
    private final List<LocalVar> parameters = new ArrayList<>();
    private final Block body = new Block();
    private int nextSlot;
    private boolean localsBegun;
    private Label start;
    private Label end;

    MethodBuilder(ClassBuilder owner, int access, String name, Type result) {
        this.owner = owner;
        this.access = access;
        this.name = name;
        this.result = result;
        this.nextSlot = (access & Opcodes.ACC_STATIC) != 0 ? 0 : 1;
    }

    public String name() {
        return name;
    }

    public ClassBuilder owner() {
        return owner;
    }

    /** Adds a parameter; only before the first local. */
    public LocalVar parameter(String name, Type type) {
        if (localsBegun) throw new IllegalStateException("parameter " + name + " after a local");
        LocalVar v = variable(name, type);
        parameters.add(v);
        return v;
    }

    /** Adds a local variable. It has no value before it is assigned. */
    public LocalVar local(String name, Type type) {
        localsBegun = true;
        return variable(name, type);
    }

    private LocalVar variable(String name, Type type) {
        LocalVar v = new LocalVar(name, type, nextSlot);
        nextSlot += type.getSize();
        return v;
    }

    public Block body() {
        return body;
    }

    public Type descriptor() {
        return Type.getMethodType(
                result, parameters.stream().map(LocalVar::type).toArray(Type[]::new));
    }

    /** A call of this (static) method. */
    public Code call(List<Code> args) {
        return Code.call(
                owner.type(), name, result, List.of(descriptor().getArgumentTypes()), args.toArray(Code[]::new));
    }

    void emit(ClassVisitor cv) {
        if (nextSlot > 60_000) throw new IllegalStateException(name + ": too many locals");
        MethodVisitor mv = cv.visitMethod(access, name, descriptor().getDescriptor(), null, null);
        mv.visitCode();
        start = new Label();
        end = new Label();
        mv.visitLabel(start);
        body.emit(mv);
        if (result == Type.VOID_TYPE) mv.visitInsn(Opcodes.RETURN);
        mv.visitLabel(end);
        mv.visitMaxs(0, 0);
        mv.visitEnd();
    }

    /** Bytes of bytecode, once the class has been written. */
    int codeSize() {
        return end.getOffset() - start.getOffset();
    }

    @Override
    public String toString() {
        return result.getClassName() + " " + name + parameters + " {\n"
                + body.toString().indent(2) + "}";
    }
}
