// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import java.util.List;
import java.util.stream.Collectors;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** A method call. For virtual and interface calls the first argument is the receiver. */
record Invoke(Kind kind, Type owner, String name, Type descriptor, List<Code> args) implements Code {
    enum Kind {
        STATIC,
        VIRTUAL,
        INTERFACE,
        /** A static method of an interface. */
        INTERFACE_STATIC
    }

    Invoke {
        int receivers = kind == Kind.STATIC || kind == Kind.INTERFACE_STATIC ? 0 : 1;
        Type[] parameters = descriptor.getArgumentTypes();
        if (parameters.length + receivers != args.size()) {
            throw new IllegalArgumentException(name + descriptor + " called with " + args.size() + " values");
        }
        for (int i = 0; i < parameters.length; i++) {
            Type given = args.get(i + receivers).type();
            if (!passes(given, parameters[i])) {
                throw new IllegalArgumentException(name + descriptor + ": argument " + i + " is " + given);
            }
        }
    }

    /**
     * Any object may be tried where an object is expected, and any int where a narrower int is (the verifier
     * judges).
     */
    private static boolean passes(Type given, Type expected) {
        if (given.getSort() == Type.OBJECT) return expected.getSort() == Type.OBJECT;
        return given.equals(expected)
                || (given.getSort() <= Type.INT && expected.getSort() <= Type.INT && given.getSize() == 1);
    }

    @Override
    public Type type() {
        return descriptor.getReturnType();
    }

    @Override
    public void emit(MethodVisitor mv) {
        for (Code a : args) a.emit(mv);
        int opcode =
                switch (kind) {
                    case STATIC, INTERFACE_STATIC -> Opcodes.INVOKESTATIC;
                    case VIRTUAL -> Opcodes.INVOKEVIRTUAL;
                    case INTERFACE -> Opcodes.INVOKEINTERFACE;
                };
        boolean onInterface = kind == Kind.INTERFACE || kind == Kind.INTERFACE_STATIC;
        mv.visitMethodInsn(opcode, owner.getInternalName(), name, descriptor.getDescriptor(), onInterface);
    }

    static String simpleName(Type t) {
        String n = t.getClassName();
        return n.substring(n.lastIndexOf('.') + 1);
    }

    @Override
    public String toString() {
        if (kind == Kind.STATIC || kind == Kind.INTERFACE_STATIC) {
            return simpleName(owner) + "." + name
                    + args.stream().map(Object::toString).collect(Collectors.joining(", ", "(", ")"));
        }
        return args.get(0)
                + "."
                + name
                + args.stream().skip(1).map(Object::toString).collect(Collectors.joining(", ", "(", ")"));
    }
}
