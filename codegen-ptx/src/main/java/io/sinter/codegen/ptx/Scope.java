// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx;

import io.sinter.codegen.ptx.lang.KernelBuilder.Section;
import io.sinter.ir.loop.Buf;
import io.sinter.ir.loop.Facts;
import io.sinter.ir.loop.Local;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/** A stretch of code under construction and the values that are known in it: a kernel's prologue, a loop's body, a branch. */
final class Scope {
    final Scope outer;
    final int depth;

    /** Whether this may not run although the enclosing scope does. */
    final boolean guard;

    /** Where code of this scope goes now: before what is nested in it, while that is being written. */
    Section place;

    private final Map<Key, Entry> values = new HashMap<>();

    /** A thing that has a value (compared by identity), and in which form (null, or compared by equality). */
    record Key(Object what, Object form) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Key k && k.what == what && Objects.equals(k.form, form);
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(what) * 31 + Objects.hashCode(form);
        }
    }

    private record Entry(Value value, Facts.Fact fact) {}

    Scope(Scope outer, Section place, boolean guard) {
        this.outer = outer;
        this.depth = outer == null ? 0 : outer.depth + 1;
        this.place = place;
        this.guard = guard;
    }

    /** The enclosing scope (or this) of that depth. */
    Scope at(int wanted) {
        Scope s = this;
        while (s.depth > wanted) s = s.outer;
        return s;
    }

    /** Depth of the innermost scope that may not run. */
    int guardDepth() {
        Scope s = this;
        while (s.outer != null && !s.guard) s = s.outer;
        return s.depth;
    }

    /** A value that is known here or further out, or null. */
    Value find(Key key) {
        for (Scope s = this; s != null; s = s.outer) {
            Entry e = s.values.get(key);
            if (e != null) return e.value;
        }
        return null;
    }

    void put(Key key, Value value, Facts.Fact fact) {
        values.put(key, new Entry(value, fact));
    }

    /** Forgets, here and further out, what depends on a local that changes. */
    void changed(Local l) {
        forget(f -> f.free().contains(l));
    }

    /** Forgets, here and further out, what was read from a buffer that is written. */
    void changed(Buf b) {
        forget(f -> f.reads().contains(b));
    }

    private void forget(Predicate<Facts.Fact> stale) {
        for (Scope s = this; s != null; s = s.outer) s.values.values().removeIf(e -> stale.test(e.fact));
    }
}
