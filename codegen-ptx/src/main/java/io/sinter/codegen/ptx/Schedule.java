// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

/**
 * Which of a kernel's forms a launch takes: a pure function of the kernel, its parameter block and the target ({@link PtxCodegen#schedule}).
 * There are finitely many, each a piece of code of its own. Equal schedules are {@code equals}.
 */
public sealed interface Schedule
        permits Schedule.Only,
                Schedule.AnyOrder,
                Schedule.ByPlace,
                AttentionSchedule,
                GemmSchedule,
                RowSchedule,
                ScanSchedule {
    /** The form in a few words that say all of it: other forms of a kernel have others. */
    String text();

    /** Of kernels that have one form for all launches. */
    record Only() implements Schedule {
        @Override
        public String text() {
            return "the only one";
        }
    }

    /** Of scatters whose updates may come in any order: by atomic instructions. */
    record AnyOrder() implements Schedule {
        @Override
        public String text() {
            return "any order";
        }
    }

    /**
     * Of scatters of slices: those of one place in their order, by a warp, and places beside each other.
     *
     * @param whole whether a warp updates whole slices; else a task's part of them
     */
    record ByPlace(boolean whole) implements Schedule {
        @Override
        public String text() {
            return whole ? "by place, whole slices" : "by place";
        }
    }
}
