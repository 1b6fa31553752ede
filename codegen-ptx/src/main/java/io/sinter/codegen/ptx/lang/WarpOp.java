// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;
import java.util.Locale;

/** What the threads of a warp do together; {@code mask} names the lanes that take part, all of which must execute it. */
public sealed interface WarpOp extends Instruction {
    /** Where a lane reads from. */
    enum ShuffleMode {
        UP,
        DOWN,
        BFLY,
        IDX;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * {@code d} = {@code a} of another lane.
     *
     * @param d a register, or a {@link Operand.Pair} of it and a predicate that tells whether the source was in range
     * @param b lane or distance
     * @param clamp the clamp in bits 0–4, and in bits 8–12 the mask that makes segments
     */
    record Shuffle(ShuffleMode shuffle, Operand d, Operand a, Operand b, Operand clamp, Operand mask)
            implements WarpOp {
        @Override
        public String opcode() {
            return "shfl.sync." + shuffle + ".b32";
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, b, clamp, mask);
        }
    }

    /** {@code d} = whether all, any, or equally all lanes hold {@code p}; or the lanes that do. */
    record Vote(Mode vote, Operand d, Operand p, Operand mask) implements WarpOp {
        /** The question. */
        public enum Mode {
            ALL,
            ANY,
            UNI,
            BALLOT;

            @Override
            public String toString() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        @Override
        public String opcode() {
            return "vote.sync." + vote + (vote == Mode.BALLOT ? ".b32" : ".pred");
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, p, mask);
        }
    }

    /** {@code d} = the lanes whose {@code a} is equal; with {@code all}, those of the mask if all are equal, else 0. */
    record Match(boolean all, PtxType type, Operand d, Operand a, Operand mask) implements WarpOp {
        @Override
        public String opcode() {
            return "match." + (all ? "all" : "any") + ".sync." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, mask);
        }
    }

    /** {@code d} = the reduction of {@code a} over the lanes. */
    record Reduce(Memory.AtomicOp op, PtxType type, Operand d, Operand a, Operand mask) implements WarpOp {
        @Override
        public String opcode() {
            return "redux.sync." + op + "." + type;
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, a, mask);
        }
    }

    /** {@code d} = the lanes that execute this. */
    record ActiveMask(Operand d) implements WarpOp {
        @Override
        public String opcode() {
            return "activemask.b32";
        }

        @Override
        public List<Operand> operands() {
            return List.of(d);
        }
    }

    /** Chooses one lane: {@code d} is a pair of its number and the predicate that holds in it alone. */
    record Elect(Operand d, Operand mask) implements WarpOp {
        @Override
        public String opcode() {
            return "elect.sync";
        }

        @Override
        public List<Operand> operands() {
            return List.of(d, mask);
        }
    }

    /** Waits for the lanes of the mask, and makes their memory accesses visible to each other. */
    record Barrier(Operand mask) implements WarpOp {
        @Override
        public String opcode() {
            return "bar.warp.sync";
        }

        @Override
        public List<Operand> operands() {
            return List.of(mask);
        }
    }
}
