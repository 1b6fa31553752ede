// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.jvm;

import io.sinter.codegen.jvm.bytecode.Code;
import io.sinter.ir.DType;
import java.util.List;
import org.objectweb.asm.Type;

/**
 * A vector species of the Vector API: element type and number of lanes. Element types are f64, f32, i64, i32,
 * i16 (ShortVector) and i8 (ByteVector).
 */
public record Species(DType element, int lanes) {
    static final String PACKAGE = "jdk/incubator/vector/";
    static final Type SPECIES = Code.object(PACKAGE + "VectorSpecies");
    static final Type VECTOR = Code.object(PACKAGE + "Vector");
    static final Type MASK = Code.object(PACKAGE + "VectorMask");
    static final Type SHUFFLE = Code.object(PACKAGE + "VectorShuffle");

    public int bits() {
        return element.bytes() * 8 * lanes;
    }

    /** Whether the Vector API has this shape. */
    public boolean exists() {
        int bits = bits();
        return bits == 64 || bits == 128 || bits == 256 || bits == 512;
    }

    /** The class of vectors, e.g. {@code FloatVector}. */
    public Type vectorType() {
        return Code.object(PACKAGE
                + switch (element) {
                    case F64 -> "DoubleVector";
                    case F32 -> "FloatVector";
                    case I64 -> "LongVector";
                    case I32 -> "IntVector";
                    case I16 -> "ShortVector";
                    case I8 -> "ByteVector";
                    case F16, BF16, U8, BOOL -> throw new IllegalArgumentException("no vectors of " + element);
                });
    }

    /** The JVM type of one lane. */
    public Type laneType() {
        return switch (element) {
            case F64 -> Type.DOUBLE_TYPE;
            case F32 -> Type.FLOAT_TYPE;
            case I64 -> Type.LONG_TYPE;
            case I32 -> Type.INT_TYPE;
            case I16 -> Type.SHORT_TYPE;
            case I8 -> Type.BYTE_TYPE;
            case F16, BF16, U8, BOOL -> throw new IllegalArgumentException("no vectors of " + element);
        };
    }

    /** The species object, a static final of the JDK. */
    public Code code() {
        if (!exists()) throw new IllegalArgumentException("no vector shape of " + bits() + " bits for " + this);
        return Code.getStatic(vectorType(), "SPECIES_" + bits(), SPECIES);
    }

    /** The species of another element type with as many lanes. */
    public Species of(DType other) {
        return new Species(other, lanes);
    }

    /** The integers of a number of bytes. */
    static DType integer(int bytes) {
        return switch (bytes) {
            case 1 -> DType.I8;
            case 2 -> DType.I16;
            case 4 -> DType.I32;
            case 8 -> DType.I64;
            default -> throw new IllegalArgumentException("no integers of " + bytes + " bytes");
        };
    }

    /** The integer species of the same width. */
    public Species integral() {
        return switch (element) {
            case F32 -> of(DType.I32);
            case F64 -> of(DType.I64);
            case F16, BF16, I64, I32, I16, I8, U8, BOOL -> this;
        };
    }

    /** Mask of the lanes {@code l} with {@code offset + l < limit}; both ints. */
    public Code indexInRange(Code offset, Code limit) {
        List<Type> types = List.of(offset.type(), limit.type());
        return Code.callInterface(SPECIES, "indexInRange", MASK, types, code(), offset, limit);
    }
}
