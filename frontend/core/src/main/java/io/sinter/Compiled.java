// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.MatmulPrecision;
import io.sinter.ir.Type;
import io.sinter.runtime.Arg;
import io.sinter.runtime.Buffer;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * A function that is traced once for each signature of its arguments (types, which of them are one tensor,
 * whether gradients are recorded) and then replayed; twice, if the first call makes state of its own. A
 * replay gives exactly the function's results: it reads the tensors that the function captured as they are
 * then, writes those that it writes, sets the gradients that it sets, and draws its random numbers and
 * {@linkplain Trace#live live} numbers again. Java code in the function, and Java numbers in it, run only
 * when traced.
 *
 * <p>A result may require gradients if the function itself has gone backward through it (a training step that returns its loss). A function with
 * results that are still to be differentiated is traced at every call, because the tape cannot be replayed.
 */
final class Compiled {
    /** Every so many replays the function is traced again, and must do what it did: {@code -Dsinter.compile.verify=N}; 0 for never. */
    private static final int VERIFY = Integer.getInteger("sinter.compile.verify", 0);

    private final UnaryOperator<Tensor[]> function;
    private final CompileOptions options;
    private final int verify;
    private long calls;
    private final Map<Signature, List<Variant>> variants = new HashMap<>();
    /** Signatures whose first trace made state of its own. */
    private final Set<Signature> warm = new HashSet<>();

    Compiled(UnaryOperator<Tensor[]> function) {
        this(function, CompileOptions.DEFAULT, VERIFY);
    }

    /** @param verify every so many replays the function is traced again; 0 for never */
    Compiled(UnaryOperator<Tensor[]> function, CompileOptions options, int verify) {
        this.function = function;
        this.options = options;
        this.verify = verify;
    }

    Compiled(UnaryOperator<Tensor[]> function, CompileOptions options) {
        this(function, options, VERIFY);
    }

    /** Equal signatures trace to equal programs. */
    private record Signature(
            List<Type> types,
            List<Integer> aliases,
            List<Boolean> grads,
            boolean gradMode,
            MatmulPrecision precision,
            boolean watched,
            Session session) {}

    /** Where an argument of the program comes from at a replay. */
    private sealed interface Slot {}

    private record FromInput(int index) implements Slot {}

    private record FromStorage(Storage storage) implements Slot {}

    /** Host data that the function made when it was traced. */
    private record Fixed(Buffer memory) implements Slot {}

    /** A number: drawn anew if {@code draw >= 0}, else fixed. */
    private record FromNumber(int draw, long bits) implements Slot {}

    /** A storage that the program writes: {@code input >= 0} if it is that input's. */
    private record Write(int input, Storage storage, int result, int donor) {}

    private record Gradient(Tensor tensor, int result) {}

    /** Where a result of the function comes from. */
    private sealed interface Output {}

    /** A result of the program; with a tape that the function has consumed, or null. */
    private record Computed(int result, Tape tape) implements Output {}

    private record Tape(String name, SourceLine line) {}

    /** An argument, or (an alias) a tensor of its own that shares the argument's elements. */
    private record Argument(int input, boolean alias) implements Output {}

    /** A tensor that was there before. */
    private record Captured(Tensor tensor) implements Output {}

    /** A traced program; null program: to be traced at every call. */
    private record Variant(
            String key,
            Map<BooleanSupplier, Boolean> observed,
            Program program,
            List<Slot> slots,
            List<Type> results,
            List<SourceLine> lines,
            List<SourceLine> entries,
            List<Value> draws,
            List<Write> writes,
            List<Gradient> gradients,
            List<Output> outputs) {

        boolean fits() {
            for (var o : observed.entrySet()) if (o.getKey().getAsBoolean() != o.getValue()) return false;
            return true;
        }

        /** Whether tracing has come to the same: program, fixed numbers, what is read, written and returned. */
        boolean isAgain(Variant other) {
            if (program == null || other.program == null) return program == other.program;
            if (!key.equals(other.key)
                    || slots.size() != other.slots.size()
                    || !writes.equals(other.writes)
                    || !gradients.equals(other.gradients)
                    || outputs.size() != other.outputs.size()) return false;
            for (int i = 0; i < slots.size(); i++) {
                boolean same =
                        switch (slots.get(i)) {
                            // What the function makes on the host is made anew by each trace.
                            case Fixed _ -> other.slots.get(i) instanceof Fixed;
                            case FromNumber n
                            when n.draw >= 0 -> other.slots.get(i) instanceof FromNumber m && m.draw == n.draw;
                            case Slot s -> s.equals(other.slots.get(i));
                        };
                if (!same) return false;
            }
            for (int i = 0; i < outputs.size(); i++) {
                if (outputs.get(i) instanceof Computed a && other.outputs.get(i) instanceof Computed b) {
                    if (a.result != b.result) return false;
                } else if (!outputs.get(i).equals(other.outputs.get(i))) {
                    return false;
                }
            }
            return true;
        }
    }

    synchronized Tensor[] call(Tensor... inputs) {
        Trace t = Trace.current();
        if (t.recording != null || t.eager) return function.apply(inputs);
        Signature signature = signature(t, inputs);
        for (Variant v : variants.getOrDefault(signature, List.of())) {
            if (!v.fits()) continue;
            if (v.program == null) return function.apply(inputs);
            calls++;
            return verify > 0 && calls % verify == 0 ? verify(t, signature, v, inputs) : replay(t, v, inputs);
        }
        if (calls++ >= options.strictAfter()) {
            throw Errors.state("a function given to Sinter.compile would be traced and compiled again at call " + calls
                    + ", and its options allow that for the first " + options.strictAfter()
                    + " only: its arguments are "
                    + signature.types + (signature.gradMode ? "" : " without gradients")
                    + ", or a network in it has been switched between training and evaluation");
        }
        return record(t, signature, inputs);
    }

    /** Traces again and compares. */
    private Tensor[] verify(Trace t, Signature signature, Variant v, Tensor[] inputs) {
        List<Variant> known = variants.get(signature);
        int before = known.size();
        Tensor[] out = record(t, signature, inputs);
        Variant again = known.size() > before ? known.removeLast() : null;
        if (again == null || !again.isAgain(v)) {
            throw Errors.state(
                    "a function given to Sinter.compile no longer does what it did when it was traced (program "
                            + (again == null ? "that makes state" : again.key) + " instead of " + v.key
                            + "): Java code in it, or a Java number that it uses, depends on something that changes; make the number live "
                            + "(Trace.live), a switch observed, or do not compile the function");
        }
        return out;
    }

    private static Signature signature(Trace t, Tensor[] inputs) {
        List<Type> types = new ArrayList<>();
        List<Integer> aliases = new ArrayList<>();
        List<Boolean> grads = new ArrayList<>();
        for (Tensor x : inputs) {
            types.add(x.type());
            grads.add(x.requiresGrad());
            int first = 0;
            while (inputs[first].value() != x.value()) first++;
            aliases.add(first);
        }
        Session session = Session.current();
        return new Signature(types, aliases, grads, t.gradMode, session.matmulPrecision(), session.watches(), session);
    }

    // ---- tracing

    private Tensor[] record(Trace t, Signature signature, Tensor[] inputs) {
        t.flush();
        for (Tensor x : inputs) {
            Host.buffer(x);
            x.value().scalar = false;
            x.storage();
        }
        Recording r = new Recording(t);
        Map<Value, Integer> inputValues = new IdentityHashMap<>();
        Map<Storage, Integer> inputStorages = new IdentityHashMap<>();
        for (int i = inputs.length - 1; i >= 0; i--) {
            inputValues.put(inputs[i].value(), i);
            if (inputs[i].isBase()) inputStorages.put(inputs[i].storage(), i);
        }
        Tensor[] out;
        t.recording = r;
        try {
            out = function.apply(inputs);
        } finally {
            t.recording = null;
        }
        boolean taped =
                Arrays.stream(out).anyMatch(x -> x.requiresGrad() && !x.edge().isSpent());
        if (makesState(r) && warm.add(signature)) {
            r.end();
            return out;
        }
        Variant v = taped
                ? new Variant(null, r.observed, null, null, null, null, null, null, null, null, null)
                : trace(t, r, inputs, out, inputValues, inputStorages);
        r.end();
        variants.computeIfAbsent(signature, _ -> new ArrayList<>()).add(v);
        return out;
    }

    /**
     * Did the function write in place to tensors that it made itself? They may be temporaries, or state that
     * it makes when first called (an optimizer's moments): the next call, which is traced too, tells.
     */
    private static boolean makesState(Recording r) {
        Set<Storage> gradients = new HashSet<>();
        for (Tensor p : r.gradients)
            if (p.gradient() != null) gradients.add(p.gradient().storageOrNull());
        for (Storage s : r.written) {
            if (s.version > 0 && s.overwritten != null && s.overwritten.recorded == r && !gradients.contains(s))
                return true;
        }
        return false;
    }

    private static Variant trace(
            Trace t,
            Recording r,
            Tensor[] inputs,
            Tensor[] out,
            Map<Value, Integer> inputValues,
            Map<Storage, Integer> inputStorages) {
        List<Storage> states = r.written.stream()
                .filter(s -> s.overwritten != null && s.overwritten.recorded != r)
                .toList();
        List<Value> roots = new ArrayList<>();
        for (Tensor x : out) addRoot(roots, x.value());
        for (Storage s : states) addRoot(roots, s.value);
        for (Tensor p : r.gradients)
            if (p.gradient() != null) addRoot(roots, p.gradient().value());
        Map<Storage, Value> before = new IdentityHashMap<>();
        for (Storage s : states) before.put(s, s.overwritten);
        Cut.Trail trail = t.runExactly(roots, states);
        Map<Value, Integer> result = new IdentityHashMap<>();
        for (int i = 0; i < roots.size(); i++) result.put(roots.get(i), i);

        List<Slot> slots = new ArrayList<>();
        for (Value v : trail.arguments()) {
            Integer input = inputValues.get(v);
            if (input != null) slots.add(new FromInput(input));
            else if (v.scalar) slots.add(new FromNumber(r.draws.indexOf(v), v.bits));
            else if (r.holders.containsKey(v)) slots.add(new FromStorage(r.holders.get(v)));
            else slots.add(new Fixed(v.data));
        }
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
        for (Tensor p : r.gradients)
            gradients.add(new Gradient(
                    p,
                    p.gradient() == null ? -1 : result.getOrDefault(p.gradient().value(), -1)));
        List<Output> outputs = new ArrayList<>();
        for (Tensor x : out) {
            int same = Arrays.asList(inputs).indexOf(x);
            Integer storage = x.isBase() ? inputStorages.get(x.storageOrNull()) : null;
            if (same >= 0) outputs.add(new Argument(same, false));
            else if (storage != null) outputs.add(new Argument(storage, true));
            else if (result.containsKey(x.value()) && !(x.isBase() && before.containsKey(x.storageOrNull()))) {
                Tape tape =
                        x.requiresGrad() ? new Tape(x.edge().name(), x.edge().line()) : null;
                outputs.add(new Computed(result.get(x.value()), tape));
            } else outputs.add(new Captured(x));
        }
        return new Variant(
                trail.key(),
                r.observed,
                trail.program(),
                slots,
                roots.stream().map(v -> v.type).toList(),
                roots.stream()
                        .map(v -> v.line == null ? SourceLine.UNKNOWN : v.line)
                        .toList(),
                trail.lines(),
                r.draws,
                writes,
                gradients,
                outputs);
    }

    private static void addRoot(List<Value> roots, Value v) {
        if (v.pending() && !roots.contains(v)) roots.add(v);
    }

    // ---- replaying

    private static Tensor[] replay(Trace t, Variant v, Tensor[] inputs) {
        // Before the lock is taken: what is pending elsewhere runs under another thread's.
        for (Tensor x : inputs) Host.buffer(x);
        for (Slot s : v.slots) if (s instanceof FromStorage h) Host.buffer(h.storage);
        t.lock.lock();
        try {
            for (Value d : v.draws) d.bits = d.redraw.getAsLong();
            List<Arg> args = new ArrayList<>();
            for (Slot s : v.slots) {
                args.add(
                        switch (s) {
                            case FromInput i -> Host.buffer(inputs[i.index]);
                            case FromStorage h -> Host.buffer(h.storage);
                            case Fixed f -> f.memory;
                            case FromNumber n -> new Arg.Scalar(n.draw < 0 ? n.bits : v.draws.get(n.draw).bits);
                        });
            }
            List<Storage> giving = new ArrayList<>();
            for (Write w : v.writes) {
                if (w.donor < 0) continue;
                Storage s = storage(w, inputs);
                if (s.value.pinned() || (s.value.flags & Value.SHARED) != 0)
                    args.set(w.donor, Host.copy((Buffer) args.get(w.donor)));
                else giving.add(s);
            }
            List<Buffer> results;
            try {
                results = v.program.run(args, v.lines::get, v.entries::get);
            } catch (RuntimeException | Error e) {
                if (!Cut.leavesArguments(e)) for (Storage s : giving) s.value.lost(e);
                throw e;
            }
            return bind(t, v, inputs, results, giving);
        } finally {
            t.lock.unlock();
        }
    }

    private static Storage storage(Write w, Tensor[] inputs) {
        return w.input >= 0 ? inputs[w.input].storage() : w.storage;
    }

    private static Tensor[] bind(Trace t, Variant v, Tensor[] inputs, List<Buffer> results, List<Storage> giving) {
        Value[] values = new Value[results.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Value.leaf(t, v.results.get(i), results.get(i));
            values[i].line = v.lines.get(i);
        }
        markShared(v, inputs, values, giving);
        for (Storage s : giving) s.value.overwritten();
        for (Write w : v.writes) storage(w, inputs).replace(values[w.result]);
        bindGradients(v, values);
        Tensor[] out = new Tensor[v.outputs.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = switch (v.outputs.get(i)) {
                case Computed c -> computed(values[c.result], c.tape);
                case Argument a -> a.alias ? inputs[a.input].alias() : inputs[a.input];
                case Captured c -> c.tensor;
            };
        }
        return out;
    }

    /** A gradient that is no other result of the program is held by its leaf alone. */
    private static void bindGradients(Variant v, Value[] values) {
        int[] holders = new int[values.length];
        for (Gradient g : v.gradients) if (g.result >= 0) holders[g.result]++;
        for (Write w : v.writes) holders[w.result]++;
        for (Output o : v.outputs) if (o instanceof Computed c) holders[c.result]++;
        for (Gradient g : v.gradients) {
            if (g.result < 0) {
                g.tensor.gradient(null);
                continue;
            }
            Value x = values[g.result];
            boolean sole = holders[g.result] == 1 && (x.flags & Value.SHARED) == 0;
            if (sole) x.flags |= Value.PRIVATE;
            g.tensor.gradient(new Tensor(x), sole ? GradientEra.OVER : null);
        }
    }

    private static Tensor computed(Value value, Tape tape) {
        Tensor t = new Tensor(value);
        if (tape != null) t.history(new SpentNode(value.type, tape.name, tape.line), 0);
        return t;
    }

    /**
     * Results that are an argument handed through, or one another, are one piece of memory: it must not be
     * given away later.
     */
    private static void markShared(Variant v, Tensor[] inputs, Value[] values, List<Storage> giving) {
        Map<Buffer, Value> holders = new IdentityHashMap<>();
        for (Slot s : v.slots) {
            Value held =
                    switch (s) {
                        case FromInput i -> inputs[i.index].value();
                        case FromStorage h -> h.storage.value;
                        case Fixed _, FromNumber _ -> null;
                    };
            if (held != null) holders.put(held.data, held);
        }
        for (Storage s : giving) holders.remove(s.value.data);
        for (Value r : values) {
            Value other = holders.putIfAbsent(r.data, r);
            if (other == null) continue;
            other.share();
            r.share();
        }
    }
}
