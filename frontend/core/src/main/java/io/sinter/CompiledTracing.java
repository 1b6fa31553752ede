// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.CompiledVariant.Argument;
import io.sinter.CompiledVariant.Captured;
import io.sinter.CompiledVariant.CapturedLeaf;
import io.sinter.CompiledVariant.Computed;
import io.sinter.CompiledVariant.Fixed;
import io.sinter.CompiledVariant.FromInput;
import io.sinter.CompiledVariant.FromNumber;
import io.sinter.CompiledVariant.FromResult;
import io.sinter.CompiledVariant.FromStorage;
import io.sinter.CompiledVariant.Gradient;
import io.sinter.CompiledVariant.Output;
import io.sinter.CompiledVariant.Slot;
import io.sinter.CompiledVariant.Tape;
import io.sinter.CompiledVariant.Write;
import io.sinter.ir.op.View;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
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
        CompiledTape tape = CompiledTape.of(recording, inputs, out, start);
        if (tape == null) return CompiledVariant.traced(recording.observed);
        List<Storage> states = recording.written.stream()
                .filter(s -> s.overwritten != null && s.overwritten.recorded != recording)
                .toList();
        List<Value> roots = roots(out, states, tape);
        Map<Storage, Value> before = new IdentityHashMap<>();
        for (Storage s : states) before.put(s, s.overwritten);
        Cut.Trail trail = trace.runExactly(roots, states);
        for (int i = 0; i < roots.size(); i++) result.put(roots.get(i), i);

        List<Slot> slots = trail.arguments().stream().map(this::slot).toList();
        for (Slot s : slots)
            if (s instanceof FromStorage h && recording.isReplacedGradient(h.storage()))
                return CompiledVariant.traced(recording.observed);
        List<Write> writes = new ArrayList<>();
        for (Storage s : states) {
            int donor = trail.givers().indexOf(s) < 0 ? -1 : trail.arguments().indexOf(before.get(s));
            Integer index = result.get(s.value);
            if (index == null)
                throw Errors.state(
                        "a function given to Sinter.compile writes an argument or a captured tensor to another tensor in place; clone() it");
            writes.add(new Write(inputStorages.getOrDefault(s, -1), s, index, donor));
        }
        List<Gradient> gradients = new ArrayList<>();
        for (Tensor p : recording.gradients)
            gradients.add(new Gradient(
                    p,
                    p.gradient() == null ? -1 : result.getOrDefault(p.gradient().value(), -1)));
        List<Output> outputs = outputs(out, before, tape);
        CompiledBackward backward = null;
        if (!tape.outputs().isEmpty()) {
            for (int i : tape.outputs())
                if (!(outputs.get(i) instanceof Computed)) return CompiledVariant.traced(recording.observed);
            backward = CompiledBackward.of(trace, tape, start, out, this::backwardSlot);
            if (backward == null) return CompiledVariant.traced(recording.observed);
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

    /** What the program computes: results, written state, gradients, and what a backward pass will ask for. */
    private List<Value> roots(Tensor[] out, List<Storage> states, CompiledTape tape) {
        Set<Value> roots = new LinkedHashSet<>(); // Value has identity equality
        for (Tensor x : out) roots.add(x.value());
        for (Storage s : states) roots.add(s.value);
        for (Tensor p : recording.gradients)
            if (p.gradient() != null) roots.add(p.gradient().value());
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
        return holder != null ? new FromStorage(holder) : new Fixed(v.data);
    }

    /** As {@link #slot}, of an argument of the backward pass; null for a number that would have to be drawn in it. */
    private Slot backwardSlot(Value v) {
        Integer index = result.get(v);
        if (index != null) return new FromResult(index);
        if (v.scalar && v.redraw != null && !recording.draws.contains(v)) return null;
        return slot(v);
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
