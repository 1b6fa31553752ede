// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** The types of PTX: of registers, of variables, and of instructions. */
public enum PtxType {
    PRED(1, Kind.PREDICATE),
    B1(1, Kind.BITS),
    B8(8, Kind.BITS),
    B16(16, Kind.BITS),
    B32(32, Kind.BITS),
    B64(64, Kind.BITS),
    B128(128, Kind.BITS),
    U4(4, Kind.UNSIGNED),
    U8(8, Kind.UNSIGNED),
    U16(16, Kind.UNSIGNED),
    U32(32, Kind.UNSIGNED),
    U64(64, Kind.UNSIGNED),
    S4(4, Kind.SIGNED),
    S8(8, Kind.SIGNED),
    S16(16, Kind.SIGNED),
    S32(32, Kind.SIGNED),
    S64(64, Kind.SIGNED),
    F16(16, Kind.FLOAT),
    BF16(16, Kind.FLOAT),
    F32(32, Kind.FLOAT),
    F64(64, Kind.FLOAT),
    /** A 32-bit float of which a tensor core reads 10 bits of mantissa. */
    TF32(32, Kind.FLOAT),
    E4M3(8, Kind.FLOAT),
    E5M2(8, Kind.FLOAT),
    /** Two values of 16 bits in one of 32, the first in the low half. */
    F16X2(32, Kind.FLOAT),
    BF16X2(32, Kind.FLOAT),
    U16X2(32, Kind.UNSIGNED),
    S16X2(32, Kind.SIGNED),
    E4M3X2(16, Kind.FLOAT),
    E5M2X2(16, Kind.FLOAT);

    /** How the bits of a type are to be read. */
    public enum Kind {
        PREDICATE,
        BITS,
        UNSIGNED,
        SIGNED,
        FLOAT
    }

    private static final Map<String, PtxType> BY_NAME = new HashMap<>();

    static {
        for (PtxType t : values()) BY_NAME.put(t.text, t);
    }

    private final int bits;
    private final Kind kind;
    private final String text;

    PtxType(int bits, Kind kind) {
        this.bits = bits;
        this.kind = kind;
        this.text = name().toLowerCase(Locale.ROOT);
    }

    /** The type of a name without its dot, such as {@code f32}; null if there is none. */
    public static PtxType find(String name) {
        return BY_NAME.get(name);
    }

    public int bits() {
        return bits;
    }

    /** Bytes in memory. */
    public int bytes() {
        return (bits + 7) / 8;
    }

    public Kind kind() {
        return kind;
    }

    public boolean isFloat() {
        return kind == Kind.FLOAT;
    }

    public boolean isSigned() {
        return kind == Kind.SIGNED;
    }

    /** Whether one value is two packed ones. */
    public boolean isPair() {
        return switch (this) {
            case F16X2, BF16X2, U16X2, S16X2, E4M3X2, E5M2X2 -> true;
            default -> false;
        };
    }

    /** The untyped type of the same width, of which a register can be declared. */
    public PtxType bitsType() {
        return switch (bits) {
            case 1 -> PRED;
            case 8 -> B8;
            case 16 -> B16;
            case 32 -> B32;
            case 64 -> B64;
            case 128 -> B128;
            default -> throw new IllegalStateException(this + " fits no register");
        };
    }

    /** The name without its dot. */
    @Override
    public String toString() {
        return text;
    }
}
