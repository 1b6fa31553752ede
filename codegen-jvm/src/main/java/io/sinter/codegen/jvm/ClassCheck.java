// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.ir.store.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Whether a class file may be a generated kernel, or a class that kernels share: what it extends, and everything that it names, against lists of what generators write. All that code
 * can call stands in the constant pool, so nothing else has to be read; that the code itself is sound, the JVM verifies when it defines the class.
 * This guards against accidents (a file of another origin, a fault in the generator), not against attackers, who can do harm with raw memory alone.
 */
final class ClassCheck {
    private static final String HERE = "io/sinter/codegen/jvm/";

    private static final String SHAPES = "io/sinter/gen/SinterKernelShapes$";
    private static final String SUPPORT = Intrinsic.SUPPORT.replace('.', '/');

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
            Set.of("MEMORY", "ORDER"),
            SUPPORT,
            Arrays.stream(Intrinsic.values()).map(Intrinsic::method).collect(Collectors.toSet()),
            "jdk/internal/misc/Unsafe",
            Set.of(
                    "getUnsafe",
                    "getByte",
                    "getShort",
                    "getInt",
                    "getLong",
                    "getFloat",
                    "getDouble",
                    "putByte",
                    "putShort",
                    "putInt",
                    "putLong",
                    "putFloat",
                    "putDouble"));

    /** Classes of this project that kernels call, with all their members. */
    private static final Set<String> OURS = Set.of(
            "io/sinter/gen/SinterKernelMath",
            "io/sinter/gen/SinterKernelMoves",
            "io/sinter/gen/SinterKernelSupport",
            "io/sinter/gen/SinterKernelLanes",
            "io/sinter/gen/SinterKernelFallbacks",
            SHAPES + "F64",
            SHAPES + "F32",
            SHAPES + "I64",
            SHAPES + "I32",
            SHAPES + "I16",
            SHAPES + "I8",
            "io/sinter/ir/DType",
            HERE + "GemmNumbers");

    /** Stands for every name. */
    private static final NameSet ALL = NameSet.of(Set.of());

    private static final NameSet NONE = NameSet.of(Set.of());
    private static final NameSet KERNEL_NAMES = NameSet.of(KERNELS);
    /** Types that may be named, besides superclasses. */
    private static final NameSet TYPES;
    /** Classes all of whose members may be used. */
    private static final NameSet OPEN;

    private static final Map<String, NameSet> MEMBER_NAMES;

    static {
        Set<String> open = new HashSet<>(OURS);
        for (String v : VECTORS) open.add(Species.PACKAGE + v);
        OPEN = NameSet.of(open);
        Set<String> types = new HashSet<>(open);
        types.addAll(MEMBERS.keySet());
        // Classes are arguments of intrinsics.
        types.addAll(List.of("java/lang/Object", "java/lang/String", "java/lang/Class"));
        TYPES = NameSet.of(types);
        Map<String, NameSet> members = new HashMap<>();
        MEMBERS.forEach((owner, names) -> members.put(owner, NameSet.of(names)));
        MEMBER_NAMES = Map.copyOf(members);
    }

    /** Types that may be named are those that begin like this, too. */
    private static final byte[] OPERATORS = latin(Species.PACKAGE + "VectorOperators");

    private static final byte[] INTRINSICS = latin(SUPPORT + "$");

    private static final byte[] LAYOUTS = latin("java/lang/foreign/ValueLayout$Of");

    private final byte[] bytes;
    private final ConstantPool pool;
    private final NameSet superclasses;
    private final byte[] self;
    /** By number of a class among the constants: what of it may be used, where that is known. */
    private final NameSet[] members;

    private ClassCheck(GeneratedClass generated, NameSet superclasses) {
        bytes = generated.bytes();
        pool = new ConstantPool(bytes);
        self = latin(generated.className());
        members = new NameSet[pool.count()];
        this.superclasses = superclasses;
    }

    private static byte[] latin(String name) {
        return name.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** @throws FormatException naming what a kernel would not have */
    static void check(GeneratedClass generated) {
        check(generated, JvmCodegen.PREFIX, KERNEL_NAMES);
    }

    /**
     * The same of a class that kernels share.
     *
     * @param prefix of its name
     * @param superclass what it extends
     */
    static void check(GeneratedClass generated, String prefix, Class<?> superclass) {
        check(generated, prefix, NameSet.of(Set.of(Type.getInternalName(superclass))));
    }

    /** The same of a class of either sort. */
    static void checkAny(GeneratedClass generated) {
        Set<String> all = new HashSet<>(KERNELS);
        all.addAll(SHARED);
        check(generated, SharedClass.PREFIX, NameSet.of(all));
    }

    /** Whether classes that extend this one are shared. */
    static boolean isShared(Class<?> superclass) {
        return SHARED.contains(Type.getInternalName(superclass));
    }

    private static void check(GeneratedClass generated, String prefix, NameSet superclasses) {
        try {
            new ClassCheck(generated, superclasses).run(generated.className(), prefix);
        } catch (IndexOutOfBoundsException e) {
            throw new FormatException("no class file: " + e.getMessage(), e);
        }
    }

    private static void demand(boolean holds, String what) {
        if (!holds) throw wrong(what);
    }

    private static FormatException wrong(String what) {
        return new FormatException("a class that is no generated kernel: " + what);
    }

    private void run(String name, String prefix) {
        int own = pool.first(pool.self(), ConstantPool.UTF8);
        if (!isSelf(own) || !name.startsWith(prefix)) throw wrong("named " + pool.text(own));
        demand(pool.superclass() != 0, "it extends nothing");
        int parent = pool.first(pool.superclass(), ConstantPool.UTF8);
        if (!isIn(superclasses, parent)) throw wrong("it extends " + pool.text(parent));
        demand(pool.interfaces() == 0, "it implements something");
        demand((pool.access() & (Opcodes.ACC_INTERFACE | Opcodes.ACC_ABSTRACT)) == 0, "it is abstract");
        for (int i = 1; i < pool.count(); i++) {
            switch (pool.tag(i)) {
                case 0 -> {} // the second half of a long or double
                case ConstantPool.UTF8,
                        3,
                        4,
                        5,
                        6,
                        8,
                        ConstantPool.NAME_AND_TYPE -> {} // texts, numbers, names with types
                case ConstantPool.CLASS -> type(pool.first(i, ConstantPool.UTF8));
                case ConstantPool.FIELD, ConstantPool.METHOD, ConstantPool.INTERFACE_METHOD -> member(i);
                default -> throw wrong("it has a constant of kind " + pool.tag(i));
            }
        }
    }

    private boolean isIn(NameSet names, int utf8) {
        return names.contains(bytes, pool.textAt(utf8), pool.textLength(utf8));
    }

    private boolean isSelf(int utf8) {
        int at = pool.textAt(utf8);
        return self.length == pool.textLength(utf8) && NameSet.isAt(self, bytes, at);
    }

    private void type(int utf8) {
        int at = pool.textAt(utf8);
        int length = pool.textLength(utf8);
        int dimensions = 0;
        while (dimensions < length && bytes[at + dimensions] == '[') dimensions++;
        if (dimensions > 0) {
            at += dimensions;
            length -= dimensions;
            if (length == 1) return; // of a primitive type
            // Of objects: L, the name, a semicolon.
            at++;
            length -= 2;
        }
        if (length <= 0 || !isType(at, length)) throw wrong("it names " + pool.text(utf8));
    }

    private boolean isType(int at, int length) {
        return TYPES.contains(bytes, at, length)
                || superclasses.contains(bytes, at, length)
                || self.length == length && NameSet.isAt(self, bytes, at)
                || begins(OPERATORS, at, length)
                || begins(INTRINSICS, at, length)
                || begins(LAYOUTS, at, length);
    }

    private boolean begins(byte[] prefix, int at, int length) {
        return length >= prefix.length && NameSet.isAt(prefix, bytes, at);
    }

    private void member(int constant) {
        int owner = pool.first(constant, ConstantPool.CLASS);
        NameSet some = members[owner];
        if (some == null) members[owner] = some = members(pool.first(owner, ConstantPool.UTF8));
        if (some == ALL) return; // most are
        int name = pool.first(pool.second(constant, ConstantPool.NAME_AND_TYPE), ConstantPool.UTF8);
        if (!isIn(some, name))
            throw wrong("it uses " + pool.text(pool.first(owner, ConstantPool.UTF8)) + "." + pool.text(name));
    }

    /** What may be used of a class. */
    private NameSet members(int owner) {
        boolean all = isIn(OPEN, owner)
                || isIn(superclasses, owner)
                || isSelf(owner)
                || begins(OPERATORS, pool.textAt(owner), pool.textLength(owner));
        return all ? ALL : MEMBER_NAMES.getOrDefault(pool.text(owner), NONE);
    }
}
