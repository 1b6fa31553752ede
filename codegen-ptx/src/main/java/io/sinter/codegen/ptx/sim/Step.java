// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/**
 * One translated instruction. Registers are named by their number in {@link Warp#regs}, predicates by theirs in {@link Warp#preds}.
 */
abstract class Step {
    static final int[] NONE = {};

    /** Line of the PTX text. */
    int line;
    /** {@code file:line:column}; empty if unknown. */
    String source = "";
    /** The instruction's text, for messages. */
    String text = "";
    /** Predicate that guards this, or −1. */
    int guard = -1;

    boolean negated;
    /** Registers and predicates that must hold a value in the lanes that execute this. */
    int[] reads = NONE;

    int[] predicateReads = NONE;
    /** Registers and predicates that hold one afterwards. */
    int[] writes = NONE;

    int[] predicateWrites = NONE;

    /** A step that only computes: it is skipped when no lane executes it, and the next one follows. */
    abstract static class Plain extends Step {
        /** Executes this for the lanes of a mask, which is not empty. */
        abstract void run(Warp w, int mask);
    }

    /** A step that may wait, or go elsewhere. */
    abstract static class Flow extends Step {
        /**
         * Executes this for the lanes of a mask, which may be empty; moves the split's place in the program.
         *
         * @return false if the split cannot go on at present
         */
        abstract boolean run(Warp w, Split s, int mask);
    }
}
