// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.function.Supplier;

/**
 * Compiled programs by their canonical form. Bounded: the program that was longest not asked for goes first. Threads that want one
 * program at the same time compile it once.
 *
 * <p>Keys compare by {@code equals}: a key holds the canonical form beside its hash, so that equal hashes of different programs are told apart.
 */
public final class ExecutableCache {
    private final OnceCache<Executable> programs;
    private final Counters counters;

    ExecutableCache(int capacity, Counters counters) {
        programs = new OnceCache<>(capacity);
        this.counters = counters;
    }

    /**
     * The program of this key, or null. A program that another thread is compiling is waited for. Found programs count as hits.
     *
     * @param key need not stay valid after the call
     */
    public Executable find(Object key) {
        Executable program = programs.find(key);
        if (program != null) counters.hits.increment();
        return program;
    }

    /**
     * The program of this key, compiled by {@code compile} if it is not there; counts as a hit or a miss. What {@code compile} throws is thrown
     * to every thread that waits for it, and nothing is kept.
     *
     * @param key immutable: it may be kept
     */
    public Executable get(Object key, Supplier<? extends Executable> compile) {
        OnceCache.Found<Executable> found = programs.get(key, () -> {
            counters.misses.increment();
            return compile.get();
        });
        if (found.hit()) counters.hits.increment();
        return found.value();
    }

    /** Number of programs kept. */
    public int size() {
        return programs.size();
    }

    /** Forgets all programs. Those in use stay valid. */
    public void clear() {
        programs.clear();
    }
}
