// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How {@link Sinter#compileAll(java.util.function.UnaryOperator, CompileOptions)} treats a function.
 *
 * @param strictAfter after so many calls, a call that would have to be traced and compiled is an error: a production loop finds out about a shape
 *     that it did not expect instead of compiling for each batch. {@link Long#MAX_VALUE}: never. A function that has to be traced at every call (see
 *     {@link Sinter#compile}) is, strict or not
 * @param dynamic axes whose extents differ from call to call. For new extents of these the function is traced and planned again, which strictness
 *     allows: kernels take extents as parameters, so the plan finds the code of the extents before, unless the new ones ask for another form of a kernel
 *     (an extent of 1, a number of elements that vectors do not divide, a product's tile). The programs of the {@value #SPECIALIZATIONS} extents used last are
 *     kept. {@code Sinter.counters()} tells how many there were, and how many kernels were generated
 * @param autotune how long kernels of each of the function's programs may be measured, when it is compiled, to choose their forms (which operand of a
 *     product is packed, tiles, parts of sums, the algorithm of a convolution), as {@code torch.compile(mode="max-autotune")} does; null leaves the choice
 *     to tables. Forms may round differently: what was chosen is a part of the program, and kept with it in the cache on disk, where there is one, so that
 *     the next process does as this one did, and measures nothing. Without a cache bits may differ from process to process
 */
public record CompileOptions(long strictAfter, List<Axis> dynamic, Duration autotune) {
    /** What {@link #autotuned()} spends on a program, if there is so much to try. */
    public static final Duration AUTOTUNE = Duration.ofSeconds(20);

    /** Programs that are kept for one function and signature, of all extents of its dynamic axes. */
    public static final int SPECIALIZATIONS = 64;

    /** Traces and compiles whenever a signature is new. */
    public static final CompileOptions DEFAULT = new CompileOptions(Long.MAX_VALUE, List.of(), null);

    /**
     * An axis of an argument.
     *
     * @param argument number of the argument, from 0
     * @param axis number of its axis; negative: from the end
     */
    public record Axis(int argument, int axis) {
        public Axis {
            if (argument < 0) throw new IllegalArgumentException("there is no argument " + argument);
        }
    }

    public CompileOptions {
        if (strictAfter < 0) throw new IllegalArgumentException("strictAfter must not be negative: " + strictAfter);
        dynamic = List.copyOf(dynamic);
        if (autotune != null && (autotune.isNegative() || autotune.isZero()))
            throw new IllegalArgumentException("the time to measure kernels in must be positive: " + autotune);
    }

    /** Strict after the first {@code calls} calls. */
    public static CompileOptions strict(long calls) {
        return new CompileOptions(calls, List.of(), null);
    }

    /** With one more axis whose extent differs from call to call, as {@code torch._dynamo.mark_dynamic} marks it; parameters as of {@link Axis}. */
    public CompileOptions dynamic(int argument, int axis) {
        List<Axis> axes = new ArrayList<>(dynamic);
        axes.add(new Axis(argument, axis));
        return new CompileOptions(strictAfter, axes, autotune);
    }

    /** With forms of kernels chosen by measuring them, for at most about {@link #AUTOTUNE} a program. */
    public CompileOptions autotuned() {
        return autotuned(AUTOTUNE);
    }

    /** With forms of kernels chosen by measuring them for at most about so long a program: when time is over, what was not measured is left as it is. */
    public CompileOptions autotuned(Duration budget) {
        return new CompileOptions(strictAfter, dynamic, Objects.requireNonNull(budget, "budget"));
    }
}
