// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.runtime.Buffer;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * A function as it was traced for one signature: its program, where the program's arguments come from, and what becomes of its results.
 *
 * @param key of the program; null, as the program is, if the function is to be traced at every call
 * @param observed switches that the function looked at, and what they were
 * @param looked leaves whose gradient of before the call the function looks at, and the type of that gradient; null if there was none
 * @param captured leaves from outside that a differentiated result may depend on, and whether they required gradients
 * @param results types of the program's results
 * @param lines source lines of the results
 * @param entries source lines of the program's entries
 * @param draws scalars that are drawn anew
 * @param gradients tensors whose {@code grad()} the function replaces
 * @param backward what a backward pass through the results runs; null if there is nothing to differentiate
 */
record CompiledVariant(
        String key,
        Map<BooleanSupplier, Boolean> observed,
        Map<Tensor, Type> looked,
        List<CapturedLeaf> captured,
        Program program,
        List<Slot> slots,
        List<Type> results,
        List<SourceLine> lines,
        List<SourceLine> entries,
        List<Value> draws,
        List<Write> writes,
        List<Gradient> gradients,
        List<Output> outputs,
        CompiledBackward backward) {

    /** Held weakly: many are the library's own, made for one call. */
    record CapturedLeaf(WeakReference<Tensor> leaf, boolean requiresGrad) {}

    /** Where an argument of a program comes from. */
    sealed interface Slot {}

    record FromInput(int index) implements Slot {}

    record FromStorage(Storage storage) implements Slot {}

    /** The gradient of this leaf, as it is when the call begins. */
    record FromLeaf(Tensor leaf) implements Slot {}

    /** Host data that the function made when it was traced. */
    record Fixed(Buffer memory) implements Slot {}

    /** A number: drawn anew if {@code draw >= 0}, else fixed. */
    record FromNumber(int draw, long bits) implements Slot {}

    /** Of a backward program: a result of the forward program. */
    record FromResult(int index) implements Slot {}

    /** Of a backward program: the gradient of a differentiated output. */
    record FromGradient(int index) implements Slot {}

    /** A storage that the program writes: {@code input >= 0} if it is that input's; {@code leaf} if it is that of the leaf's gradient; else this one. */
    record Write(int input, Tensor leaf, Storage storage, int result, int donor) {}

    record Gradient(Tensor tensor, int result) {}

    /** Where a result of the function comes from. */
    sealed interface Output {}

    /**
     * A result of the program.
     *
     * @param tape that the function has consumed, or null
     * @param differentiated number among the results of the backward program's node; -1 if it is none
     */
    record Computed(int result, Tape tape, int differentiated) implements Output {}

    record Tape(String name, SourceLine line) {}

    /** An argument, or (an alias) a tensor of its own that shares the argument's elements. */
    record Argument(int input, boolean alias) implements Output {}

    /** A tensor that was there before. */
    record Captured(Tensor tensor) implements Output {}

    /** Of a function that is to be traced at every call. */
    static CompiledVariant traced(Map<BooleanSupplier, Boolean> observed, Map<Tensor, Type> looked) {
        return new CompiledVariant(
                null, observed, looked, List.of(), null, null, null, null, null, null, null, null, null, null);
    }

    boolean fits() {
        for (var o : observed.entrySet()) if (o.getKey().getAsBoolean() != o.getValue()) return false;
        for (var l : looked.entrySet()) if (!isGradient(l.getKey().presentGradient(), l.getValue())) return false;
        if (writesGradients() && !looked.isEmpty()) {
            // They are written apart, so none may be another's.
            Set<Storage> apart = Collections.newSetFromMap(new IdentityHashMap<>());
            for (var l : looked.entrySet())
                if (l.getValue() != null
                        && !apart.add(l.getKey().presentGradient().storage())) return false;
        }
        for (CapturedLeaf c : captured) {
            Tensor x = c.leaf.get();
            if (x != null && x.requiresGrad() != c.requiresGrad) return false;
        }
        return true;
    }

    private static boolean isGradient(Tensor g, Type type) {
        return g == null ? type == null : type != null && g.isBase() && g.type().equals(type);
    }

    private boolean writesGradients() {
        return writes != null && writes.stream().anyMatch(w -> w.leaf != null);
    }

    /** Whether tracing has come to the same: program, fixed numbers, what is read, written and returned. */
    boolean isAgain(CompiledVariant other) {
        if (program == null || other.program == null) return program == other.program;
        if (!key.equals(other.key)
                || !writes.equals(other.writes)
                || !gradients.equals(other.gradients)
                || outputs.size() != other.outputs.size()
                || !areAgain(slots, other.slots)) return false;
        for (int i = 0; i < outputs.size(); i++) {
            if (outputs.get(i) instanceof Computed a && other.outputs.get(i) instanceof Computed b) {
                if (a.result != b.result || a.differentiated != b.differentiated) return false;
            } else if (!outputs.get(i).equals(other.outputs.get(i))) {
                return false;
            }
        }
        if (backward == null || other.backward == null) return backward == other.backward;
        return backward.isAgain(other.backward);
    }

    static boolean areAgain(List<Slot> slots, List<Slot> others) {
        if (slots.size() != others.size()) return false;
        for (int i = 0; i < slots.size(); i++) {
            boolean same =
                    switch (slots.get(i)) {
                        // What the function makes on the host is made anew by each trace.
                        case Fixed _ -> others.get(i) instanceof Fixed;
                        case FromNumber n when n.draw >= 0 -> others.get(i) instanceof FromNumber m && m.draw == n.draw;
                        case Slot s -> s.equals(others.get(i));
                    };
            if (!same) return false;
        }
        return true;
    }
}
