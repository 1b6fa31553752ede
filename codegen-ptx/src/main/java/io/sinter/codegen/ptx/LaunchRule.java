// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.ir.loop.Coef;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * How a kernel is launched: a function of its parameter block alone, so that the same program gives the same bits wherever it runs.
 *
 * @param tasks factors of the number of tasks
 * @param shared extents of the loops that the threads of a team share; empty if a task is one thread's
 * @param cooperates whether the threads of a team wait for each other
 * @param width elements that a thread takes side by side
 * @param scratchBytes private memory of each team
 */
public record LaunchRule(List<Coef> tasks, List<Coef> shared, boolean cooperates, int width, long scratchBytes) {
    /** Most threads that work together on a task. */
    static final int MAX_TEAM = 512;

    /** Threads of a CTA whose teams do not fill it by themselves. */
    static final int CTA = 256;

    /** A loop that short is one thread's, where sharing would cost a reduction. */
    private static final long ALONE = 8;

    /** CTAs of a kernel with scratch memory; they take tasks in turn. */
    private static final long SCRATCH_CTAS = 512;

    private static final long MAX_CTAS = 1 << 20;

    public LaunchRule {
        tasks = List.copyOf(tasks);
        shared = List.copyOf(shared);
    }

    /**
     * The shape of a launch. CTAs are numbered in x; y counts parameter blocks.
     *
     * @param threads of a team (x)
     * @param teams of a CTA (y)
     * @param ctas to launch in x; 0 if there is nothing to do
     * @param scratchBytes of scratch memory for each parameter block
     */
    public record Shape(int threads, int teams, long ctas, long scratchBytes) {}

    /** @param slot the contents of a parameter block */
    public Shape shape(IntToLongFunction slot) {
        long count = 1;
        for (Coef c : tasks) count = Math.multiplyExact(count, number(c, slot));
        long longest = 0;
        for (Coef c : shared) longest = Math.max(longest, number(c, slot));
        int threads = team(longest);
        int teams = cooperates && threads > 32 ? 1 : (int) Math.clamp(powerOf2(count), 1, CTA / Math.min(threads, CTA));
        long most = scratchBytes > 0 ? SCRATCH_CTAS : MAX_CTAS;
        long ctas = Math.min(most, (count + teams - 1) / teams);
        return new Shape(threads, teams, ctas, ctas * teams * scratchBytes);
    }

    private int team(long longest) {
        if (shared.isEmpty() || longest <= 1) return 1;
        long steps = powerOf2((longest + width - 1) / width);
        if (!cooperates) return (int) Math.clamp(steps, 1, CTA);
        return longest <= ALONE ? 1 : (int) Math.clamp(steps / 2, 32, MAX_TEAM);
    }

    /** The least power of two that is not below {@code n}. */
    private static long powerOf2(long n) {
        return n <= 1 ? 1 : Long.highestOneBit(n - 1) << 1;
    }

    private static long number(Coef c, IntToLongFunction slot) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s -> slot.applyAsLong(s.slot());
        };
    }
}
