// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.profile;

import io.sinter.ir.plan.Work;
import io.sinter.runtime.dump.Sources;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * What the launches of one kernel of a program took. Times are the launches' from start to end, however many threads they have.
 *
 * @param program number of the program in its session
 * @param number of the kernel in the program, as dumps count them; -1 for copies
 * @param kernel name of the kernel
 * @param sources the user's lines that it computes, each once; empty if they are not known
 * @param work what one launch has to do
 * @param calls how often it was launched
 * @param nanos what all of that took, in nanoseconds
 * @param shortest the shortest launch, in nanoseconds: what it takes when nothing is in the way
 * @param lately median of the last launches, in nanoseconds: what it takes once HotSpot is done
 */
public record KernelTime(
        int program,
        int number,
        String kernel,
        List<Sources.Source> sources,
        Work work,
        long calls,
        long nanos,
        long shortest,
        long lately) {
    public KernelTime {
        sources = List.copyOf(sources);
    }

    /** Both together, of one kernel: {@code lately} is that of the one that took longer. */
    public KernelTime plus(KernelTime other) {
        LinkedHashSet<Sources.Source> all = new LinkedHashSet<>(sources);
        all.addAll(other.sources);
        return new KernelTime(
                program,
                number,
                kernel,
                List.copyOf(all),
                work,
                calls + other.calls,
                nanos + other.nanos,
                Math.min(shortest, other.shortest),
                nanos >= other.nanos ? lately : other.lately);
    }
}
