// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.Target;
import io.sinter.ir.loop.LoopKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * The form of a scan whose lines are long and few: CTAs share a line, each taking a part of it.
 *
 * @param parts of a line, a power of two; if there are several, a first kernel adds up each part and a second one scans it
 */
record ScanSchedule(int parts) implements Schedule {
    /** Most parts: a thread of a CTA reads what one of them adds up to. */
    static final int MAX_PARTS = ScanEmitter.THREADS;

    /** A line this short is one thread's. */
    private static final long SHORT = 128;

    /** Lines for each multiprocessor that keep it busy if each is one thread's. */
    private static final long MANY = 256;

    /** CTAs for each multiprocessor that parts are to make. */
    private static final long CTAS = 2;

    /** Elements that a part has at least. */
    private static final long LEAST = 2048;

    /** The form for a launch; null if a thread is to take a line by itself, or the kernel is no scan. */
    static ScanSchedule choose(LoopKernel kernel, IntToLongFunction slot, Target target) {
        ScanLoop scan = ScanLoop.in(kernel);
        if (scan == null) return null;
        long elements = LaunchRule.number(scan.along().var().extent(), slot);
        long lines = LaunchRule.extents(scan.lines(), slot);
        if (elements < SHORT || lines >= MANY * target.multiprocessors()) return null;
        long most = CTAS * target.multiprocessors() / Math.max(1, lines);
        return new ScanSchedule((int) Long.highestOneBit(Math.clamp(Math.min(most, elements / LEAST), 1, MAX_PARTS)));
    }

    /** The forms that a launch may take besides {@link #choose}'s: more and fewer parts. */
    List<ScanSchedule> others() {
        List<ScanSchedule> others = new ArrayList<>();
        for (int p = Math.max(1, parts / 4); p <= Math.min(MAX_PARTS, parts * 4); p *= 2)
            if (p != parts) others.add(new ScanSchedule(p));
        return others;
    }

    @Override
    public String text() {
        return "parts " + parts;
    }

    /** The form in words, for listings. */
    String note() {
        return "scanned by CTAs of " + ScanEmitter.THREADS + " threads"
                + (parts == 1 ? "" : ", each line in " + parts + " parts, which are added up first");
    }
}
