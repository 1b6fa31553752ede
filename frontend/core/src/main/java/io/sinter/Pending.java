// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.Arrays;
import java.util.Set;

/**
 * The values of a trace that a boundary or a flush may have to compute, in the order in which they were
 * traced.
 */
final class Pending {
    /** Top-level values of at most this many elements stay readable after a step boundary. */
    private static final long SMALL = 4096;

    private Value[] list = new Value[256];
    private int size;

    int size() {
        return size;
    }

    /** The entry of a number below {@link #size}. */
    Value get(int entry) {
        return list[entry];
    }

    void add(Value v) {
        if (size == list.length) list = Arrays.copyOf(list, 2 * size);
        list[size++] = v;
    }

    /**
     * Forgets values that are computed, and temporaries that no later run must compute for their own sake.
     */
    void compact() {
        int n = 0;
        for (int i = 0; i < size; i++) {
            Value v = list[i];
            if (v.pending() && (isResult(v) || (v.flags & Value.CONSUMED) == 0)) list[n++] = v;
        }
        Arrays.fill(list, n, size, null);
        size = n;
    }

    void clear() {
        Arrays.fill(list, 0, size, null);
        size = 0;
    }

    /**
     * What stays readable after a boundary: what was kept, results of modules, top-level values that are
     * unconsumed or small.
     */
    void addResults(Set<Value> roots) {
        for (int i = 0; i < size; i++) if (list[i].pending() && isResult(list[i])) roots.add(list[i]);
    }

    /** What a flush computes: the rest follows from it, or is computed again when it is read. */
    void addUnconsumed(Set<Value> roots) {
        for (int i = 0; i < size; i++) {
            Value v = list[i];
            boolean wanted = (v.flags & Value.CONSUMED) == 0 || (v.flags & (Value.MODULE | Value.KEPT)) != 0;
            if (v.pending() && v.type != null && wanted) roots.add(v);
        }
    }

    private static boolean isResult(Value v) {
        if (v.type == null) return false;
        int f = v.flags;
        if ((f & (Value.MODULE | Value.KEPT)) != 0) return true;
        return (f & Value.TOP) != 0 && ((f & Value.CONSUMED) == 0 || v.type.numel() <= SMALL);
    }
}
