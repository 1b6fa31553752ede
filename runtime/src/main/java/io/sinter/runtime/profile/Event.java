// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

/** Something on the time line. Times are those of {@link System#nanoTime}. */
final class Event {
    enum Kind {
        /** A kernel, library routine or copy; {@code subject} is its {@link Row}. */
        LAUNCH("kernel"),
        /** A run of a program; {@code subject} is the program's number. */
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

    final Kind kind;
    final int thread;
    final long start;
    final Object subject;
    final long value;
    long nanos;
    /** Of a launch: {@value Profile#PART} numbers for each part that a worker did: worker, start, nanoseconds, tasks. Null where it is not known. */
    long[] parts;

    Event(Kind kind, int thread, long start, long nanos, Object subject, long value) {
        this.kind = kind;
        this.thread = thread;
        this.start = start;
        this.nanos = nanos;
        this.subject = subject;
        this.value = value;
    }

    long end() {
        return start + nanos;
    }
}
