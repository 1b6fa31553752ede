// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;
import java.util.Locale;

/** Logic, shifts, and moves of bits. */
public sealed interface Bitwise extends Instruction {
    /** Logic of two operands. */
    enum LogicOp {
        AND,
        OR,
        XOR;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** {@code d = a op b}, of predicates too. */
    record Logic(LogicOp op, PtxType type, Operand d, Operand a, Operand b) implements Bitwise {
        @Override
        public String opcode() {
            return op + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b);
        }
    }

    /** {@code d = ~a}; logical ({@code cnot}): {@code d = a == 0 ? 1 : 0}. */
    record Invert(boolean logical, PtxType type, Operand d, Operand a) implements Bitwise {
        @Override
        public String opcode() {
            return (logical ? "cnot." : "not.") + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a);
        }
    }

    /** Any logic of three operands; {@code lut} is its result for a = 0xF0, b = 0xCC, c = 0xAA. */
    record Lookup3(Operand d, Operand a, Operand b, Operand c, int lut) implements Bitwise {
        @Override
        public String opcode() {
            return "lop3.b32";
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c, new Operand.Int(lut));
        }
    }

    /** {@code d = a << b}, or {@code a >> b}, arithmetic for signed types; a count of the width or more shifts everything out. */
    record Shift(boolean left, PtxType type, Operand d, Operand a, Operand b) implements Bitwise {
        @Override
        public String opcode() {
            return (left ? "shl." : "shr.") + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b);
        }
    }

    /** Shifts the 64 bits {@code b:a} by {@code c}, clamped to 32 or modulo 32; left gives the high word, right the low one. */
    record FunnelShift(boolean left, boolean wrap, Operand d, Operand a, Operand b, Operand c) implements Bitwise {
        @Override
        public String opcode() {
            return "shf." + (left ? "l" : "r") + (wrap ? ".wrap" : ".clamp") + ".b32";
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }

    /** {@code d} = the {@code c} bits of {@code a} from bit {@code b} on, extended by the type's sign. */
    record Extract(PtxType type, Operand d, Operand a, Operand b, Operand c) implements Bitwise {
        @Override
        public String opcode() {
            return "bfe." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }

    /** {@code f} = {@code b} with its {@code len} bits from {@code pos} on replaced by the low ones of {@code a}. */
    record Insert(PtxType type, Operand f, Operand a, Operand b, Operand pos, Operand len) implements Bitwise {
        @Override
        public String opcode() {
            return "bfi." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(f, a, b, pos, len);
        }
    }

    /** Picks four of the eight bytes of {@code b:a}. */
    record Permute(Mode mode, Operand d, Operand a, Operand b, Operand c) implements Bitwise {
        /** How {@code c} is read. */
        public enum Mode {
            /** Each nibble of c names a byte; its top bit spreads that byte's sign. */
            NONE,
            F4E,
            B4E,
            RC8,
            ECL,
            ECR,
            RC16;

            String modifier() {
                return this == NONE ? "" : "." + name().toLowerCase(Locale.ROOT);
            }
        }

        @Override
        public String opcode() {
            return "prmt.b32" + mode.modifier();
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }
}
