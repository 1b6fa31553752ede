// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.List;

/**
 * Decides whether the memory of a gradient that is dropped ({@code zeroGrad()}) may go back at once rather than when the garbage
 * collector finds it. It may if nobody but its leaf can hold it or anything that is yet to be computed from it:
 *
 * <ul>
 *   <li>A gradient rule has made its value in the pass that gave it to the leaf ({@link Value#pass}): it is neither a seed nor
 *       anything else that a program had a name for.
 *   <li>No other storage holds the value, and no other value its memory ({@link Value#PRIVATE}, ended by {@link Value#share}).
 *   <li>It has never been handed out: {@code grad()} ends the leaf's part in this for as long as it has that gradient.
 *   <li>Nothing pending reads it. An era is a stretch of a trace between two runs of all that is pending. What rules and optimizers
 *       trace from gradients ends in written storages, which such a run computes; so when an era is over, nothing does, unless a
 *       value on the way from one gradient to another was seen by the program: a gradient handed out while it was pending, a
 *       hook, a custom function. Those {@link #expose} all gradients of the era; so does a run that leaves something out.
 * </ul>
 *
 * All this is about one thread's trace. A gradient that another one made, or reads, is left to the collector, and so is one that a
 * function under {@link Sinter#compile} reads, for its replays will read it again.
 */
final class GradientEra {
    /** Of gradients that nothing pending ever read. */
    static final GradientEra OVER = new GradientEra();

    static {
        OVER.end(true);
    }

    private boolean open = true;
    private boolean exposed;
    /** Private gradients that pending sums have taken the place of. */
    private final List<Value> replaced = new ArrayList<>();

    /**
     * The era of a gradient that the present trace reads or adds to, and that belonged to {@code before}; null if its memory is
     * not to be released.
     */
    static GradientEra continued(GradientEra before, Trace t) {
        if (before == null || !tracks(t)) return null;
        return before == t.era() || before.settled() ? t.era() : null;
    }

    /** Can what {@code t} does with gradients be followed? Not where it is recorded to be done again. */
    static boolean tracks(Trace t) {
        return t.recording == null && t.body == null;
    }

    /** The program may hold a pending value that gradients of this era are needed for. */
    void expose() {
        exposed |= open;
    }

    /** The sum of the gradient {@code old} and another takes its place. */
    void replaced(Value old) {
        replaced.add(old);
    }

    /**
     * What was pending has been run.
     *
     * @param complete nothing was left out
     */
    void end(boolean complete) {
        open = false;
        exposed |= !complete;
        if (!exposed) replaced.forEach(Value::releasePrivate);
        replaced.clear();
    }

    private boolean settled() {
        return !open && !exposed;
    }

    /** A leaf whose gradient {@code g} belongs to this era has dropped it. */
    void dropped(Tensor g) {
        Value v = g.peek();
        if (settled() && tracks(Trace.current()) && g.isBase() && v != null) v.releasePrivate();
    }
}
