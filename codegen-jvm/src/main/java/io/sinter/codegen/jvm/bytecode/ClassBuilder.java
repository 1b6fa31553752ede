// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import io.sinter.codegen.jvm.MethodTooLargeException;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** One class under construction: a superclass with a no-argument constructor, and methods. */
public final class ClassBuilder {
    /** HotSpot never compiles a method of more bytecode than this ({@code HugeMethodLimit}). */
    public static final int HUGE_METHOD = 8000;

    private final Type type;
    private final Type superclass;
    private final String sourceFile;
    private final List<MethodBuilder> methods = new ArrayList<>();

    /**
     * @param internalName name with slashes
     * @param superclass internal name of the superclass
     * @param sourceFile name for stack traces, or null
     */
    public ClassBuilder(String internalName, String superclass, String sourceFile) {
        this.type = Type.getObjectType(internalName);
        this.superclass = Type.getObjectType(superclass);
        this.sourceFile = sourceFile;
    }

    public Type type() {
        return type;
    }

    /** Adds a private static method. */
    public MethodBuilder staticMethod(String name, Type result) {
        return add(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC, name, result);
    }

    /** Adds a public instance method. Its receiver is in slot 0. */
    public MethodBuilder method(String name, Type result) {
        return add(Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL, name, result);
    }

    private MethodBuilder add(int access, String name, Type result) {
        MethodBuilder m = new MethodBuilder(this, access, name, result);
        methods.add(m);
        return m;
    }

    /**
     * The class file.
     *
     * @throws MethodTooLargeException if a method would be too large for HotSpot ever to compile it
     */
    public byte[] toBytes() {
        ClassWriter cw = new Writer();
        try {
            emit(cw);
            byte[] bytes = cw.toByteArray();
            for (MethodBuilder m : methods) {
                if (m.codeSize() > HUGE_METHOD) throw new MethodTooLargeException(m.name(), m.codeSize());
            }
            return bytes;
        } catch (org.objectweb.asm.MethodTooLargeException e) {
            throw new MethodTooLargeException(e.getMethodName(), e.getCodeSize());
        }
    }

    private void emit(ClassVisitor cv) {
        int access = Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER;
        cv.visit(Opcodes.V25, access, type.getInternalName(), null, superclass.getInternalName(), null);
        if (sourceFile != null) cv.visitSource(sourceFile, null);
        MethodVisitor init = cv.visitMethod(Opcodes.ACC_PUBLIC, "<init>", "()V", null, null);
        init.visitCode();
        init.visitVarInsn(Opcodes.ALOAD, 0);
        init.visitMethodInsn(Opcodes.INVOKESPECIAL, superclass.getInternalName(), "<init>", "()V", false);
        init.visitInsn(Opcodes.RETURN);
        init.visitMaxs(0, 0);
        init.visitEnd();
        for (MethodBuilder m : methods) m.emit(cv);
        cv.visitEnd();
    }

    /** The code as text, for error messages. */
    @Override
    public String toString() {
        StringBuilder s = new StringBuilder("class " + type.getClassName() + "\n");
        for (MethodBuilder m : methods) s.append(m).append('\n');
        return s.toString();
    }

    /**
     * Computes stack frames without loading classes: values of different classes never meet but as objects.
     */
    private static final class Writer extends ClassWriter {
        Writer() {
            super(COMPUTE_FRAMES | COMPUTE_MAXS);
        }

        @Override
        protected String getCommonSuperClass(String a, String b) {
            return a.equals(b) ? a : "java/lang/Object";
        }
    }
}
