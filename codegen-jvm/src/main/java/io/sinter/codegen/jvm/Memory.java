// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.codegen.jvm.bytecode.Compare;
import io.sinter.ir.DType;
import java.util.List;
import org.objectweb.asm.Type;

/** Scalar access to memory by byte address, converting between memory types and register types. */
public final class Memory {
    static final Type HOST = Code.object("io/sinter/gen/SinterKernelHost");
    static final Type MATH = Code.object("io/sinter/gen/SinterKernelMath");
    static final Type SUPPORT = Code.object("io/sinter/gen/SinterKernelSupport");
    static final Type LANES = Code.object("io/sinter/gen/SinterKernelLanes");
    static final Type SEGMENT = Code.object("java/lang/foreign/MemorySegment");
    static final Type BYTE_ORDER = Code.object("java/nio/ByteOrder");
    /**
     * A parameter block as methods of loop kernels get it: an element of an array is one instruction, where a load from memory by address is thirty calls that
     * C2 has to inline, for each slot of each method.
     */
    static final Type SLOTS = Type.getType(long[].class);

    private static final Type LAYOUT = Code.object("java/lang/foreign/ValueLayout");

    /** All of memory. */
    static final Code ALL = Code.getStatic(HOST, "MEMORY", SEGMENT);

    static final Code ORDER = Code.getStatic(HOST, "ORDER", BYTE_ORDER);

    private Memory() {}

    /**
     * The address, as one that C2 sees to be neither negative nor near the end of {@link #ALL}. It then leaves out the check of an access: a comparison and
     * a register for each, a branch to where the method would be left with the state of all its variables, and what the Vector API does with a masked
     * access that might reach beyond: two hundred calls, which it would inline for each. Where C2 knows the range anyway nothing is left of this.
     */
    static Code within(Code address) {
        return Code.and(address, Code.constant(Long.MAX_VALUE >> 1));
    }

    /**
     * An address, or a distance that is not negative, as a number so small that C2 sees the sum of two of them to be {@linkplain #within within} memory.
     * What a loop does not change, and what is kept from one step to the next, is made such a number once; its sums then cost no instruction.
     */
    static Code base(Code address) {
        if (Intrinsics.used()) return address; // raw memory has no end
        return Code.and(address, Code.constant(Long.MAX_VALUE >> 2));
    }

    /** JVM type of a value of a register type. */
    public static Type jvmType(DType register) {
        return switch (register) {
            case F64 -> Type.DOUBLE_TYPE;
            case F32 -> Type.FLOAT_TYPE;
            case I64 -> Type.LONG_TYPE;
            case I32 -> Type.INT_TYPE;
            case BOOL -> Type.BOOLEAN_TYPE;
            case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(register + " is not a register type");
        };
    }

    /** How the JVM sees an element of memory. */
    private enum Access {
        DOUBLE("JAVA_DOUBLE_UNALIGNED", "OfDouble", Type.DOUBLE_TYPE),
        FLOAT("JAVA_FLOAT_UNALIGNED", "OfFloat", Type.FLOAT_TYPE),
        LONG("JAVA_LONG_UNALIGNED", "OfLong", Type.LONG_TYPE),
        INT("JAVA_INT_UNALIGNED", "OfInt", Type.INT_TYPE),
        SHORT("JAVA_SHORT_UNALIGNED", "OfShort", Type.SHORT_TYPE),
        BYTE("JAVA_BYTE", "OfByte", Type.BYTE_TYPE);

        private final Code layout;
        private final Type layoutType;
        private final Type type;

        Access(String field, String layout, Type type) {
            this.layoutType = Code.object(LAYOUT.getInternalName() + "$" + layout);
            this.layout = Code.getStatic(LAYOUT, field, layoutType);
            this.type = type;
        }

        static Access of(DType t) {
            return switch (t) {
                case F64 -> DOUBLE;
                case F32 -> FLOAT;
                case I64 -> LONG;
                case I32 -> INT;
                case F16, BF16, I16 -> SHORT;
                case I8, U8, BOOL -> BYTE;
            };
        }

        Code get(Code address) {
            if (Intrinsics.used()) return Intrinsics.get(type, address);
            return Code.callInterface(
                    SEGMENT, "get", type, List.of(layoutType, Type.LONG_TYPE), ALL, layout, within(address));
        }

        Code set(Code address, Code value) {
            if (Intrinsics.used()) return Intrinsics.set(type, address, value);
            List<Type> types = List.of(layoutType, Type.LONG_TYPE, type);
            return Code.callInterface(SEGMENT, "set", Type.VOID_TYPE, types, ALL, layout, within(address), value);
        }
    }

    /** The element of memory type {@code t} at {@code address}, in its register type. */
    public static Code load(DType t, Code address) {
        Code raw = loadRaw(t, address);
        return switch (t) {
            case F64, F32, I64, I32 -> raw;
            case I16, I8 -> Code.cast(Type.INT_TYPE, raw);
            case U8 -> Code.and(Code.cast(Type.INT_TYPE, raw), Code.constant(0xff));
            case F16 -> Code.call(MATH, "fromF16", Type.FLOAT_TYPE, raw);
            case BF16 -> Code.call(MATH, "fromBf16", Type.FLOAT_TYPE, raw);
            case BOOL -> Code.compare(Compare.Op.NE, Code.cast(Type.INT_TYPE, raw), Code.constant(0));
        };
    }

    /** Stores a value of {@code t}'s register type as an element of memory type {@code t}. */
    public static Code store(DType t, Code address, Code value) {
        Code raw =
                switch (t) {
                    case F64, F32, I64, I32 -> value;
                    case I16 -> Code.cast(Type.SHORT_TYPE, value);
                    case I8, U8 -> Code.cast(Type.BYTE_TYPE, value);
                    case F16 -> Code.call(MATH, "toF16", Type.SHORT_TYPE, value);
                    case BF16 -> Code.call(MATH, "toBf16", Type.SHORT_TYPE, value);
                    case BOOL -> value;
                };
        return Access.of(t).set(address, raw);
    }

    /** The element at {@code address} as its bits lie there. */
    static Code loadRaw(DType t, Code address) {
        return Access.of(t).get(address);
    }

    /** Stores what {@link #loadRaw} gave. */
    static Code storeRaw(DType t, Code address, Code raw) {
        return Access.of(t).set(address, raw);
    }

    /** A copy of the first {@code count} slots of the parameter block at address {@code params}. */
    static Code slots(Code params, int count) {
        return Code.call(SUPPORT, "slots", SLOTS, params, Code.constant(count));
    }

    /**
     * The 8 bytes of slot {@code slot} of a parameter block, as an i64.
     *
     * @param params the block's address, or its {@link #slots}
     */
    public static Code slot(Code params, int slot) {
        if (params.type().equals(SLOTS)) return Code.element(params, slot);
        return loadRaw(DType.I64, Code.add(params, Code.constant(8L * slot)));
    }

    /** Slot {@code slot} as a scalar of register type {@code t}: its raw bits are the low bytes. */
    public static Code slot(Code params, int slot, DType t) {
        Code bits = slot(params, slot);
        return switch (t) {
            case I64 -> bits;
            case I32 -> Code.cast(Type.INT_TYPE, bits);
            case F64 -> Code.call(Code.object("java/lang/Double"), "longBitsToDouble", Type.DOUBLE_TYPE, bits);
            case F32 ->
                Code.call(
                        Code.object("java/lang/Float"),
                        "intBitsToFloat",
                        Type.FLOAT_TYPE,
                        Code.cast(Type.INT_TYPE, bits));
            case BOOL -> Code.compare(Compare.Op.NE, bits, Code.constant(0L));
            case F16, BF16, I16, I8, U8 -> throw new IllegalArgumentException(t + " is not a register type");
        };
    }
}
