// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.CompiledVariant.Argument;
import io.sinter.CompiledVariant.Captured;
import io.sinter.CompiledVariant.CapturedLeaf;
import io.sinter.CompiledVariant.Computed;
import io.sinter.CompiledVariant.Fixed;
import io.sinter.CompiledVariant.FromInput;
import io.sinter.CompiledVariant.FromLeaf;
import io.sinter.CompiledVariant.FromNumber;
import io.sinter.CompiledVariant.FromResult;
import io.sinter.CompiledVariant.FromStorage;
import io.sinter.CompiledVariant.Gradient;
import io.sinter.CompiledVariant.Output;
import io.sinter.CompiledVariant.Slot;
import io.sinter.CompiledVariant.Tape;
import io.sinter.CompiledVariant.Write;
import io.sinter.ir.Type;
import io.sinter.ir.op.View;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a program of what a function given to {@link Sinter#compile} did while it was recorded, and runs it. */
final class CompiledTracing {
    private final Trace trace;
    private final Recording recording;
    private final Tensor[] inputs;
    /** The tape's sequence number when the function began. */
    private final long start = TapeNode.nextSequence();

    private final Map<Value, Integer> inputValues = new IdentityHashMap<>();
    private final Map<Storage, Integer> inputStorages = new IdentityHashMap<>();
    /** Of the gradients of before the call that the function has looked at: whose they are. */
    private final Map<Storage, Tensor> gradientStorages = new IdentityHashMap<>();

    private final Map<Tensor, Type> looked = new LinkedHashMap<>();
    /** Numbers of the program's results. */
    private final Map<Value, Integer> result = new IdentityHashMap<>();

    /** To be made before the function is called. */
    CompiledTracing(Trace trace, Recording recording, Tensor[] inputs) {
        this.trace = trace;
        this.recording = recording;
        this.inputs = inputs;
        for (int i = inputs.length - 1; i >= 0; i--) {
            inputValues.put(inputs[i].value(), i);
            if (inputs[i].isBase()) inputStorages.put(inputs[i].storage(), i);
        }
    }

    /** The function returned {@code out}. Its results are computed when this returns, unless it is to be traced at every call. */
    CompiledVariant variant(Tensor[] out) {
        boolean apart = lookedAt(out);
        CompiledTape tape = CompiledTape.of(recording, inputs, out, start);
        if (tape == null || !apart) return traced();
        List<Storage> states = recording.written.stream()
                .filter(s -> s.overwritten != null && s.overwritten.recorded != recording)
                .toList();
        List<Value> roots = roots(out, states, tape);
        Map<Storage, Value> before = new IdentityHashMap<>();
        for (Storage s : states) before.put(s, s.overwritten);
        Cut.Trail trail = trace.work.runExactly(roots, states);
        for (int i = 0; i < roots.size(); i++) result.put(roots.get(i), i);

        List<Slot> slots = trail.arguments().stream().map(this::slot).toList();
        List<Write> writes = new ArrayList<>();
        for (Storage s : states) {
            int donor = trail.givers().indexOf(s) < 0 ? -1 : trail.arguments().indexOf(before.get(s));
            Integer index = result.get(s.value);
            if (index == null)
                throw Errors.state(
                        "a function given to Sinter.compile writes an argument or a captured tensor to another tensor in place; clone() it");
            writes.add(new Write(inputStorages.getOrDefault(s, -1), gradientStorages.get(s), s, index, donor));
        }
        List<Gradient> gradients = new ArrayList<>();
        for (Tensor p : recording.gradients)
            gradients.add(new Gradient(
                    p,
                    p.presentGradient() == null
                            ? -1
                            : result.getOrDefault(p.presentGradient().value(), -1)));
        List<Output> outputs = outputs(out, before, tape);
        CompiledBackward backward = null;
        if (!tape.outputs().isEmpty()) {
            for (int i : tape.outputs()) if (!(outputs.get(i) instanceof Computed)) return traced();
            backward = CompiledBackward.of(trace, tape, start, out, this::backwardSlot);
            if (backward == null) return traced();
        }
        List<CapturedLeaf> captured = new ArrayList<>();
        if (backward != null) {
            recording.captured.forEach((x, requires) -> {
                if (!Arrays.asList(inputs).contains(x))
                    captured.add(new CapturedLeaf(new WeakReference<>(x), requires));
            });
        }
        return new CompiledVariant(
                trail.key(),
                recording.observed,
                looked,
                captured,
                trail.program(),
                slots,
                roots.stream().map(v -> v.type).toList(),
                roots.stream()
                        .map(v -> v.line == null ? SourceLine.UNKNOWN : v.line)
                        .toList(),
                trail.lines(),
                recording.draws,
                writes,
                gradients,
                outputs,
                backward);
    }

    private CompiledVariant traced() {
        return CompiledVariant.traced(recording.observed, looked);
    }

    /**
     * Notes whose gradients of before the call were looked at. False if a replay could not tell them from something else: one is a view, an argument, a
     * result as it is, or the gradient of two leaves.
     */
    private boolean lookedAt(Tensor[] out) {
        boolean apart = true;
        for (var l : recording.looked.entrySet()) {
            Tensor g = l.getValue();
            looked.put(l.getKey(), g == null ? null : g.type());
            if (g == null) continue;
            apart &= g.isBase() && gradientStorages.put(g.storage(), l.getKey()) == null;
            for (Tensor x : inputs) apart &= x.storage() != g.storage() && x.value() != g.value();
            for (Tensor x : out) apart &= x.storageOrNull() != g.storage();
        }
        return apart;
    }

    /** What the program computes: results, written state, gradients, and what a backward pass will ask for. */
    private List<Value> roots(Tensor[] out, List<Storage> states, CompiledTape tape) {
        Set<Value> roots = new LinkedHashSet<>(); // Value has identity equality
        for (Tensor x : out) roots.add(x.value());
        for (Storage s : states) roots.add(s.value);
        for (Tensor p : recording.gradients)
            if (p.presentGradient() != null) roots.add(p.presentGradient().value());
        for (Value v : tape.saved()) {
            // Of a view what it looks at is kept: looking again costs nothing.
            while (v.op instanceof View && v.in.length == 1 && !roots.contains(v)) v = v.in[0];
            roots.add(v);
        }
        return roots.stream().filter(Value::pending).toList();
    }

    private Slot slot(Value v) {
        Integer input = inputValues.get(v);
        if (input != null) return new FromInput(input);
        if (v.scalar) return new FromNumber(recording.draws.indexOf(v), v.bits);
        Storage holder = recording.holders.get(v);
        Tensor leaf = gradientStorages.get(holder);
        if (leaf != null) return new FromLeaf(leaf);
        return holder != null ? new FromStorage(holder) : new Fixed(v.data);
    }

    /** As {@link #slot}, of an argument of the backward pass; null for a number that would have to be drawn in it, and for a gradient of before the call. */
    private Slot backwardSlot(Value v) {
        Integer index = result.get(v);
        if (index != null) return new FromResult(index);
        if (v.scalar && v.redraw != null && !recording.draws.contains(v)) return null;
        Slot slot = slot(v);
        return slot instanceof FromLeaf ? null : slot;
    }

    private List<Output> outputs(Tensor[] out, Map<Storage, Value> before, CompiledTape tape) {
        List<Output> outputs = new ArrayList<>();
        for (int i = 0; i < out.length; i++) {
            Tensor x = out[i];
            int same = Arrays.asList(inputs).indexOf(x);
            Integer storage = x.isBase() ? inputStorages.get(x.storageOrNull()) : null;
            if (same >= 0) {
                outputs.add(new Argument(same, false));
            } else if (storage != null) {
                outputs.add(new Argument(storage, true));
            } else if (result.containsKey(x.value()) && !(x.isBase() && before.containsKey(x.storageOrNull()))) {
                int differentiated = tape.outputs().indexOf(i);
                boolean spent = x.requiresGrad() && differentiated < 0;
                Tape consumed = spent ? new Tape(x.edge().name(), x.edge().line()) : null;
                outputs.add(new Computed(result.get(x.value()), consumed, differentiated));
            } else {
                outputs.add(new Captured(x));
            }
        }
        return outputs;
    }
}
