// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * What a function does to the world while it is traced for {@link Sinter#compile}: the storages it writes,
 * the gradients it sets, the numbers it draws.
 */
final class Recording {
    /** Storages written, in order of first write. */
    final Set<Storage> written = new LinkedHashSet<>();
    /** Tensors whose {@code grad()} was replaced. */
    final Set<Tensor> gradients = new LinkedHashSet<>();
    /** Scalars that are drawn anew at every replay, in the order of their draws. */
    final List<Value> draws = new ArrayList<>();
    /** Switches that the function looked at, and what they were. */
    final Map<BooleanSupplier, Boolean> observed = new LinkedHashMap<>();

    /** Where values come from that were there before: a replay reads the storage again. */
    final Map<Value, Storage> holders = new IdentityHashMap<>();

    /** Leaves from outside, and whether they require gradients. */
    final Map<Tensor, Boolean> captured = new LinkedHashMap<>();

    /** A tensor from outside has been given a history in here, by an in-place operation. */
    boolean historyEscapes;

    /** Leaves from outside whose gradient of before the function has looked at, and that gradient, or null if there was none. */
    final Map<Tensor, Tensor> looked = new LinkedHashMap<>();

    /** Leaves that the function has made itself. */
    final Set<Tensor> leaves = new HashSet<>();

    private final Trace trace;

    Recording(Trace trace) {
        this.trace = trace;
    }

    void wrote(Storage s) {
        written.add(s);
    }

    /** Somebody wants the gradient of {@code x}, which is {@code g} or none (null). One that the function has put there itself is its own affair. */
    void looksAtGradient(Tensor x, Tensor g) {
        if (x.isLeaf() && !leaves.contains(x) && !gradients.contains(x)) looked.putIfAbsent(x, g);
    }

    /**
     * The operand {@code x}, whose value is {@code v}: what was there before the recording is in memory, and
     * found again through its storage.
     */
    Value reads(Tensor x, Value v) {
        if (v.recorded == this) return v;
        if (x.isLeaf() && x.isBase()) captured.putIfAbsent(x, x.requiresGrad());
        // A snapshot or a base that the library made of a tensor read before.
        if (x.storageOrNull() == null && holders.containsKey(v)) return v;
        if (!x.isBase()) {
            // A view from outside: taken again, so that a replay sees what its base holds then.
            trace.calls++;
            try (var _ = Sinter.noGrad()) {
                return x.viewOf(new Tensor(held(x.storage(), x.storage().value))).value;
            } finally {
                trace.calls--;
            }
        }
        return held(x.storage(), v);
    }

    private Value held(Storage s, Value v) {
        trace.recording = null;
        try {
            Host.buffer(s);
        } finally {
            trace.recording = this;
        }
        v.scalar = false;
        Storage other = holders.putIfAbsent(v, s);
        // (A storage made here, of a value known already, is a copy that the function itself makes.)
        if (other == null || other == s || s.recorded == this) return v;
        // One value in two storages, which may differ at a replay.
        v.share();
        for (var e : holders.entrySet()) if (e.getValue() == s && e.getKey().data == v.data) return e.getKey();
        Value own = Value.leaf(trace, v.type, v.data);
        own.share();
        holders.put(own, s);
        return own;
    }

    /** The recording is over and its program is made: what it refers to may go. */
    void end() {
        holders.clear();
        written.clear();
        gradients.clear();
        looked.clear();
        leaves.clear();
        captured.clear();
    }
}
