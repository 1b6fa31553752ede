// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.runtime.Session;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** The calls of networks in one trace: see {@link Trace#module(Supplier)}. */
final class ModuleCalls {
    /** So many unconsumed tapes of network calls are taken for a forgotten noGrad. */
    private static final int MANY_TAPES = 200;

    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private final Trace trace;
    /** Calls in progress. */
    private int open;
    /** Outermost calls that recorded a tape since one was last consumed. */
    private int taped;
    /** Where in a network the trace is; null outside of networks, and while nobody wants to know. */
    private ModulePath path;

    ModuleCalls(Trace trace) {
        this.trace = trace;
    }

    ModulePath path() {
        return path;
    }

    /** A backward pass consumed a tape. */
    void tapeConsumed() {
        taped = 0;
    }

    <T> T call(Object net, Supplier<? extends Map<?, String>> parts, Supplier<T> forward) {
        if (!Session.tracksModules()) return call(forward);
        ModulePath before = path;
        if (before == null) path = new ModulePath(net, parts.get());
        ModulePath here = path;
        here.enter(net);
        try {
            return call(forward);
        } finally {
            here.leave();
            path = before;
        }
    }

    <T> T call(Supplier<T> forward) {
        if (isOutermost()) begin();
        open++;
        trace.depth++;
        T result;
        try {
            result = forward.get();
        } finally {
            trace.depth--;
            open--;
        }
        if (isOutermost()) Tensors.visit(result, x -> x.value().flags |= Value.MODULE);
        return result;
    }

    private boolean isOutermost() {
        return open == 0 && trace.depth == 0;
    }

    private void begin() {
        if (trace.recording != null) return;
        if (trace.taped == 0) {
            if (trace.work.hasPending()) trace.work.flush();
        } else if (++taped == MANY_TAPES && WARNED.compareAndSet(false, true)) {
            System.getLogger("io.sinter")
                    .log(
                            System.Logger.Level.WARNING,
                            "{0} calls of networks recorded tapes that no backward pass has used, the last at {1}: if gradients are not wanted, "
                                    + "write try (var _ = noGrad()) around them",
                            MANY_TAPES,
                            SourceLine.ofCaller());
        }
    }
}
