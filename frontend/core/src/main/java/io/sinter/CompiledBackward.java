// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.runtime.Buffer;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The backward pass through a compiled function's results as a program of its own (as AOTAutograd's of {@code torch.compile}): from gradients of results and
 * what the tape saved, as the forward program gave it, to gradients of arguments and leaves.
 *
 * @param program null if no gradient needs computing
 * @param entries source lines of the program's entries
 * @param lines source lines of its results
 * @param saved what is kept from the forward program on: of the slots, those that are neither constant nor gradients
 * @param slots the program's arguments
 * @param gradients for each of {@code ends} where its gradient comes from; null if none flows
 * @param ends where gradients go
 * @param outputs types of the differentiated results
 * @param name of the operator that gave the first of them
 * @param line its line
 */
record CompiledBackward(
        Program program,
        String key,
        List<SourceLine> entries,
        List<SourceLine> lines,
        List<CompiledVariant.Slot> saved,
        List<CompiledVariant.Slot> slots,
        List<Source> gradients,
        List<End> ends,
        List<Type> outputs,
        String name,
        SourceLine line) {

    /** Where a gradient comes from. */
    sealed interface Source {}

    record Result(int index, Type type) implements Source {}

    /** Something that was there, handed on as it is. */
    record Passed(CompiledVariant.Slot slot) implements Source {}

    /**
     * An argument's history if {@code input >= 0}, else a leaf.
     *
     * @param reached the differentiated outputs that depend on it
     */
    record End(int input, Tensor leaf, BitSet reached) {}

    boolean isAgain(CompiledBackward other) {
        return key.equals(other.key)
                && ends.equals(other.ends)
                && gradients.equals(other.gradients)
                && CompiledVariant.areAgain(slots, other.slots);
    }

    /** What the values of the forward program are called at a replay. */
    interface Names {
        /** The slot of a leaf; null if it is not known, or its number would have to be drawn anew. */
        CompiledVariant.Slot slot(Value v);
    }

    /**
     * Traces the backward pass, which does not run, and makes its program.
     *
     * @param start the tape's sequence number when the function began
     * @return null if it cannot be done
     */
    static CompiledBackward of(Trace t, CompiledTape tape, long start, Tensor[] out, Names names) {
        List<Tensor> roots = tape.outputs().stream().map(i -> out[i]).toList();
        List<Tensor> seeds = new ArrayList<>();
        List<Buffer> memory = new ArrayList<>();
        Map<Value, CompiledVariant.Slot> seedSlots = new IdentityHashMap<>();
        for (Tensor r : roots) {
            Buffer b = Session.current().allocator().allocate(r.type().bytes(), "gradients that are only traced");
            memory.add(b);
            Value v = Value.leaf(t, r.type(), b);
            seedSlots.put(v, new CompiledVariant.FromGradient(seeds.size()));
            seeds.add(new Tensor(v));
        }
        try {
            List<Tensor> found = Engine.gradientsAt(roots, seeds, tape.ends());
            Names all = v -> seedSlots.containsKey(v) ? seedSlots.get(v) : names.slot(v);
            return of(t, tape, tape.reached(out, start), found, roots, all);
        } finally {
            Trace.restart();
            memory.forEach(Buffer::release);
        }
    }

    private static CompiledBackward of(
            Trace t, CompiledTape tape, List<BitSet> reached, List<Tensor> found, List<Tensor> roots, Names names) {
        List<Value> wanted = new ArrayList<>();
        Map<Value, Integer> result = new IdentityHashMap<>();
        List<Source> gradients = new ArrayList<>();
        for (Tensor g : found) {
            if (g == null) {
                gradients.add(null);
                continue;
            }
            Value v = g.value();
            if (v.pending()) {
                Integer n = result.get(v);
                if (n == null) {
                    n = wanted.size();
                    result.put(v, n);
                    wanted.add(v);
                }
                gradients.add(new Result(n, v.type));
                continue;
            }
            CompiledVariant.Slot slot = names.slot(v);
            if (slot == null || slot instanceof CompiledVariant.Fixed || slot instanceof CompiledVariant.FromNumber)
                return null;
            gradients.add(new Passed(slot));
        }
        List<CompiledVariant.Slot> slots = new ArrayList<>();
        Cut.Trail trail = wanted.isEmpty() ? null : t.work.compileExactly(wanted);
        if (trail != null) {
            for (Value v : trail.arguments()) {
                CompiledVariant.Slot slot = names.slot(v);
                if (slot == null) return null;
                slots.add(slot);
            }
        }
        List<CompiledVariant.Slot> saved = new ArrayList<>();
        for (CompiledVariant.Slot s : slots) addSaved(saved, s);
        for (Source g : gradients) if (g instanceof Passed p) addSaved(saved, p.slot);
        List<End> ends = new ArrayList<>();
        for (int i = 0; i < tape.ends().size(); i++) {
            boolean leaf = tape.inputs().get(i) < 0;
            Tensor end = leaf ? ((AccumulateNode) tape.ends().get(i).node()).leaf : null;
            ends.add(new End(tape.inputs().get(i), end, reached.get(i)));
        }
        TapeNode first = roots.getFirst().edge();
        return new CompiledBackward(
                trail == null ? null : trail.program(),
                trail == null ? "" : trail.key(),
                trail == null ? List.of() : trail.lines(),
                wanted.stream()
                        .map(v -> v.line == null ? SourceLine.UNKNOWN : v.line)
                        .toList(),
                List.copyOf(saved),
                List.copyOf(slots),
                gradients,
                ends,
                roots.stream().map(Tensor::type).toList(),
                first.name(),
                first.line());
    }

    private static boolean isConstant(CompiledVariant.Slot s) {
        return s instanceof CompiledVariant.Fixed || s instanceof CompiledVariant.FromNumber n && n.draw() < 0;
    }

    private static void addSaved(List<CompiledVariant.Slot> saved, CompiledVariant.Slot s) {
        if (!isConstant(s) && !(s instanceof CompiledVariant.FromGradient) && !saved.contains(s)) saved.add(s);
    }
}
