// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.SharedClass;
import io.sinter.runtime.cache.CacheStats;
import java.util.concurrent.atomic.LongAdder;

/** What a {@link Session} has done so far. Counts only rise; take differences. */
public final class Counters {
    final LongAdder compiled = new LongAdder();
    final LongAdder runs = new LongAdder();
    final LongAdder launches = new LongAdder();
    final LongAdder stepsAhead = new LongAdder();
    final LongAdder runsGivenUp = new LongAdder();
    final LongAdder hits = new LongAdder();
    final LongAdder misses = new LongAdder();
    final LongAdder compileNanos = new LongAdder();
    final LongAdder generated = new LongAdder();
    final LongAdder loaded = new LongAdder();
    private final LongAdder specialized = new LongAdder();
    final LongAdder crossMade = new LongAdder();
    final LongAdder crossFound = new LongAdder();
    final LongAdder crossFailures = new LongAdder();
    final LongAdder crossGenerated = new LongAdder();
    final LongAdder compared = new LongAdder();
    final CacheStats cache = new CacheStats();

    Counters() {}

    /** Programs that were compiled. */
    public long programsCompiled() {
        return compiled.sum();
    }

    /**
     * Of the programs of compiled functions, those that were made because an axis that is marked as dynamic ({@code CompileOptions.dynamic}) had an extent
     * that was new.
     */
    public long programsSpecialized() {
        return specialized.sum();
    }

    /** A compiled function was traced again for new extents of its dynamic axes. Called by the frontend. */
    public void specialized() {
        specialized.increment();
    }

    /** Programs that were found compiled on disk: no pass of the compiler ran for them. */
    public long programsLoaded() {
        return loaded.sum();
    }

    /** Programs whose first run agreed with the reference evaluator ({@code sinter.check=reference}). */
    public long programsCompared() {
        return compared.sum();
    }

    /** Steps of programs (launches, products, copies) that a GPU was given before the host had traced all of what was to run, rightly. */
    public long stepsAhead() {
        return stepsAhead.sum();
    }

    /** Runs that had begun before the host had traced all of what was to run, and turned out to be others. */
    public long runsGivenUp() {
        return runsGivenUp.sum();
    }

    /** What the cache on disk was asked for. */
    public CacheStats cache() {
        return cache;
    }

    void crossed(boolean made) {
        (made ? crossMade : crossFound).increment();
    }

    /** Programs that were compiled for another GPU ({@code sinter.cache.warm}), once for each. */
    public long programsCrossCompiled() {
        return crossMade.sum();
    }

    /** Programs that had been compiled for another GPU before. */
    public long programsCrossFound() {
        return crossFound.sum();
    }

    /** Programs that could not be compiled for another GPU; the log says why. */
    public long crossFailures() {
        return crossFailures.sum();
    }

    /** Kernels that code was generated for, for other GPUs. */
    public long kernelsCrossGenerated() {
        return crossGenerated.sum();
    }

    /** Runs of programs. */
    public long runs() {
        return runs.sum();
    }

    /** Kernels launched, library calls among them. */
    public long kernelsLaunched() {
        return launches.sum();
    }

    /** Kernels that code was generated for; kernels of equal structure share code. */
    public long kernelsGenerated() {
        return generated.sum();
    }

    /**
     * Classes that this process, not only this session, has generated of those that all kernels share: tiles of products, transforms of convolutions.
     *
     * @see SharedClass
     */
    public static long sharedClassesGenerated() {
        return SharedClass.generated();
    }

    /** Programs that were found compiled in memory. */
    public long cacheHits() {
        return hits.sum();
    }

    /** Programs that were not found in memory: compiled, or loaded from disk. */
    public long cacheMisses() {
        return misses.sum();
    }

    /** Time spent compiling programs, passes and code generation together, in nanoseconds. */
    public long compileNanos() {
        return compileNanos.sum();
    }

    @Override
    public String toString() {
        return "programs compiled " + compiled + " (" + compileNanos.sum() / 1_000_000 + " ms), runs " + runs
                + ", kernels launched " + launches + ", kernels generated " + generated + ", cache hits " + hits
                + ", misses " + misses;
    }
}
