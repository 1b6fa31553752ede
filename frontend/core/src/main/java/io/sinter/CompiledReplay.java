// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.CompiledVariant.Argument;
import io.sinter.CompiledVariant.Captured;
import io.sinter.CompiledVariant.Computed;
import io.sinter.CompiledVariant.Fixed;
import io.sinter.CompiledVariant.FromGradient;
import io.sinter.CompiledVariant.FromInput;
import io.sinter.CompiledVariant.FromLeaf;
import io.sinter.CompiledVariant.FromNumber;
import io.sinter.CompiledVariant.FromResult;
import io.sinter.CompiledVariant.FromStorage;
import io.sinter.CompiledVariant.Gradient;
import io.sinter.CompiledVariant.Output;
import io.sinter.CompiledVariant.Slot;
import io.sinter.CompiledVariant.Write;
import io.sinter.runtime.Arg;
import io.sinter.runtime.Buffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;

/** One replay of a function that was traced. */
final class CompiledReplay {
    private final Trace trace;
    private final CompiledVariant variant;
    private final Tensor[] inputs;
    /** Storages whose memory becomes that of their new values. */
    private final List<Storage> giving = new ArrayList<>();

    /** What each of the variant's writes goes to. */
    private final List<Storage> written = new ArrayList<>();
    /** Gradients as the call finds them. */
    private final Map<Tensor, Tensor> gradients = new IdentityHashMap<>();

    private Value[] values;

    private CompiledReplay(Trace trace, CompiledVariant variant, Tensor[] inputs) {
        this.trace = trace;
        this.variant = variant;
        this.inputs = inputs;
    }

    static Tensor[] run(Trace t, CompiledVariant v, Tensor[] inputs) {
        // Before the lock is taken: what is pending elsewhere runs under another thread's.
        for (Tensor x : inputs) Host.buffer(x);
        for (Slot s : v.slots()) {
            if (s instanceof FromStorage h) Host.buffer(h.storage());
            else if (s instanceof FromLeaf l) Host.buffer(l.leaf().presentGradient());
        }
        // What is pending outside may read memory that the program gives to new values: a loss before a compiled
        // optimizer's step.
        boolean gives = false;
        for (Write w : v.writes()) gives |= w.donor() >= 0;
        if (gives && t.work.hasPending()) t.work.flush();
        t.lock.lock();
        try {
            return new CompiledReplay(t, v, inputs).run();
        } finally {
            t.lock.unlock();
        }
    }

    private Tensor[] run() {
        for (Tensor leaf : variant.looked().keySet()) gradients.put(leaf, leaf.presentGradient());
        for (Write w : variant.writes()) written.add(storage(w));
        for (Value d : variant.draws()) d.bits = d.redraw.getAsLong();
        List<Arg> args = new ArrayList<>();
        for (Slot s : variant.slots()) args.add(argument(s));
        for (int i = 0; i < written.size(); i++) {
            Write w = variant.writes().get(i);
            if (w.donor() < 0) continue;
            Storage s = written.get(i);
            // A gradient may be an argument, too.
            boolean read = false;
            for (Tensor x : inputs) read |= w.leaf() != null && x.value() == s.value;
            if (read || s.value.pinned() || (s.value.flags & Value.SHARED) != 0)
                args.set(w.donor(), Host.copy((Buffer) args.get(w.donor())));
            else giving.add(s);
        }
        dropGradients();
        List<Buffer> results;
        try {
            results = variant.program().run(args, variant.lines()::get, variant.entries()::get);
        } catch (RuntimeException | Error e) {
            if (!Cut.leavesArguments(e)) for (Storage s : giving) s.value.lost(e);
            throw e;
        }
        return bind(results);
    }

    private Arg argument(Slot s) {
        return switch (s) {
            case FromInput i -> Host.buffer(inputs[i.index()]);
            case FromStorage h -> Host.buffer(h.storage());
            case FromLeaf l -> Host.buffer(gradients.get(l.leaf()));
            case Fixed f -> f.memory();
            case FromNumber n ->
                new Arg.Scalar(n.draw() < 0 ? n.bits() : variant.draws().get(n.draw()).bits);
            case FromResult _, FromGradient _ -> throw new IllegalStateException("not of a forward program: " + s);
        };
    }

    private Storage storage(Write w) {
        if (w.leaf() != null) return gradients.get(w.leaf()).storage();
        return w.input() >= 0 ? inputs[w.input()].storage() : w.storage();
    }

    /** Gradients that the function replaces make room for the new ones, as they would in the function itself, unless it reads them. */
    private void dropGradients() {
        if (variant.gradients().isEmpty()) return;
        Set<Value> read = new HashSet<>(); // Value has identity equality
        for (Slot s : variant.slots()) {
            if (s instanceof FromStorage h) read.add(h.storage().value);
            else if (s instanceof FromLeaf l) read.add(gradients.get(l.leaf()).value());
        }
        for (Tensor x : inputs) read.add(x.value());
        for (Gradient g : variant.gradients()) {
            Tensor old = g.tensor().presentGradient();
            if (old != null && !read.contains(old.value())) g.tensor().gradient(null);
        }
    }

    private Tensor[] bind(List<Buffer> results) {
        values = new Value[results.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Value.leaf(trace, variant.results().get(i), results.get(i));
            values[i].line = variant.lines().get(i);
        }
        markShared();
        for (Storage s : giving) s.value.overwritten();
        for (int i = 0; i < written.size(); i++)
            written.get(i).replace(values[variant.writes().get(i).result()]);
        bindGradients();
        Tensor[] out = new Tensor[variant.outputs().size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = switch (variant.outputs().get(i)) {
                case Computed c -> new Tensor(values[c.result()]);
                case Argument a -> a.alias() ? inputs[a.input()].alias() : inputs[a.input()];
                case Captured c -> c.tensor();
            };
        }
        CompiledNode node =
                variant.backward() == null ? null : new CompiledNode(variant.backward(), inputs, saved(out));
        for (int i = 0; i < out.length; i++) {
            if (!(variant.outputs().get(i) instanceof Computed c)) continue;
            if (c.differentiated() >= 0) out[i].history(node, c.differentiated());
            else if (c.tape() != null)
                out[i].history(
                        new SpentNode(out[i].type(), c.tape().name(), c.tape().line()), 0);
        }
        return out;
    }

    /** What a backward pass will ask for. In-place writes by whoever has a name for it are found by versions. */
    private Map<Slot, CompiledNode.Held> saved(Tensor[] out) {
        Map<Slot, CompiledNode.Held> saved = new HashMap<>();
        for (Slot s : variant.backward().saved()) {
            saved.put(
                    s,
                    switch (s) {
                        case FromInput i -> CompiledNode.Held.of(inputs[i.index()].value(), inputs[i.index()]::version);
                        case FromStorage h -> CompiledNode.Held.of(h.storage().value, () -> h.storage().version);
                        case FromNumber n ->
                            CompiledNode.Held.number(variant.draws().get(n.draw()).bits);
                        case FromResult r -> CompiledNode.Held.of(values[r.index()], versions(r.index(), out));
                        case Fixed _, FromGradient _, FromLeaf _ -> throw new IllegalStateException("not kept: " + s);
                    });
        }
        return saved;
    }

    /** Counts in-place writes to all that a result of the program has become. */
    private IntSupplier versions(int result, Tensor[] out) {
        List<IntSupplier> all = new ArrayList<>();
        for (int i = 0; i < out.length; i++) {
            if (variant.outputs().get(i) instanceof Computed c && c.result() == result) all.add(out[i]::version);
        }
        for (int i = 0; i < written.size(); i++) {
            Storage s = written.get(i);
            if (variant.writes().get(i).result() == result) all.add(() -> s.version);
        }
        return () -> all.stream().mapToInt(IntSupplier::getAsInt).sum();
    }

    /** A gradient that is no other result of the program is held by its leaf alone. */
    private void bindGradients() {
        int[] holders = new int[values.length];
        for (Gradient g : variant.gradients()) if (g.result() >= 0) holders[g.result()]++;
        for (Write w : variant.writes()) holders[w.result()]++;
        for (Output o : variant.outputs()) if (o instanceof Computed c) holders[c.result()]++;
        for (Gradient g : variant.gradients()) {
            if (g.result() < 0) {
                g.tensor().gradient(null);
                continue;
            }
            Value x = values[g.result()];
            boolean sole = holders[g.result()] == 1 && (x.flags & Value.SHARED) == 0;
            if (sole) x.flags |= Value.PRIVATE;
            g.tensor().gradient(new Tensor(x), sole ? GradientEra.OVER : null);
        }
    }

    /**
     * Results that are an argument handed through, or one another, are one piece of memory: it must not be
     * given away later.
     */
    private void markShared() {
        Map<Buffer, Value> holders = new IdentityHashMap<>();
        for (Slot s : variant.slots()) {
            Value held =
                    switch (s) {
                        case FromInput i -> inputs[i.index()].value();
                        case FromStorage h -> h.storage().value;
                        case FromLeaf l -> gradients.get(l.leaf()).value();
                        case Fixed _, FromNumber _, FromResult _, FromGradient _ -> null;
                    };
            if (held != null) holders.put(held.data, held);
        }
        for (Storage s : giving) holders.remove(s.value.data);
        for (Value r : values) r.heldBeside(holders);
    }
}
