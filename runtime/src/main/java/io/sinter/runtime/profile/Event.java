// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

/**
 * Something on the time line, as {@link EventLog} gives it back.
 *
 * @param thread its number among the profile's threads
 * @param start by {@link System#nanoTime}
 * @param nanos until its end
 * @param subject as its kind says; else null
 * @param value as its kind says; else 0
 * @param parts of a launch: {@value Profile#PART} numbers for each part that a worker did: worker, start, nanoseconds, tasks. Empty where they are not known
 */
record Event(Kind kind, int thread, long start, long nanos, Object subject, long value, long[] parts) {
    enum Kind {
        /** A kernel, library routine or copy; {@code subject} is its {@link Row}. */
        LAUNCH("kernel"),
        /** A run of a program; {@code value} is the program's number. */
        RUN("program"),
        /** Tracing at a line of the user's; {@code subject} is its {@code Source}. */
        LINE("line"),
        /** A range that the user named; {@code subject} is the name. */
        RANGE("range"),
        /** A training step; {@code value} is its number. */
        STEP("step"),
        /** A program was compiled, or found on disk; {@code subject} says which, {@code value} is the number of kernels. */
        COMPILE("compile"),
        /** Memory was allocated or freed; {@code value} is what is live now. */
        MEMORY("memory");

        /** Of such events in a time line's file. */
        final String category;

        Kind(String category) {
            this.category = category;
        }
    }

    long end() {
        return start + nanos;
    }
}
