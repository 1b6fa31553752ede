// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm.bytecode;

import java.util.List;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * A typed piece of JVM code: an expression, which leaves a value of its {@link #type} on the operand stack,
 * or (type {@code void}) a statement. Pieces are immutable but for {@link Block}, and print themselves as
 * Java-like text.
 */
public interface Code {
    /** Type of the value that this leaves on the operand stack; {@link Type#VOID_TYPE} for a statement. */
    Type type();

    /** Appends this to a method. */
    void emit(MethodVisitor mv);

    /** Jumps to {@code target} if this boolean is {@code when}, and falls through otherwise. */
    default void emitJump(MethodVisitor mv, boolean when, Label target) {
        emit(mv);
        mv.visitJumpInsn(when ? Opcodes.IFNE : Opcodes.IFEQ, target);
    }

    /** Whether evaluating this twice costs nothing: a constant or a local variable. */
    default boolean isTrivial() {
        return false;
    }

    /** The type of a class or interface, by its internal name. */
    static Type object(String internalName) {
        return Type.getObjectType(internalName);
    }

    static Code constant(int value) {
        return new Const(Type.INT_TYPE, value);
    }

    static Code constant(long value) {
        return new Const(Type.LONG_TYPE, value);
    }

    static Code constant(float value) {
        return new Const(Type.FLOAT_TYPE, value);
    }

    static Code constant(double value) {
        return new Const(Type.DOUBLE_TYPE, value);
    }

    static Code constant(boolean value) {
        return new Const(Type.BOOLEAN_TYPE, value ? 1 : 0);
    }

    static Code constant(String value) {
        return new Const(Type.getType(String.class), value);
    }

    /** The null reference. */
    static Code nothing(Type type) {
        return new Null(type);
    }

    static Code getStatic(Type owner, String name, Type type) {
        return new GetStatic(owner, name, type);
    }

    /** The element of an array of longs. */
    static Code element(Code array, int index) {
        return new Element(array, index);
    }

    /** Calls a static method of a class. The parameter types are those of the arguments. */
    static Code call(Type owner, String name, Type result, Code... args) {
        Type[] parameters = new Type[args.length];
        for (int i = 0; i < args.length; i++) parameters[i] = args[i].type();
        return new Invoke(Invoke.Kind.STATIC, owner, name, Type.getMethodType(result, parameters), List.of(args));
    }

    /** Calls a static method of a class with declared parameter types. */
    static Code call(Type owner, String name, Type result, List<Type> parameters, Code... args) {
        Type descriptor = Type.getMethodType(result, parameters.toArray(Type[]::new));
        return new Invoke(Invoke.Kind.STATIC, owner, name, descriptor, List.of(args));
    }

    /** Calls a method of a class on a receiver (the first of {@code args}). */
    static Code callVirtual(Type owner, String name, Type result, List<Type> parameters, Code... args) {
        Type descriptor = Type.getMethodType(result, parameters.toArray(Type[]::new));
        return new Invoke(Invoke.Kind.VIRTUAL, owner, name, descriptor, List.of(args));
    }

    /** Calls a method of an interface on a receiver (the first of {@code args}). */
    static Code callInterface(Type owner, String name, Type result, List<Type> parameters, Code... args) {
        Type descriptor = Type.getMethodType(result, parameters.toArray(Type[]::new));
        return new Invoke(Invoke.Kind.INTERFACE, owner, name, descriptor, List.of(args));
    }

    /** {@code a + b} of two ints, longs, floats or doubles. */
    static Code add(Code a, Code b) {
        if (isZero(b) && isIntegral(a)) return a;
        if (isZero(a) && isIntegral(b)) return b;
        return new Arith(Arith.Op.ADD, a, b);
    }

    static Code sub(Code a, Code b) {
        return isZero(b) && isIntegral(a) ? a : new Arith(Arith.Op.SUB, a, b);
    }

    static Code mul(Code a, Code b) {
        if (isIntegral(a) && isOne(b)) return a;
        if (isIntegral(b) && isOne(a)) return b;
        return new Arith(Arith.Op.MUL, a, b);
    }

    static Code div(Code a, Code b) {
        return new Arith(Arith.Op.DIV, a, b);
    }

    static Code rem(Code a, Code b) {
        return new Arith(Arith.Op.REM, a, b);
    }

    static Code and(Code a, Code b) {
        return new Arith(Arith.Op.AND, a, b);
    }

    static Code or(Code a, Code b) {
        return new Arith(Arith.Op.OR, a, b);
    }

    static Code xor(Code a, Code b) {
        return new Arith(Arith.Op.XOR, a, b);
    }

    /** {@code a << n}; the count is an int, taken modulo the width. */
    static Code shl(Code a, Code n) {
        return new Arith(Arith.Op.SHL, a, n);
    }

    static Code shr(Code a, Code n) {
        return new Arith(Arith.Op.SHR, a, n);
    }

    static Code ushr(Code a, Code n) {
        return new Arith(Arith.Op.USHR, a, n);
    }

    static Code neg(Code a) {
        return new Neg(a);
    }

    /** A Java primitive conversion between int, long, float and double. */
    static Code cast(Type to, Code a) {
        if (a.type().equals(to)) return a;
        if (a instanceof Const c && c.value() instanceof Integer i && to == Type.LONG_TYPE)
            return constant(i.longValue());
        return new Cast(to, a);
    }

    /** Casts a reference, checked. */
    static Code checkCast(Type to, Code a) {
        return new CheckCast(to, a);
    }

    /** A comparison, which is false if either operand is NaN, but for {@link Compare.Op#NE}. */
    static Code compare(Compare.Op op, Code a, Code b) {
        return new Compare(op, a, b);
    }

    static Code lt(Code a, Code b) {
        return new Compare(Compare.Op.LT, a, b);
    }

    static Code not(Code a) {
        return new Arith(Arith.Op.XOR, a, constant(true));
    }

    /** {@code cond ? a : b}; both are evaluated only when chosen. */
    static Code choose(Code cond, Code a, Code b) {
        return new Choose(cond, a, b);
    }

    /** Evaluates a value and drops it. */
    static Code drop(Code a) {
        return new Drop(a);
    }

    static Code ret(Code value) {
        return new Return(value);
    }

    static Code ret() {
        return new Return(null);
    }

    private static boolean isIntegral(Code a) {
        return a.type() == Type.INT_TYPE || a.type() == Type.LONG_TYPE;
    }

    private static boolean isZero(Code a) {
        return a instanceof Const c && (c.value().equals(0) || c.value().equals(0L));
    }

    private static boolean isOne(Code a) {
        return a instanceof Const c && (c.value().equals(1) || c.value().equals(1L));
    }
}
