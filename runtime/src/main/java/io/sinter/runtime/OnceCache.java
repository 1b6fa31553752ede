// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** A bounded map whose values are made once each, however many threads ask; the value that was longest not asked for goes first. */
final class OnceCache<V> {
    /** What a {@link #get} came to: the value, and whether it was there. */
    record Found<V>(V value, boolean hit) {}

    private final int capacity;
    /** In order of last use; guarded by this. Values in the making are in it too. */
    private final LinkedHashMap<Object, CompletableFuture<V>> entries = new LinkedHashMap<>(16, 0.75f, true);

    OnceCache(int capacity) {
        this.capacity = capacity;
    }

    /** The value of this key, or null; one in the making is waited for. */
    V find(Object key) {
        CompletableFuture<V> found;
        synchronized (this) {
            found = entries.get(key);
        }
        return found == null ? null : join(found);
    }

    /** The value of this key, made if it is not there. What {@code make} throws reaches every thread that waits; nothing is kept then. */
    Found<V> get(Object key, Supplier<? extends V> make) {
        while (true) {
            Found<V> found = getOrNull(key, () -> Objects.requireNonNull(make.get()));
            if (found.value != null) return found;
            // Another thread has looked for it in vain.
        }
    }

    /** As {@link #get}, but for a {@code make} that may give null: nothing is kept then, and the value is null. */
    Found<V> getOrNull(Object key, Supplier<? extends V> make) {
        CompletableFuture<V> mine = new CompletableFuture<>();
        CompletableFuture<V> found;
        synchronized (this) {
            found = entries.get(key);
            if (found == null) {
                entries.put(key, mine);
                shrink();
            }
        }
        if (found != null) return new Found<>(join(found), true);
        try {
            V value = make.get();
            if (value == null) remove(key, mine);
            mine.complete(value);
            return new Found<>(value, false);
        } catch (Throwable e) {
            remove(key, mine);
            mine.completeExceptionally(e);
            throw e;
        }
    }

    private synchronized void remove(Object key, CompletableFuture<V> value) {
        entries.remove(key, value);
    }

    private void shrink() {
        Iterator<CompletableFuture<V>> oldest = entries.values().iterator();
        while (entries.size() > capacity) {
            oldest.next();
            oldest.remove();
        }
    }

    private static <V> V join(CompletableFuture<V> value) {
        try {
            return value.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException r) throw r;
            if (e.getCause() instanceof Error r) throw r;
            throw e;
        }
    }

    synchronized int size() {
        return entries.size();
    }

    synchronized void clear() {
        entries.clear();
    }
}
