// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.runtime.Arg;
import io.sinter.runtime.Executable;
import io.sinter.runtime.Run;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * The pending work of a trace: values in the order in which they were traced, and what a read, a flush or a step
 * boundary computes of them.
 */
final class PendingWork {
    /** A longer trace is run at the next call. */
    static final int MAX_NODES = 20_000;
    /** So is one that holds more bytes of results and host data than this. */
    static final long MAX_BYTES = 256L << 20;

    private final Trace trace;
    private final Pending pending = new Pending();
    private final Prediction prediction = new Prediction();
    private long bytes;
    private final List<Storage> written = new ArrayList<>();
    private final List<Value> losses = new ArrayList<>();
    private final Set<Value> pinned = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Cut cut;

    PendingWork(Trace trace) {
        this.trace = trace;
        cut = new Cut(trace);
    }

    /** Appends a value. */
    void add(Value v) {
        pending.add(v);
        if (pending.size() == prediction.at) prediction.reached(trace, pending);
    }

    /** Runs what is pending if there is too much of it. Called before a value is appended. */
    void limit() {
        if ((pending.size() >= MAX_NODES || bytes > MAX_BYTES) && trace.busy == 0 && trace.recording == null) flush();
    }

    /** A leaf was made. */
    void holds(Value leaf) {
        bytes += leaf.type.bytes();
        if (trace.scope != null) trace.scope.add(leaf);
    }

    /** An operand that another thread's trace made. */
    Value foreign(Value v) {
        if (v.trace == null) throw new IllegalStateException(v.whyDead());
        if (v.pending()) v.trace.work.compute(v);
        if (pinned.add(v)) v.pin();
        return v;
    }

    void written(Storage s) {
        if (trace.body != null && s.overwritten.trace != trace) {
            s.overwritten = null;
            throw Errors.state(
                    "a tensor from outside is being written in the body of a loop; carry it as state, or clone() it");
        }
        written.add(s);
        s.writer = trace;
        if (trace.recording != null) trace.recording.wrote(s);
    }

    /** Storages written since the trace began, in order. */
    List<Storage> writes() {
        return Collections.unmodifiableList(written);
    }

    void loss(Value v) {
        if (v.pending()) losses.add(v);
    }

    /** Computes {@code v} if it is pending, under the trace's lock. */
    void compute(Value v) {
        trace.lock.lock();
        try {
            if (!v.pending()) return;
            if (trace.body != null) {
                throw Errors.state(
                        "a value of a loop's body was read: it is another one at every step; return it from the step, and read what the loop gives");
            }
            if (trace.recording != null) {
                throw Errors.state(
                        "a value was read inside a function given to Sinter.compile: it is known only when the function is "
                                + "replayed; return the tensor and read it outside");
            }
            run(List.of(v));
        } finally {
            trace.lock.unlock();
        }
    }

    /** Runs pending {@code roots} as one program, with what the program passes through; the trace goes on. */
    private void run(Collection<Value> roots) {
        prediction.spoil();
        bytes += cut.run(roots, null);
        // Another thread that reads a value of this trace must not touch the list, which this one appends to
        // meanwhile.
        if (Trace.current() != trace) return;
        pending.compact();
        if (pending.size() == 0) {
            bytes = 0;
            unpin();
        }
    }

    /** Runs a program that was cut out of this trace; see {@link Prediction#run}. */
    Run run(
            Executable program,
            List<Arg> args,
            List<Value> values,
            IntFunction<SourceLine> resultLines,
            Sources sources) {
        return prediction.run(program, args, values, pending, resultLines, sources);
    }

    boolean hasPending() {
        return pending.size() > 0;
    }

    /**
     * Runs all pending work that has a result: what nothing has consumed yet, written storages, losses,
     * results of modules. Does not wait.
     */
    void flush() {
        trace.lock.lock();
        try {
            Set<Value> roots = pendingState();
            pending.addUnconsumed(roots);
            runAll(roots, null);
        } finally {
            trace.lock.unlock();
        }
    }

    /**
     * Ends a step: as {@link #flush}, but of what is neither state nor loss only what {@linkplain Pending#addResults stays readable}.
     *
     * @param before storages that were written before the boundary, whose old memory is not to be given away
     */
    void finishStep(Set<Storage> before) {
        finish(before, List.of());
    }

    /** Ends a call of a function that was recorded, but is to be traced once more: as {@link #finishStep}, with the call's {@code results}. */
    void finishCall(List<Value> results) {
        finish(Set.of(), results);
    }

    private void finish(Set<Storage> before, List<Value> results) {
        trace.lock.lock();
        try {
            List<Storage> donors = new ArrayList<>();
            for (Storage s : written) if (!before.contains(s) && s.gives()) donors.add(s);
            Set<Value> roots = pendingState();
            for (Value v : results) if (v.pending()) roots.add(v);
            pending.addResults(roots);
            runAll(roots, donors);
        } finally {
            trace.lock.unlock();
        }
    }

    /**
     * Runs those {@code roots} that can be computed, all that is pending; what depends on a failure says so when it is read. Then a
     * new trace begins.
     */
    private void runAll(Set<Value> roots, List<Storage> donors) {
        boolean complete = false;
        try {
            complete = roots.isEmpty() || runComputable(roots, donors);
        } finally {
            clear(complete);
        }
    }

    /** Returns whether that was all. */
    private boolean runComputable(Set<Value> roots, List<Storage> donors) {
        try {
            cut.run(roots, donors);
            return true;
        } catch (RuntimeException e) {
            // What has begun fails as a whole. Before that, something was missing: released, lost with a session,
            // failed earlier.
            if (cut.hasBegun() || !roots.removeIf(v -> !Cut.computable(v))) throw e;
            if (!roots.isEmpty()) cut.run(roots, donors);
            return false;
        }
    }

    /**
     * Runs a recorded function: {@code roots}, with the memory of the {@code states} that it wrote where
     * nobody else holds it.
     */
    Cut.Trail runExactly(List<Value> roots, List<Storage> states) {
        trace.lock.lock();
        try {
            List<Storage> donors = states.stream().filter(Storage::gives).toList();
            Cut.Trail trail = cut.runExactly(roots, donors);
            clear(false);
            return trail;
        } finally {
            trace.lock.unlock();
        }
    }

    /** The program that computes {@code roots} and nothing else, which does not run. */
    Cut.Trail compileExactly(List<Value> roots) {
        trace.lock.lock();
        try {
            return cut.compile(roots);
        } finally {
            trace.lock.unlock();
        }
    }

    private Set<Value> pendingState() {
        Set<Value> roots = new LinkedHashSet<>(); // Value has identity equality
        for (Storage s : written) if (s.value.pending()) roots.add(s.value);
        for (Value l : losses) if (l.pending()) roots.add(l);
        return roots;
    }

    /** Runs gradients that a new backward pass would add to, so that micro-batches do not pile up. */
    void runGradients(List<Value> gradients) {
        if (trace.recording != null) return;
        trace.lock.lock();
        try {
            Set<Value> roots = new LinkedHashSet<>(gradients);
            for (Value l : losses) if (l.pending()) roots.add(l);
            run(roots);
        } finally {
            trace.lock.unlock();
        }
    }

    /**
     * A new trace begins.
     *
     * @param complete all that was pending and has a result has been run
     */
    void clear(boolean complete) {
        pending.clear();
        prediction.restart();
        bytes = 0;
        for (Storage s : written) s.overwritten = null;
        written.clear();
        losses.clear();
        unpin();
        trace.restarted(complete);
    }

    private void unpin() {
        if (pinned.isEmpty()) return;
        pinned.forEach(Value::unpin);
        pinned.clear();
    }

    /** The key of the program that computes {@code roots}. */
    String key(List<Value> roots) {
        trace.lock.lock();
        try {
            return cut.key(roots).hex();
        } finally {
            trace.lock.unlock();
        }
    }
}
