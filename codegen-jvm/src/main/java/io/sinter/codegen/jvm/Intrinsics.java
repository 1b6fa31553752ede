// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import org.objectweb.asm.Type;

/**
 * Code that calls HotSpot's vector intrinsics and {@code Unsafe} as the Vector API and memory segments do at the end of their layers. C2 makes the same instructions of both, but of an
 * operation of the Vector API it has to parse some twenty methods first, of an access to a segment thirty: half of all that it did for a kernel. The packages of the JDK where these are
 * have to be {@linkplain JvmFlags#INTRINSICS opened}; otherwise, and where a release of the JDK has other intrinsics, kernels call the Vector API. The bits are the same.
 */
final class Intrinsics {
    private static final Type SHAPES = Code.object("io/sinter/gen/SinterKernelShapes");
    private static final Type FALLBACKS = Code.object("io/sinter/gen/SinterKernelFallbacks");
    private static final Type UNSAFE = Code.object("jdk/internal/misc/Unsafe");
    private static final Type OBJECT = Code.object("java/lang/Object");
    private static final Type CLASS = Code.object("java/lang/Class");

    /** Operators of the Vector API that are an intrinsic as they are, for all types that have them. */
    private static final Set<String> UNARY = Set.of("ABS", "NEG", "SQRT");

    private static final Set<String> BINARY =
            Set.of("ADD", "SUB", "MUL", "MIN", "MAX", "UMIN", "UMAX", "AND", "OR", "XOR");

    private static final Set<String> CONVERSIONS =
            Set.of("S2I", "B2I", "I2S", "I2B", "I2F", "ZERO_EXTEND_B2I", "ZERO_EXTEND_S2I");

    private static final class Available {
        static final boolean VALUE =
                !"false".equals(System.getProperty("sinter.intrinsics")) && JvmFlags.hasVectors() && find();

        private static boolean find() {
            try {
                Class<?> support = Class.forName(Intrinsic.SUPPORT, false, null);
                Class<?> unsafe = Class.forName(UNSAFE.getClassName(), false, null);
                if (!isOpen(support) || !isOpen(unsafe)) return false;
                Set<String> there = new HashSet<>();
                for (Method m : support.getMethods()) there.add(m.getName() + Type.getMethodDescriptor(m));
                return Arrays.stream(Intrinsic.values()).allMatch(i -> there.contains(i.method() + i.descriptor()));
            } catch (ClassNotFoundException e) {
                return false;
            }
        }

        private static boolean isOpen(Class<?> c) {
            return c.getModule().isExported(c.getPackageName(), Intrinsics.class.getModule());
        }
    }

    /** Whether the code that is being made calls intrinsics; where it is not said, it does if they are there. */
    private static final ScopedValue<Boolean> USED = ScopedValue.newInstance();

    private Intrinsics() {}

    /** Whether this JVM lets kernels call them. */
    static boolean available() {
        return Available.VALUE;
    }

    /** Makes code that calls intrinsics, or code that does not. */
    static <T> T used(boolean used, Supplier<T> code) {
        return ScopedValue.where(USED, used).call(code::get);
    }

    /** Whether the code that is being made calls them. */
    static boolean used() {
        return USED.isBound() ? USED.get() : Available.VALUE;
    }

    // What C2 has to know as constants

    private static Code shape(Species s, String field, Type type) {
        return Code.getStatic(
                Code.object(SHAPES.getInternalName() + "$" + s.element().name()), field, type);
    }

    private static Code vectors(Species s) {
        return shape(s, "V" + s.bits(), CLASS);
    }

    private static Code masks(Species s) {
        return shape(s, "M" + s.bits(), CLASS);
    }

    private static Code element(Species s) {
        return shape(s, "E", CLASS);
    }

    private static Code lanes(Species s) {
        return Code.constant(s.lanes());
    }

    /** A constant of the JDK's, which it keeps for itself. */
    private static Code number(String name) {
        try {
            return Code.constant(
                    Class.forName(Intrinsic.SUPPORT, false, null).getField(name).getInt(null));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(name, e);
        }
    }

    /** What an operation without an operator does, whose result is of this species. */
    private static Code plain(Species s) {
        return shape(s, "P" + s.bits(), OBJECT);
    }

    private static Code fallback(String operator) {
        return Code.getStatic(FALLBACKS, operator, OBJECT);
    }

    private static Vec vector(Species s, Code result) {
        return new Vec(s, Code.checkCast(s.vectorType(), result));
    }

    // Memory: no object, at an address; twice, since what runs in the interpreter is told the second one

    private static final Code IN_SEGMENT = Code.constant(true);
    /** Nothing of a masked access is out of bounds. */
    private static final Code IN_RANGE = Code.constant(1);

    static Vec load(Species s, Code address, Code mask) {
        Code loaded = mask == null
                ? Intrinsic.LOAD.call(
                        vectors(s), element(s), lanes(s), null, address, IN_SEGMENT, null, address, null, plain(s))
                : Intrinsic.LOAD_MASKED.call(
                        vectors(s),
                        masks(s),
                        element(s),
                        lanes(s),
                        null,
                        address,
                        IN_SEGMENT,
                        mask,
                        IN_RANGE,
                        null,
                        address,
                        null,
                        plain(s));
        return vector(s, loaded);
    }

    static Code store(Vec v, Code address, Code mask) {
        Species s = v.species();
        if (mask == null) {
            return Intrinsic.STORE.call(
                    vectors(s), element(s), lanes(s), null, address, IN_SEGMENT, v.code(), null, address, plain(s));
        }
        return Intrinsic.STORE_MASKED.call(
                vectors(s),
                masks(s),
                element(s),
                lanes(s),
                null,
                address,
                IN_SEGMENT,
                v.code(),
                mask,
                null,
                address,
                plain(s));
    }

    /** A scalar of a primitive type. */
    static Code get(Type type, Code address) {
        return Code.callVirtual(
                UNSAFE,
                "get" + suffix(type),
                type,
                List.of(OBJECT, Type.LONG_TYPE),
                unsafe(),
                Code.nothing(OBJECT),
                address);
    }

    static Code set(Type type, Code address, Code value) {
        List<Type> types = List.of(OBJECT, Type.LONG_TYPE, type);
        return Code.callVirtual(
                UNSAFE, "put" + suffix(type), Type.VOID_TYPE, types, unsafe(), Code.nothing(OBJECT), address, value);
    }

    private static Code unsafe() {
        return Code.call(UNSAFE, "getUnsafe", UNSAFE);
    }

    private static String suffix(Type type) {
        String name = type.getClassName();
        return name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
    }

    // Arithmetic

    static Vec broadcast(Species s, Code scalar) {
        Code bits =
                switch (s.element()) {
                    case F64 ->
                        Code.call(Code.object("java/lang/Double"), "doubleToRawLongBits", Type.LONG_TYPE, scalar);
                    case F32 ->
                        Code.cast(
                                Type.LONG_TYPE,
                                Code.call(Code.object("java/lang/Float"), "floatToRawIntBits", Type.INT_TYPE, scalar));
                    case I64, I32, I16, I8 -> Code.cast(Type.LONG_TYPE, scalar);
                    case F16, BF16, U8, BOOL -> throw new IllegalArgumentException("no vectors of " + s.element());
                };
        return broadcastBits(s, bits);
    }

    /** @param bits a long: a number's bits, or an integer */
    static Vec broadcastBits(Species s, Code bits) {
        Code mode = number("MODE_BROADCAST");
        return vector(s, Intrinsic.BROADCAST.call(vectors(s), element(s), lanes(s), bits, mode, null, plain(s)));
    }

    /** Whether an operator of one operand is an intrinsic. */
    static boolean isUnary(String operator) {
        return UNARY.contains(operator);
    }

    static Vec unary(String operator, Vec a) {
        Species s = a.species();
        Code number = number("VECTOR_OP_" + operator);
        return vector(
                s,
                Intrinsic.UNARY.call(
                        number, vectors(s), null, element(s), lanes(s), a.code(), null, fallback(operator)));
    }

    /** Whether an operator of two operands of this type is an intrinsic. Division of integers is none: it throws. */
    static boolean isBinary(String operator, Species s) {
        return BINARY.contains(operator)
                || operator.equals("DIV") && s.element().isFloat();
    }

    /** Where {@code mask} (null: everywhere) is true; {@code a} elsewhere. */
    static Vec binary(String operator, Vec a, Vec b, Code mask) {
        Species s = a.species();
        Code number = number("VECTOR_OP_" + operator);
        Code masks = mask == null ? null : masks(s);
        return vector(
                s,
                Intrinsic.BINARY.call(
                        number, vectors(s), masks, element(s), lanes(s), a.code(), b.code(), mask, fallback(operator)));
    }

    static Vec fma(Vec a, Vec b, Vec c) {
        Species s = a.species();
        return vector(
                s,
                Intrinsic.TERNARY.call(
                        number("VECTOR_OP_FMA"),
                        vectors(s),
                        null,
                        element(s),
                        lanes(s),
                        a.code(),
                        b.code(),
                        c.code(),
                        null,
                        fallback("FMA")));
    }

    /** @param count bits, fewer than a lane has */
    static Vec shift(String operator, Vec a, int count) {
        Species s = a.species();
        String name =
                switch (operator) {
                    case "LSHL" -> "LSHIFT";
                    case "ASHR" -> "RSHIFT";
                    case "LSHR" -> "URSHIFT";
                    default -> throw new IllegalArgumentException(operator);
                };
        return vector(
                s,
                Intrinsic.SHIFT.call(
                        number("VECTOR_OP_" + name),
                        vectors(s),
                        null,
                        element(s),
                        lanes(s),
                        a.code(),
                        Code.constant(count),
                        null,
                        fallback(operator)));
    }

    /** Mask of a comparison. */
    static Code compare(String operator, Vec a, Vec b) {
        Species s = a.species();
        Code number = number("BT_" + operator.toLowerCase(Locale.ROOT));
        return Code.checkCast(
                Species.MASK,
                Intrinsic.COMPARE.call(
                        number,
                        vectors(s),
                        masks(s),
                        element(s),
                        lanes(s),
                        a.code(),
                        b.code(),
                        null,
                        fallback(operator)));
    }

    static Vec blend(Vec a, Vec b, Code mask) {
        Species s = a.species();
        return vector(
                s,
                Intrinsic.BLEND.call(vectors(s), masks(s), element(s), lanes(s), a.code(), b.code(), mask, plain(s)));
    }

    /** @param shuffle of a species' shuffles */
    static Vec rearrange(Vec a, Code shuffle) {
        Species s = a.species();
        Code shuffles = shape(s, "S" + s.bits(), CLASS);
        return vector(
                s,
                Intrinsic.REARRANGE.call(
                        vectors(s), shuffles, null, element(s), lanes(s), a.code(), shuffle, null, plain(s)));
    }

    static Vec reinterpret(Vec a, Species to) {
        return convert("REINTERPRET", a, to, null, plain(to));
    }

    /** Whether a conversion is an intrinsic. */
    static boolean isConversion(String conversion) {
        return CONVERSIONS.contains(conversion);
    }

    static Vec convert(String conversion, Vec a, Species to) {
        String kind = conversion.startsWith("ZERO_EXTEND") ? "UCAST" : "CAST";
        return convert(kind, a, to, Intrinsic.species(to), fallback(conversion));
    }

    private static Vec convert(String kind, Vec a, Species to, Code species, Code fallback) {
        Species s = a.species();
        return vector(
                to,
                Intrinsic.CONVERT.call(
                        number("VECTOR_OP_" + kind),
                        vectors(s),
                        element(s),
                        lanes(s),
                        vectors(to),
                        element(to),
                        lanes(to),
                        a.code(),
                        species,
                        fallback));
    }

    static Code lane(Vec a, int index) {
        Species s = a.species();
        Code bits = Intrinsic.EXTRACT.call(vectors(s), element(s), lanes(s), a.code(), Code.constant(index), plain(s));
        return switch (s.element()) {
            case F64 -> Code.call(Code.object("java/lang/Double"), "longBitsToDouble", Type.DOUBLE_TYPE, bits);
            case F32 ->
                Code.call(
                        Code.object("java/lang/Float"),
                        "intBitsToFloat",
                        Type.FLOAT_TYPE,
                        Code.cast(Type.INT_TYPE, bits));
            case I64 -> bits;
            case I32 -> Code.cast(Type.INT_TYPE, bits);
            case I16, I8 -> Code.cast(s.laneType(), Code.cast(Type.INT_TYPE, bits));
            case F16, BF16, U8, BOOL -> throw new IllegalArgumentException("no vectors of " + s.element());
        };
    }
}
