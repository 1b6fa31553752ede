// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;

/** Moves and conversions of values and addresses. */
public sealed interface Movement extends Instruction {
    /** {@code d = a}; a vector on one side packs or unpacks, its first element in the low bits. */
    record Move(PtxType type, Operand d, Operand a) implements Movement {
        @Override
        public String opcode() {
            return "mov." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a);
        }
    }

    /**
     * {@code d = (dType) a}; two operands are packed, {@code a} into the high half.
     *
     * @param b null for a single operand
     */
    record Convert(FloatMode mode, PtxType dType, PtxType aType, Operand d, Operand a, Operand b) implements Movement {
        @Override
        public String opcode() {
            return "cvt" + mode + "." + dType + "." + aType;
        }

        @Override
        public List<Operand> operands() {
            return b == null ? List.of(d, a) : List.of(d, a, b);
        }
    }

    /** {@code d} = generic address of address {@code a} in a space, or back. */
    record ConvertAddress(boolean toSpace, Space space, PtxType type, Operand d, Operand a) implements Movement {
        @Override
        public String opcode() {
            return "cvta" + Instruction.flag(toSpace, "to") + space.modifier() + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a);
        }
    }

    /** {@code p} = whether a generic address lies in a space. */
    record IsSpace(Space space, Operand p, Operand a) implements Movement {
        @Override
        public String opcode() {
            return "isspacep" + space.modifier();
        }

        @Override
        public List<Operand> operands() {
            return List.of(p, a);
        }
    }

    /** {@code d} = address in the cluster's shared memory of what CTA {@code rank} has at address {@code a} of its own. */
    record MapAddress(Space space, PtxType type, Operand d, Operand a, Operand rank) implements Movement {
        @Override
        public String opcode() {
            return "mapa" + space.modifier() + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, rank);
        }
    }
}
