// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/** Branches, and the ends of threads. */
final class ControlSteps {
    private ControlSteps() {}

    /** Goes to a step that is known when all of the kernel is translated. */
    static final class Branch extends Step.Flow {
        private final int[] target;
        /** Where the ways from here meet; −1: nowhere before the end. */
        int meet = -1;

        Branch(int[] target) {
            this.target = target;
        }

        int target() {
            return target[0];
        }

        @Override
        boolean run(Warp w, Split s, int mask) {
            w.branch(s, mask, target[0], meet);
            return true;
        }
    }

    /** Ends threads. */
    static final class Exit extends Step.Flow {
        @Override
        boolean run(Warp w, Split s, int mask) {
            if (mask == 0) s.pc++;
            else w.exit(s, mask);
            return true;
        }
    }

    /** Ends the launch. */
    static final class Trap extends Step.Plain {
        @Override
        void run(Warp w, int mask) {
            throw w.fault(SimFault.Kind.TRAP, Integer.numberOfTrailingZeros(mask), "the kernel executed trap");
        }
    }

    /** Concerns time alone. */
    static final class Nothing extends Step.Plain {
        @Override
        void run(Warp w, int mask) {}
    }
}
