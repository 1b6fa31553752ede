// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.loop.LoopKernel;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * The form of a kernel that goes over rows several times, where a row fits the registers of the threads that share it: what several passes read is loaded
 * once, and what a pass leaves to later ones stays where it is.
 *
 * @param threads that share a row: a warp, or a power of two of them
 * @param steps of each thread, in each of which it takes some neighbouring elements
 * @param whole whether rows end with the last thread's last step
 */
record RowSchedule(int threads, int steps, boolean whole) implements Schedule {
    /** Most steps: what all of them hold leaves registers for what is computed. */
    private static final int MAX_STEPS = 8;

    /** The same beside many sums. */
    private static final int MANY_SUMS_STEPS = 2;

    /** Values of each element of all steps that a thread holds at most. */
    private static final int MAX_HELD = 10;

    /** The form for a launch; null if its rows are too long or not aligned, or the kernel does not read twice what it could hold. */
    static RowSchedule choose(LoopKernel kernel, IntToLongFunction slot) {
        RowPasses passes = RowPasses.in(kernel);
        if (passes == null) return null;
        long n = LaunchRule.number(passes.variable().extent(), slot);
        int width = passes.width();
        if (n % width != 0 || !passes.isAligned(slot)) return null;
        long rows = LaunchRule.extents(kernel.grid(), slot);
        int mostThreads = mostThreads(passes);
        int threads = LaunchRule.Teams.ofRow(n, rows, width, mostThreads);
        if (threads < Team.WARP) return null;
        int most = mostSteps(passes);
        while (threads < mostThreads && n > (long) most * width * threads) threads *= 2;
        long steps = (n + (long) width * threads - 1) / ((long) width * threads);
        if (steps > most) return null;
        return new RowSchedule(threads, (int) steps, n == steps * width * threads);
    }

    private static int mostThreads(RowPasses passes) {
        return passes.manySums() ? LaunchRule.CTA : LaunchRule.MAX_TEAM;
    }

    private static int mostSteps(RowPasses passes) {
        return Math.min(passes.manySums() ? MANY_SUMS_STEPS : MAX_STEPS, MAX_HELD / passes.held());
    }

    /** Forms that hold most, of a warp and of as many as may share a row; none if the kernel has no such form. */
    static List<RowSchedule> largest(LoopKernel kernel) {
        RowPasses passes = RowPasses.in(kernel);
        if (passes == null) return List.of();
        int most = mostSteps(passes);
        return List.of(new RowSchedule(Team.WARP, most, true), new RowSchedule(mostThreads(passes), most, false));
    }

    @Override
    public String text() {
        return "rows of " + threads + " threads, " + steps + (whole ? " whole" : "") + " steps";
    }

    /** The form in words, for listings. */
    String note() {
        return "rows in registers: " + threads + " threads share one, each takes " + steps + (whole ? "" : " or fewer")
                + " steps";
    }
}
