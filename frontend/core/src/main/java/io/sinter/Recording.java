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

    /** Gradients that were replaced by others. */
    private final Set<Tensor> replaced = new HashSet<>();

    private final Trace trace;

    Recording(Trace trace) {
        this.trace = trace;
    }

    void wrote(Storage s) {
        written.add(s);
    }

    /** The gradient of {@code leaf} becomes {@code g}. */
    void replaces(Tensor leaf, Tensor g) {
        gradients.add(leaf);
        if (leaf.gradient() != null && leaf.gradient() != g) replaced.add(leaf.gradient());
    }

    /** Whether {@code s} holds a gradient that was replaced: at the next call another one is in its place. */
    boolean isReplacedGradient(Storage s) {
        return replaced.stream().anyMatch(g -> g.storageOrNull() == s);
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
        replaced.clear();
        captured.clear();
    }
}
