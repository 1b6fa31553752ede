// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.gen.SinterKernelHost;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * What an {@linkplain Intrinsic intrinsic} does where C2 has not compiled its caller: the operation of the Vector API. The JDK wants an object of an interface of its own, which Java code cannot
 * name; the one class that implements all of them is generated. Its methods call those that are here, by their names in {@link Intrinsic}.
 *
 * <p>Kernels refer to the objects; nothing else has a use for them.
 */
@SuppressWarnings({"unchecked", "rawtypes"}) // the vectors' element types are not known here
public abstract class VectorFallback {
    private static final MemorySegment MEMORY = SinterKernelHost.MEMORY;
    private static final ByteOrder ORDER = SinterKernelHost.ORDER;

    private static final class Implementation {
        static final MethodHandles.Lookup CLASS;

        static {
            try {
                CLASS = MethodHandles.lookup().defineHiddenClass(bytes(), true);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        /** The class file. */
        private static byte[] bytes() throws ClassNotFoundException {
            String parent = Type.getInternalName(VectorFallback.class);
            ClassWriter c = new ClassWriter(ClassWriter.COMPUTE_MAXS);
            String[] interfaces = Arrays.stream(Intrinsic.values())
                    .map(i -> i.fallback().getInternalName())
                    .toArray(String[]::new);
            c.visit(Opcodes.V25, Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, parent + "s", null, parent, interfaces);
            MethodVisitor init = c.visitMethod(0, "<init>", "()V", null, null);
            init.visitCode();
            init.visitVarInsn(Opcodes.ALOAD, 0);
            init.visitMethodInsn(Opcodes.INVOKESPECIAL, parent, "<init>", "()V", false);
            init.visitInsn(Opcodes.RETURN);
            init.visitMaxs(0, 0);
            init.visitEnd();
            for (Intrinsic i : Intrinsic.values()) {
                Class<?> type = Class.forName(i.fallback().getClassName(), false, null);
                for (Method m : type.getMethods()) {
                    if (Modifier.isAbstract(m.getModifiers())) forward(c, m, parent, i.does());
                }
            }
            c.visitEnd();
            return c.toByteArray();
        }

        private static void forward(ClassWriter c, Method m, String parent, String to) {
            Type result = Type.getReturnType(m);
            Type[] types = Type.getArgumentTypes(m);
            int access = Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL;
            MethodVisitor v = c.visitMethod(access, m.getName(), Type.getMethodDescriptor(m), null, null);
            v.visitCode();
            v.visitVarInsn(Opcodes.ALOAD, 0);
            int slot = 1;
            for (Type t : types) {
                v.visitVarInsn(t.getOpcode(Opcodes.ILOAD), slot);
                slot += t.getSize();
            }
            Type[] general = Arrays.stream(types).map(Implementation::general).toArray(Type[]::new);
            String descriptor = Type.getMethodDescriptor(general(result), general);
            v.visitMethodInsn(Opcodes.INVOKEVIRTUAL, parent, to, descriptor, false);
            if (result.getSort() == Type.OBJECT) v.visitTypeInsn(Opcodes.CHECKCAST, result.getInternalName());
            v.visitInsn(result.getOpcode(Opcodes.IRETURN));
            v.visitMaxs(0, 0);
            v.visitEnd();
        }

        private static Type general(Type t) {
            return t.getSort() == Type.OBJECT ? Type.getType(Object.class) : t;
        }
    }

    private VectorOperators.Operator operator;
    private VectorSpecies species;

    /** For the generated class. */
    protected VectorFallback() {}

    /** What an operator does. */
    public static Object of(VectorOperators.Operator operator) {
        VectorFallback f = make();
        f.operator = operator;
        return f;
    }

    /** What operations without an operator do, whose result (or, of a store, operand) is of a species. */
    public static Object of(VectorSpecies<?> species) {
        VectorFallback f = make();
        f.species = species;
        return f;
    }

    private static VectorFallback make() {
        try {
            MethodHandles.Lookup c = Implementation.CLASS;
            return (VectorFallback) c.findConstructor(c.lookupClass(), MethodType.methodType(void.class))
                    .invoke();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    protected final Object broadcast(long bits, Object none) {
        if (species.elementType() == float.class)
            return FloatVector.broadcast(species, Float.intBitsToFloat((int) bits));
        if (species.elementType() == double.class)
            return DoubleVector.broadcast(species, Double.longBitsToDouble(bits));
        return species.broadcast(bits);
    }

    protected final Object load(Object none, long address, Object nothing) {
        return species.fromMemorySegment(MEMORY, address, ORDER);
    }

    protected final Object load(Object none, long address, Object nothing, Object mask) {
        VectorMask m = (VectorMask) mask;
        return switch (species.elementType().getName()) {
            case "double" -> DoubleVector.fromMemorySegment(species, MEMORY, address, ORDER, m);
            case "float" -> FloatVector.fromMemorySegment(species, MEMORY, address, ORDER, m);
            case "long" -> LongVector.fromMemorySegment(species, MEMORY, address, ORDER, m);
            case "int" -> IntVector.fromMemorySegment(species, MEMORY, address, ORDER, m);
            case "short" -> ShortVector.fromMemorySegment(species, MEMORY, address, ORDER, m);
            default -> ByteVector.fromMemorySegment(species, MEMORY, address, ORDER, m);
        };
    }

    protected final void store(Object none, long address, Object a) {
        ((Vector) a).intoMemorySegment(MEMORY, address, ORDER);
    }

    protected final void store(Object none, long address, Object a, Object mask) {
        ((Vector) a).intoMemorySegment(MEMORY, address, ORDER, (VectorMask) mask);
    }

    protected final Object unary(Object a, Object none) {
        return ((Vector) a).lanewise((VectorOperators.Unary) operator);
    }

    protected final Object binary(Object a, Object b, Object mask) {
        VectorOperators.Binary op = (VectorOperators.Binary) operator;
        if (mask == null) return ((Vector) a).lanewise(op, (Vector) b);
        return ((Vector) a).lanewise(op, (Vector) b, (VectorMask) mask);
    }

    protected final Object ternary(Object a, Object b, Object c, Object none) {
        return ((Vector) a).lanewise((VectorOperators.Ternary) operator, (Vector) b, (Vector) c);
    }

    protected final Object shift(Object a, int count, Object none) {
        return ((Vector) a).lanewise((VectorOperators.Binary) operator, count);
    }

    protected final Object compare(int condition, Object a, Object b, Object none) {
        return ((Vector) a).compare((VectorOperators.Comparison) operator, (Vector) b);
    }

    protected final Object blend(Object a, Object b, Object mask) {
        return ((Vector) a).blend((Vector) b, (VectorMask) mask);
    }

    protected final Object rearrange(Object a, Object shuffle, Object none) {
        return ((Vector) a).rearrange((VectorShuffle) shuffle);
    }

    /** Of the bits as they are, unless there is an operator. */
    protected final Object convert(Object a, Object to) {
        if (operator == null) return ((Vector) a).reinterpretShape(species, 0);
        return ((Vector) a).convertShape((VectorOperators.Conversion) operator, (VectorSpecies) to, 0);
    }

    protected final long extract(Object a, int lane) {
        return switch (a) {
            case DoubleVector v -> Double.doubleToRawLongBits(v.lane(lane));
            case FloatVector v -> Float.floatToRawIntBits(v.lane(lane));
            case LongVector v -> v.lane(lane);
            case IntVector v -> v.lane(lane);
            case ShortVector v -> v.lane(lane);
            case ByteVector v -> v.lane(lane);
            default -> throw new IllegalArgumentException(a.getClass().toString());
        };
    }
}
