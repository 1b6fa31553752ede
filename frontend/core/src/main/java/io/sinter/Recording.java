// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** What a function does to the world while it is traced for {@link Sinter#compile}: the storages it writes, the gradients it sets, the numbers it draws. */
final class Recording {
    /** Storages written, in order of first write. */
    final Set<Storage> written = new LinkedHashSet<>();
    /** Tensors whose {@code grad()} was replaced. */
    final Set<Tensor> gradients = new LinkedHashSet<>();
    /** Scalars that are drawn anew at every replay, in the order of their draws. */
    final List<Value> draws = new ArrayList<>();
    /** Switches that the function looked at, and what they were. */
    final Map<BooleanSupplier, Boolean> observed = new LinkedHashMap<>();

    private final Trace trace;

    Recording(Trace trace) {
        this.trace = trace;
    }

    void wrote(Storage s) {
        written.add(s);
    }

    /**
     * An operand. What was there before is an argument of the program: it gets a storage, through which a replay finds its value of that time, and it is in memory.
     */
    Value reads(Tensor x, Value v) {
        if ((v.flags & Value.RECORDED) != 0) return v;
        if (v.op == null && v.scalar && v.home == null && v.redraw != null) return v;
        trace.recording = null;
        try {
            Host.buffer(x);
        } finally {
            trace.recording = this;
        }
        x.storage();
        v.scalar = false;
        return v;
    }
}
