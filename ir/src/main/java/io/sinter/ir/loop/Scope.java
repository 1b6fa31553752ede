// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.loop;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * A stretch of code that a generator writes and the values that are known in it: a kernel's prologue, a loop's body, a branch. What an
 * expression depends on says in which scope it may be computed at the earliest ({@link #place}), and what changes is forgotten
 * ({@link #changed(Local)}).
 *
 * @param <V> what the generator calls a value
 * @param <P> a place of code: where instructions of the scope go
 */
public final class Scope<V, P> {
    private final Scope<V, P> outer;
    private final int depth;
    private final boolean guard;
    private P place;
    private final Map<Key, Entry<V>> values = new HashMap<>();

    /** A thing that has a value (compared by identity), and in which form (null, or compared by equality). */
    public record Key(Object what, Object form) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Key k && k.what == what && Objects.equals(k.form, form);
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(what) * 31 + Objects.hashCode(form);
        }
    }

    private record Entry<V>(V value, Facts.Fact fact) {}

    /**
     * @param outer the enclosing scope, or null
     * @param guard whether this may not run although the enclosing scope does
     */
    public Scope(Scope<V, P> outer, P place, boolean guard) {
        this.outer = outer;
        this.depth = outer == null ? 0 : outer.depth + 1;
        this.place = place;
        this.guard = guard;
    }

    /** How many scopes enclose this one. */
    public int depth() {
        return depth;
    }

    /** Where code of this scope goes now. */
    public P place() {
        return place;
    }

    /** Sends code of this scope elsewhere: before what is nested in it, while that is being written. */
    public void place(P p) {
        place = p;
    }

    /**
     * The outermost scope, this one or one around it, where something with these dependencies may be evaluated.
     *
     * @param depths depth of the scope in which a variable or a local has its value
     */
    public Scope<V, P> place(Facts.Fact f, ToIntFunction<Object> depths) {
        if (f.motion() == Facts.Motion.PINNED) return this;
        int least = f.motion() == Facts.Motion.GUARDED ? guardDepth() : 0;
        for (Object o : f.free()) least = Math.max(least, depths.applyAsInt(o));
        Scope<V, P> s = this;
        while (s.depth > least) s = s.outer;
        return s;
    }

    /** Depth of the innermost scope that may not run. */
    private int guardDepth() {
        Scope<V, P> s = this;
        while (s.outer != null && !s.guard) s = s.outer;
        return s.depth;
    }

    /** A value that is known here or further out, or null. */
    public V find(Key key) {
        for (Scope<V, P> s = this; s != null; s = s.outer) {
            Entry<V> e = s.values.get(key);
            if (e != null) return e.value;
        }
        return null;
    }

    /** Makes a value known here; it is forgotten when what it depends on changes. */
    public void put(Key key, V value, Facts.Fact fact) {
        values.put(key, new Entry<>(value, fact));
    }

    /** Forgets, here and further out, what depends on a local that changes. */
    public void changed(Local l) {
        forget(f -> f.free().contains(l));
    }

    /** Forgets, here and further out, what was read from a buffer that is written. */
    public void changed(Buf b) {
        forget(f -> f.reads().contains(b));
    }

    private void forget(Predicate<Facts.Fact> stale) {
        for (Scope<V, P> s = this; s != null; s = s.outer) s.values.values().removeIf(e -> stale.test(e.fact));
    }
}
