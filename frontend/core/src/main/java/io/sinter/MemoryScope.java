// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Releases what was computed or copied from the host while it was open, in the thread that opened it. See
 * {@link Sinter#scope}.
 */
public final class MemoryScope implements AutoCloseable {
    private final Trace trace;
    private final MemoryScope outer;
    private final List<Value> values = new ArrayList<>();
    private final Set<Value> kept = Collections.newSetFromMap(new IdentityHashMap<>());

    MemoryScope(Trace trace) {
        this.trace = trace;
        outer = trace.scope;
        trace.scope = this;
    }

    void add(Value v) {
        values.add(v);
    }

    /** Computes {@code x} and lets it outlive this scope. Returns it. */
    public Tensor keep(Tensor x) {
        Host.buffer(x);
        kept.add(x.value());
        return x;
    }

    /** Releases. Pending work that needs what is released is lost: read or keep its results first. */
    @Override
    public void close() {
        trace.scope = outer;
        for (Value v : values) {
            if (kept.contains(v)) {
                if (outer != null) outer.add(v);
                continue;
            }
            if (v.data == null || v.saved > 0 || (v.flags & (Value.WRITTEN | Value.KEPT | Value.SHARED)) != 0) continue;
            v.data.release();
            v.data = null;
            v.dead =
                    "a tensor %s whose memory went back at the end of a scope: give it to the scope's keep() to use it afterwards";
        }
    }
}
