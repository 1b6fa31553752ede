// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;
import java.util.Locale;

/** Arithmetic on integers and floats. */
public sealed interface Arithmetic extends Instruction {
    /** Binary operations other than products of integers. */
    enum BinaryOp {
        ADD,
        SUB,
        /** Of floats only; see {@link Multiply}. */
        MUL,
        DIV,
        /** Of integers only. */
        REM,
        MIN,
        MAX,
        COPYSIGN;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Operations on one integer or float. */
    enum UnaryOp {
        ABS,
        NEG,
        /** Number of ones. */
        POPC,
        /** Number of leading zeros. */
        CLZ,
        /** The bits in reverse. */
        BREV,
        /** Position of the highest bit that differs from the sign, −1 if there is none. */
        BFIND("bfind"),
        /** The shift that brings that bit to the top. */
        BFIND_SHIFTAMT("bfind.shiftamt");

        private final String text;

        UnaryOp() {
            text = name().toLowerCase(Locale.ROOT);
        }

        UnaryOp(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** Functions of one float. */
    enum Function {
        RCP,
        SQRT,
        RSQRT,
        SIN,
        COS,
        /** Logarithm to base 2. */
        LG2,
        /** 2 to the power of the operand. */
        EX2,
        TANH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Which part of a product of two integers. */
    enum Part {
        LO,
        HI,
        /** The whole: the result has twice the bits of the operands, whose type the instruction names. */
        WIDE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** {@code d = a op b}. */
    record Binary(BinaryOp op, FloatMode mode, PtxType type, Operand d, Operand a, Operand b) implements Arithmetic {
        @Override
        public String opcode() {
            return op + mode.toString() + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b);
        }
    }

    /** {@code d = a + b}, {@code a - b}, or {@code c + a * b} with a carry in and out: the limbs of long integers. */
    record Carry(BinaryOp op, boolean in, boolean out, PtxType type, Operand d, Operand a, Operand b)
            implements Arithmetic {
        @Override
        public String opcode() {
            return op + (in ? "c" : "") + Instruction.flag(out, "cc") + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b);
        }
    }

    /** {@code d = a * b} of integers. */
    record Multiply(Part part, PtxType type, Operand d, Operand a, Operand b) implements Arithmetic {
        @Override
        public String opcode() {
            return "mul." + part + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b);
        }
    }

    /** {@code d = a * b + c} of integers. */
    record MultiplyAdd(Part part, boolean sat, PtxType type, Operand d, Operand a, Operand b, Operand c)
            implements Arithmetic {
        @Override
        public String opcode() {
            return "mad." + part + Instruction.flag(sat, "sat") + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }

    /** {@code d = a * b + c} of floats, rounded once. {@code mad} of floats is this too. */
    record Fma(FloatMode mode, PtxType type, Operand d, Operand a, Operand b, Operand c) implements Arithmetic {
        @Override
        public String opcode() {
            return "fma" + mode + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }

    /** {@code d = op a}. */
    record Unary(UnaryOp op, FloatMode mode, PtxType type, Operand d, Operand a) implements Arithmetic {
        @Override
        public String opcode() {
            return op + mode.toString() + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a);
        }
    }

    /** {@code d = f(a)}. */
    record Apply(Function function, FloatMode mode, PtxType type, Operand d, Operand a) implements Arithmetic {
        @Override
        public String opcode() {
            return function + mode.toString() + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a);
        }
    }

    /** {@code d = c + |a - b|}. */
    record AbsoluteDifference(PtxType type, Operand d, Operand a, Operand b, Operand c) implements Arithmetic {
        @Override
        public String opcode() {
            return "sad." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }

    /** {@code d = c + Σ a[i] * b[i]} over the four bytes of a and b. */
    record DotBytes(PtxType aType, PtxType bType, Operand d, Operand a, Operand b, Operand c) implements Arithmetic {
        @Override
        public String opcode() {
            return "dp4a." + aType + "." + bType;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }
}
