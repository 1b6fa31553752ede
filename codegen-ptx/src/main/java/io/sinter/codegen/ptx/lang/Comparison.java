// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Comparisons and choices. */
public sealed interface Comparison extends Instruction {
    /** Relations. Those that end in U hold for unordered floats too; LO, LS, HI and HS compare unsigned. */
    enum Relation {
        EQ,
        NE,
        LT,
        LE,
        GT,
        GE,
        LO,
        LS,
        HI,
        HS,
        EQU,
        NEU,
        LTU,
        LEU,
        GTU,
        GEU,
        /** Neither is NaN. */
        NUM,
        /** One is NaN. */
        NAN;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * {@code p = (a relation b) combine c}, and {@code q} the same of the opposite relation.
     *
     * @param d a predicate, or a {@link Operand.Pair} of two
     * @param combine null for none, and then {@code c} is null
     */
    record SetPredicate(
            Relation relation,
            Bitwise.LogicOp combine,
            boolean ftz,
            PtxType type,
            Operand d,
            Operand a,
            Operand b,
            Operand c)
            implements Comparison {
        public SetPredicate {
            if ((combine == null) != (c == null)) throw new IllegalArgumentException("combine without operand");
        }

        @Override
        public String opcode() {
            return "setp." + relation + (combine == null ? "" : "." + combine) + Instruction.flag(ftz, "ftz") + "."
                    + type;
        }

        @Override
        public List<Operand> operands() {
            return c == null ? List.of(d, a, b) : List.of(d, a, b, c);
        }
    }

    /** As {@link SetPredicate}, to a number: all ones or 0 of an integer type, 1.0 or 0.0 of f32. */
    record SetValue(
            Relation relation,
            Bitwise.LogicOp combine,
            boolean ftz,
            PtxType dType,
            PtxType type,
            Operand d,
            Operand a,
            Operand b,
            Operand c)
            implements Comparison {
        @Override
        public String opcode() {
            return "set." + relation + (combine == null ? "" : "." + combine) + Instruction.flag(ftz, "ftz") + "."
                    + dType + "." + type;
        }

        @Override
        public List<Operand> operands() {
            List<Operand> o = new ArrayList<>(List.of(d, a, b));
            if (c != null) o.add(c);
            return o;
        }
    }

    /** {@code d = p ? a : b}. */
    record Select(PtxType type, Operand d, Operand a, Operand b, Operand p) implements Comparison {
        @Override
        public String opcode() {
            return "selp." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, p);
        }
    }

    /** {@code d = c >= 0 ? a : b}. */
    record SelectBySign(boolean ftz, PtxType type, PtxType signType, Operand d, Operand a, Operand b, Operand c)
            implements Comparison {
        @Override
        public String opcode() {
            return "slct" + Instruction.flag(ftz, "ftz") + "." + type + "." + signType;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, c);
        }
    }

    /** {@code p} = whether {@code a} is of a class of floats. */
    record TestFloat(FloatClass kind, PtxType type, Operand p, Operand a) implements Comparison {
        /** Classes of floats. */
        public enum FloatClass {
            FINITE,
            INFINITE,
            NUMBER,
            NOTANUMBER,
            NORMAL,
            SUBNORMAL;

            @Override
            public String toString() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        @Override
        public String opcode() {
            return "testp." + kind + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(p, a);
        }
    }
}
