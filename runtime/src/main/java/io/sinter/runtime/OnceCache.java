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
            V value = Objects.requireNonNull(make.get());
            mine.complete(value);
            return new Found<>(value, false);
        } catch (Throwable e) {
            synchronized (this) {
                entries.remove(key, mine);
            }
            mine.completeExceptionally(e);
            throw e;
        }
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
