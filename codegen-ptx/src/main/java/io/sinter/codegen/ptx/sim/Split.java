// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/**
 * Lanes of a warp that are at one place of the program. A warp begins as one; a branch that lanes take differently makes two, which
 * become one again where all ways from the branch meet (its immediate post-dominator).
 */
final class Split {
    /** Why a split does not go on. */
    enum State {
        RUNNING,
        /** At a barrier of the CTA or the cluster. */
        BARRIER,
        /** At an instruction that other lanes of the warp must execute too. */
        LANES,
        /** Asks an mbarrier again and again. */
        POLLING
    }

    /** Where splits of one branch meet. */
    static final class Join {
        final int pc;
        final Join parent;
        int expected;
        int arrived;

        Join(int pc, int expected, Join parent) {
            this.pc = pc;
            this.expected = expected;
            this.parent = parent;
        }
    }

    int pc;
    int mask;
    Join join;
    State state = State.RUNNING;
    /** Lanes that must come to the same instruction, while this waits for lanes. */
    int awaited;

    Split(int pc, int mask, Join join) {
        this.pc = pc;
        this.mask = mask;
        this.join = join;
    }

    /** Where this ends and becomes part of another; −1 if nowhere. */
    int joinPc() {
        return join == null ? -1 : join.pc;
    }
}
