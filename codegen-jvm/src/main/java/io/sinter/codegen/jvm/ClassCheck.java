// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.store.FormatException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Whether a class file may be a generated kernel, or a class that kernels share: what it extends, and everything that it names, against lists of what generators write. All that code
 * can call stands in the constant pool, so nothing else has to be read; that the code itself is sound, the JVM verifies when it defines the class.
 * This guards against accidents (a file of another origin, a fault in the generator), not against attackers, who can do harm with raw memory alone.
 */
final class ClassCheck {
    private static final String HERE = "io/sinter/codegen/jvm/";

    private static final Set<String> KERNELS =
            Set.of(HERE + "JvmKernel", GemmEmitter.SUPERCLASS, AttentionEmitter.SUPERCLASS);

    /** What classes that kernels share extend. */
    private static final Set<String> SHARED =
            Set.of(HERE + "GemmTiles", HERE + "PoolRows", HERE + "LinearMap", HERE + "Squares");

    /** Classes of the Vector API; all of their members are pure, but for loads and stores. */
    private static final Set<String> VECTORS = Set.of(
            "Vector",
            "VectorMask",
            "VectorSpecies",
            "VectorShuffle",
            "VectorShape",
            "DoubleVector",
            "FloatVector",
            "LongVector",
            "IntVector",
            "ShortVector",
            "ByteVector");

    private static final String OPERATORS = Species.PACKAGE + "VectorOperators";

    /** Members of other classes. */
    private static final Map<String, Set<String>> MEMBERS = Map.of(
            "java/lang/Math",
            Set.of(
                    "abs",
                    "max",
                    "min",
                    "fma",
                    "sqrt",
                    "floor",
                    "ceil",
                    "rint",
                    "exp",
                    "expm1",
                    "log",
                    "log1p",
                    "sin",
                    "cos",
                    "tan",
                    "asin",
                    "acos",
                    "atan",
                    "atan2",
                    "sinh",
                    "cosh",
                    "tanh",
                    "pow",
                    "floorDiv",
                    "floorMod",
                    "multiplyHigh",
                    "toIntExact"),
            "java/lang/Long",
            Set.of("expand"),
            "java/lang/Float",
            Set.of("float16ToFloat", "floatToFloat16", "floatToRawIntBits", "intBitsToFloat", "isNaN"),
            "java/lang/Double",
            Set.of("doubleToRawLongBits", "longBitsToDouble", "isNaN"),
            "java/lang/foreign/MemorySegment",
            Set.of("get", "set"),
            "java/lang/foreign/ValueLayout",
            Set.of(
                    "JAVA_BYTE",
                    "JAVA_SHORT",
                    "JAVA_SHORT_UNALIGNED",
                    "JAVA_INT",
                    "JAVA_INT_UNALIGNED",
                    "JAVA_LONG",
                    "JAVA_LONG_UNALIGNED",
                    "JAVA_FLOAT",
                    "JAVA_FLOAT_UNALIGNED",
                    "JAVA_DOUBLE",
                    "JAVA_DOUBLE_UNALIGNED"),
            "io/sinter/gen/SinterKernelHost",
            Set.of("MEMORY", "ORDER"));

    /** Classes of this project that kernels call, with all their members. */
    private static final Set<String> OURS = Set.of(
            "io/sinter/gen/SinterKernelMath",
            "io/sinter/gen/SinterKernelMoves",
            "io/sinter/gen/SinterKernelSupport",
            "io/sinter/gen/SinterKernelLanes",
            "io/sinter/ir/DType",
            HERE + "GemmNumbers");

    private final ClassReader reader;
    private final char[] buffer;
    private final Set<String> superclasses;

    private ClassCheck(byte[] bytes, Set<String> superclasses) {
        reader = new ClassReader(bytes);
        buffer = new char[reader.getMaxStringLength()];
        this.superclasses = superclasses;
    }

    /** @throws FormatException naming what a kernel would not have */
    static void check(GeneratedClass generated) {
        check(generated, JvmCodegen.PREFIX, KERNELS);
    }

    /**
     * The same of a class that kernels share.
     *
     * @param prefix of its name
     * @param superclass what it extends
     */
    static void check(GeneratedClass generated, String prefix, Class<?> superclass) {
        check(generated, prefix, Set.of(Type.getInternalName(superclass)));
    }

    /** The same of a class of either sort. */
    static void checkAny(GeneratedClass generated) {
        Set<String> all = new HashSet<>(KERNELS);
        all.addAll(SHARED);
        check(generated, SharedClass.PREFIX, all);
    }

    /** Whether classes that extend this one are shared. */
    static boolean isShared(Class<?> superclass) {
        return SHARED.contains(Type.getInternalName(superclass));
    }

    private static void check(GeneratedClass generated, String prefix, Set<String> superclasses) {
        try {
            new ClassCheck(generated.bytes(), superclasses).run(generated.className(), prefix);
        } catch (IllegalArgumentException | IndexOutOfBoundsException | NegativeArraySizeException e) {
            throw new FormatException("no class file: " + e.getMessage(), e);
        }
    }

    private static void demand(boolean holds, String what) {
        if (!holds) throw new FormatException("a class that is no generated kernel: " + what);
    }

    private void run(String name, String prefix) {
        demand(name.equals(reader.getClassName()) && name.startsWith(prefix), "named " + reader.getClassName());
        demand(
                reader.getSuperName() != null && superclasses.contains(reader.getSuperName()),
                "it extends " + reader.getSuperName());
        demand(reader.getInterfaces().length == 0, "it implements something");
        demand((reader.getAccess() & (Opcodes.ACC_INTERFACE | Opcodes.ACC_ABSTRACT)) == 0, "it is abstract");
        for (int i = 1; i < reader.getItemCount(); i++) {
            int at = reader.getItem(i);
            if (at == 0) continue; // the second half of a long or double
            switch (reader.readByte(at - 1)) {
                case 1, 3, 4, 5, 6, 8, 12 -> {} // texts, numbers, names with types
                case 7 -> type(reader.readUTF8(at, buffer), name);
                case 9, 10, 11 -> {
                    String owner = reader.readClass(at, buffer);
                    int member = reader.getItem(reader.readUnsignedShort(at + 2));
                    member(owner, reader.readUTF8(member, buffer), name);
                }
                default -> demand(false, "it has a constant of kind " + reader.readByte(at - 1));
            }
        }
    }

    private void type(String type, String self) {
        demand(type != null && !type.isEmpty(), "it names nothing");
        String element = type;
        while (element.startsWith("[")) element = element.substring(1);
        if (element.length() <= 1) return; // an array of a primitive type
        if (type.startsWith("[")) element = element.substring(1, element.length() - 1);
        demand(
                element.equals(self)
                        || element.equals("java/lang/Object")
                        || element.equals("java/lang/String")
                        || element.startsWith("java/lang/foreign/ValueLayout$Of")
                        || MEMBERS.containsKey(element)
                        || OURS.contains(element)
                        || superclasses.contains(element)
                        || isVector(element),
                "it names " + type);
    }

    private static boolean isVector(String type) {
        return type.startsWith(Species.PACKAGE)
                && (type.startsWith(OPERATORS) || VECTORS.contains(type.substring(Species.PACKAGE.length())));
    }

    private void member(String owner, String member, String self) {
        demand(owner != null && member != null, "it uses nothing");
        demand(
                owner.equals(self)
                        || OURS.contains(owner)
                        || superclasses.contains(owner)
                        || isVector(owner)
                        || MEMBERS.getOrDefault(owner, Set.of()).contains(member),
                "it uses " + owner + "." + member);
    }
}
