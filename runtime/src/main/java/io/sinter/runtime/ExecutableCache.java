// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * Compiled programs by their canonical form. Bounded: the program that was longest not asked for goes first. Threads that want one
 * program at the same time compile it once.
 *
 * <p>Keys compare by {@code equals}: a key holds the canonical form beside its hash, so that equal hashes of different programs are told apart.
 */
public final class ExecutableCache {
    private final int capacity;
    private final Counters counters;
    /** In order of last use; guarded by this. Entries under compilation are in it too. */
    private final LinkedHashMap<Object, CompletableFuture<Executable>> programs = new LinkedHashMap<>(16, 0.75f, true);

    ExecutableCache(int capacity, Counters counters) {
        this.capacity = capacity;
        this.counters = counters;
    }

    /**
     * The program of this key, or null. A program that another thread is compiling is waited for. Found programs count as hits.
     *
     * @param key need not stay valid after the call
     */
    public Executable find(Object key) {
        CompletableFuture<Executable> found;
        synchronized (this) {
            found = programs.get(key);
        }
        if (found == null) return null;
        Executable program = join(found);
        counters.hits.increment();
        return program;
    }

    /**
     * The program of this key, compiled by {@code compile} if it is not there; counts as a hit or a miss. What {@code compile} throws is thrown
     * to every thread that waits for it, and nothing is kept.
     *
     * @param key immutable: it may be kept
     */
    public Executable get(Object key, Supplier<? extends Executable> compile) {
        CompletableFuture<Executable> mine = new CompletableFuture<>();
        CompletableFuture<Executable> found;
        synchronized (this) {
            found = programs.putIfAbsent(key, mine);
            // putIfAbsent counts as a use only when it inserts.
            if (found != null) programs.get(key);
            else shrink();
        }
        if (found != null) {
            Executable program = join(found);
            counters.hits.increment();
            return program;
        }
        counters.misses.increment();
        try {
            Executable program = Objects.requireNonNull(compile.get());
            mine.complete(program);
            return program;
        } catch (Throwable e) {
            synchronized (this) {
                programs.remove(key, mine);
            }
            mine.completeExceptionally(e);
            throw e;
        }
    }

    private void shrink() {
        Iterator<CompletableFuture<Executable>> oldest = programs.values().iterator();
        while (programs.size() > capacity && oldest.hasNext()) {
            oldest.next();
            oldest.remove();
        }
    }

    private static Executable join(CompletableFuture<Executable> program) {
        try {
            return program.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException r) throw r;
            if (e.getCause() instanceof Error r) throw r;
            throw e;
        }
    }

    /** Number of programs kept. */
    public synchronized int size() {
        return programs.size();
    }

    /** Forgets all programs. Those in use stay valid. */
    public synchronized void clear() {
        programs.clear();
    }
}
