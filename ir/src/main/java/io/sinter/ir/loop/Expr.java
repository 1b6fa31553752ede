// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import io.sinter.ir.DType;

/**
 * Typed scalar code of the loop IR. Types are register types only: f64, f32, i64, i32, bool; memory types appear in {@link Load} and
 * {@link Stmt.Store}, which convert (f16/bf16 to f32 and back rounding to nearest even; small integers to i32 and back by truncation;
 * bool is a byte 0 or 1). Sub-expressions may be shared: a generator evaluates an {@code Expr} object once per place where it is valid.
 */
public sealed interface Expr {
    DType dtype();

    /** A constant; {@code bits} are the raw bits of the value (double, float, long, int; bool 0 or 1). */
    record Const(DType dtype, long bits) implements Expr {
        public static Const of(DType t, double v) {
            return new Const(
                    t,
                    switch (t) {
                        case F64 -> Double.doubleToRawLongBits(v);
                        case F32 -> Float.floatToRawIntBits((float) v) & 0xffffffffL;
                        case I64 -> (long) v;
                        case I32 -> (int) v & 0xffffffffL;
                        case BOOL -> v != 0 ? 1 : 0;
                        case F16, BF16, I16, I8, U8 ->
                            throw new IllegalArgumentException(t + " is not a register type");
                    });
        }

        public static Const ofLong(DType t, long v) {
            return t == DType.I64 ? new Const(t, v) : t == DType.I32 ? new Const(t, v & 0xffffffffL) : of(t, v);
        }
    }

    /** A scalar argument of the kernel: the raw bits at 8-byte slot {@code slot} of the parameter block. */
    record Arg(DType dtype, int slot) implements Expr {}

    /** The value of an index expression, as i64 (or i32 where {@code dtype} says so and it is known to fit). */
    record IndexValue(DType dtype, Index index) implements Expr {}

    /** A local defined by {@link Stmt.Let} or an accumulator declared by {@link Stmt.Declare}. */
    record Ref(Local local) implements Expr {
        @Override
        public DType dtype() {
            return local.dtype();
        }
    }

    /**
     * The element at {@code index} of {@code buffer}. With a mask the element is only read (and its index evaluated) where the mask is true, and is {@code otherwise}
     * elsewhere (both null without a mask).
     */
    record Load(Buf buffer, Index index, Expr mask, Expr otherwise) implements Expr {
        public Load(Buf buffer, Index index) {
            this(buffer, index, null, null);
        }

        @Override
        public DType dtype() {
            return buffer.dtype().compute();
        }
    }

    record Un(Prim1 op, Expr a) implements Expr {
        @Override
        public DType dtype() {
            return op.isTest() ? DType.BOOL : a.dtype();
        }
    }

    /** Both operands have one type (shifts too); comparisons give bool. */
    record Bin(Prim2 op, Expr a, Expr b) implements Expr {
        public Bin {
            if (a.dtype() != b.dtype())
                throw new IllegalArgumentException(op + " of " + a.dtype() + " and " + b.dtype());
        }

        @Override
        public DType dtype() {
            return op.isComparison() ? DType.BOOL : a.dtype();
        }
    }

    /** {@code cond ? a : b}; both are evaluated, with their index checks. */
    record Select(Expr cond, Expr a, Expr b) implements Expr {
        public Select {
            if (cond.dtype() != DType.BOOL || a.dtype() != b.dtype()) {
                throw new IllegalArgumentException("select of " + cond.dtype() + ", " + a.dtype() + ", " + b.dtype());
            }
        }

        @Override
        public DType dtype() {
            return a.dtype();
        }
    }

    /** {@code a * b + c}, rounded once. Floats. */
    record Fma(Expr a, Expr b, Expr c) implements Expr {
        @Override
        public DType dtype() {
            return a.dtype();
        }
    }

    /**
     * Conversion between register types. Float to integer truncates toward zero, saturates, NaN is 0 (Java's rule); to bool is {@code != 0}.
     */
    record Convert(DType dtype, Expr a) implements Expr {}

    /**
     * Rounds to a narrower memory type and back into the register type: {@code f16}, {@code bf16} (nearest even) for an f32; {@code i16},
     * {@code i8} (sign extension), {@code u8} (zero extension) for an i32.
     */
    record Narrow(DType to, Expr a) implements Expr {
        @Override
        public DType dtype() {
            return a.dtype();
        }
    }

    /** Same bits, other type of the same width (f32–i32, f64–i64). */
    record Bits(DType dtype, Expr a) implements Expr {}

    /**
     * A data-dependent index, checked: if {@code value} (i64) is in {@code [-bound, bound)} (or {@code [0, bound)} unless {@code wrap}) this is
     * the value, with {@code bound} added where it was negative. Otherwise the kernel's error record is set (see {@link Buf}: the first error
     * wins: site number, value, bound) and this is 0.
     *
     * @param site number of the checking operator within the program, for the error message; a parameter
     */
    record Checked(Expr value, Coef bound, boolean wrap, Coef site) implements Expr {
        @Override
        public DType dtype() {
            return DType.I64;
        }
    }

    static Expr bin(Prim2 op, Expr a, Expr b) {
        return new Bin(op, a, b);
    }

    static Expr un(Prim1 op, Expr a) {
        return new Un(op, a);
    }
}
