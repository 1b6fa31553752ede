// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

/**
 * Element types. Names follow the text form of the IR ({@code f32}, {@code i64}, …).
 *
 * <p>Semantics, as in PyTorch: integer arithmetic wraps at its width, {@code u8} is unsigned, {@code bool} is stored as one
 * byte 0 or 1, {@code f16} and {@code bf16} are stored as 16 bits and computed in f32 (rounded to nearest even when stored).
 */
public enum DType {
    F64("f64", 8, Category.FLOAT),
    F32("f32", 4, Category.FLOAT),
    F16("f16", 2, Category.FLOAT),
    BF16("bf16", 2, Category.FLOAT),
    I64("i64", 8, Category.INT),
    I32("i32", 4, Category.INT),
    I16("i16", 2, Category.INT),
    I8("i8", 1, Category.INT),
    U8("u8", 1, Category.INT),
    BOOL("bool", 1, Category.BOOL);

    /** The promotion lattice's levels: a scalar of a lower category never widens a tensor of a higher one. */
    public enum Category {
        BOOL,
        INT,
        FLOAT
    }

    private final String text;
    private final int bytes;
    private final Category category;

    DType(String text, int bytes, Category category) {
        this.text = text;
        this.bytes = bytes;
        this.category = category;
    }

    /** Size of one element in memory, in bytes. */
    public int bytes() {
        return bytes;
    }

    public Category category() {
        return category;
    }

    public boolean isFloat() {
        return category == Category.FLOAT;
    }

    /** True for the integer types, not for bool. */
    public boolean isInt() {
        return category == Category.INT;
    }

    public boolean isBool() {
        return this == BOOL;
    }

    /**
     * The type in which values of this type are held in registers by generated code: f16 and bf16 in f32, small integers in i32
     * (wrapped to their width after each operation), the rest as themselves.
     */
    public DType compute() {
        return switch (this) {
            case F16, BF16 -> F32;
            case I16, I8, U8 -> I32;
            case F64, F32, I64, I32, BOOL -> this;
        };
    }

    /** The dtype of the text form's name, or an {@link IllegalArgumentException} that lists the names. */
    public static DType parse(String text) {
        for (DType d : values()) {
            if (d.text.equals(text)) return d;
        }
        throw new IllegalArgumentException(
                "unknown dtype '" + text + "'; known: " + java.util.Arrays.toString(values()));
    }

    @Override
    public String toString() {
        return text;
    }
}
