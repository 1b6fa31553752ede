// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.runtime.Session;
import io.sinter.runtime.profile.Profile;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** The step boundaries of one trace: see {@link Trace#boundary}. */
final class StepBoundary {
    private final Trace trace;
    /** Updates in progress. */
    private int updating;

    StepBoundary(Trace trace) {
        this.trace = trace;
    }

    void run(Runnable updates) {
        boolean grad = trace.gradMode;
        trace.gradMode = false;
        trace.depth++;
        trace.busy++;
        try {
            Set<Storage> before = Collections.newSetFromMap(new IdentityHashMap<>());
            before.addAll(trace.work.writes());
            update(updates);
            if (trace.recording != null) return;
            trace.work.finishStep(before);
            Profile profile = Session.isProfiling() ? Session.current().profile() : null;
            if (profile != null) profile.step(false);
        } finally {
            trace.busy--;
            trace.depth--;
            trace.gradMode = grad;
        }
    }

    /** If {@code updates} throw, what they have written so far stays pending, and the gradients that it needs with it. */
    private void update(Runnable updates) {
        boolean done = false;
        updating++;
        try {
            updates.run();
            done = true;
        } finally {
            updating--;
            if (!done) trace.exposeGradients();
        }
    }

    /** See {@link Trace#gradient}. */
    Tensor gradient(Tensor p) {
        if (updating == 0) return p.sharedGradient();
        Tensor g = p.lentGradient(trace);
        GradientEra era = p.gradientEra();
        if (era == null) return g;
        return new Tensor(g.value()).guarded(() -> {
            if (!trace.isIn(era))
                throw Errors.state("a gradient that an optimizer got from Trace.gradient was read after its step");
        });
    }
}
