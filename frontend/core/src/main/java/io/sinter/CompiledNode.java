// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.runtime.Arg;
import io.sinter.runtime.Buffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * The tape of a replayed function's results: one step, whose gradient is a compiled program. Results without a gradient count as results with a gradient of zeros. The
 * gradient itself is not taped, so there is no second derivative through it (both as with {@code torch.compile}).
 */
final class CompiledNode extends TapeNode {
    /**
     * What is kept for the backward pass.
     *
     * @param value null for a number
     * @param bits of a number
     * @param version of what holds the value, now
     * @param expected the version that it had
     */
    record Held(Value value, long bits, IntSupplier version, int expected) {
        static Held number(long bits) {
            return new Held(null, bits, () -> 0, 0);
        }

        static Held of(Value value, IntSupplier version) {
            return new Held(value, 0, version, version.getAsInt());
        }
    }

    private final CompiledBackward program;
    private Map<CompiledVariant.Slot, Held> saved;

    /**
     * @param inputs the arguments of the replayed call
     * @param saved what {@link CompiledBackward#saved} asks for
     */
    CompiledNode(CompiledBackward program, Tensor[] inputs, Map<CompiledVariant.Slot, Held> saved) {
        super(program.outputs().toArray(Type[]::new), nextSequence());
        this.program = program;
        this.saved = new HashMap<>(saved);
        int n = program.ends().size();
        next = new TapeNode[n];
        nextResult = new int[n];
        for (int i = 0; i < n; i++) {
            CompiledBackward.End e = program.ends().get(i);
            Tensor x = e.input() >= 0 ? inputs[e.input()] : e.leaf();
            if (program.gradients().get(i) == null) continue;
            next[i] = x.edge();
            nextResult[i] = x.resultNumber();
        }
        for (Held h : saved.values()) if (h.value != null) h.value.saved++;
    }

    @Override
    List<Tensor> backward(Tensor[] grads) {
        if (saved == null) throw SpentNode.secondTime(name(), line());
        Trace t = Trace.current();
        if (t.gradMode)
            throw Errors.state(
                    "a second derivative through a function given to Sinter.compile (" + name() + ", " + line()
                            + "): its backward pass is compiled, and keeps no tape; call the function itself where createGraph = true");
        if (t.recording != null || t.body != null)
            throw Errors.state("backward through the result of one compiled function (" + name() + ", " + line()
                    + ") inside of another one or of a loop's body; call the first function in there as well");
        for (Held h : saved.values()) {
            int now = h.version.getAsInt();
            if (now != h.expected) throw SavedValue.modified(name(), h.value.type, now, h.expected);
        }
        List<Value> pending = new ArrayList<>();
        Tensor[] seeds = new Tensor[grads.length];
        for (int i = 0; i < seeds.length; i++) {
            seeds[i] = grads[i] != null ? grads[i] : Tensor.zeros(results[i]);
            if (seeds[i].value().pending()) pending.add(seeds[i].value());
        }
        if (!pending.isEmpty()) {
            // The loss, too, which is on the way or beside it: otherwise it would be computed again later.
            for (Value v : t.passRoots) if (v.pending()) pending.add(v);
            t.work.runGradients(pending);
        }
        for (Tensor s : seeds) Host.buffer(s);
        t.lock.lock();
        try {
            List<Tensor> gradients = run(t, seeds);
            // What no output leads to that has a gradient gets none, rather than zeros.
            for (int i = 0; i < gradients.size(); i++) {
                if (program.ends().get(i).reached().stream().noneMatch(k -> grads[k] != null)) gradients.set(i, null);
            }
            return gradients;
        } finally {
            t.lock.unlock();
        }
    }

    private List<Tensor> run(Trace t, Tensor[] seeds) {
        Map<Buffer, Value> holders = new IdentityHashMap<>();
        List<Arg> args = new ArrayList<>();
        for (CompiledVariant.Slot s : program.slots()) {
            if (s instanceof CompiledVariant.FromNumber n) {
                args.add(new Arg.Scalar(n.draw() < 0 ? n.bits() : saved.get(s).bits));
                continue;
            }
            if (s instanceof CompiledVariant.Fixed f) {
                args.add(f.memory());
                continue;
            }
            Value v = value(s, seeds);
            if (!v.present()) throw Cut.unreadable(v);
            holders.putIfAbsent(v.data, v);
            args.add(v.data);
        }
        List<Buffer> memory = program.program() == null
                ? List.of()
                : program.program().run(args, program.lines()::get, program.entries()::get);
        Value[] values = new Value[memory.size()];
        List<Tensor> gradients = new ArrayList<>();
        for (CompiledBackward.Source g : program.gradients()) {
            switch (g) {
                case null -> gradients.add(null);
                case CompiledBackward.Passed p -> {
                    Value v = value(p.slot(), seeds);
                    v.share();
                    gradients.add(new Tensor(v));
                }
                case CompiledBackward.Result r -> {
                    Value v = values[r.index()];
                    if (v == null) {
                        v = Value.leaf(t, r.type(), memory.get(r.index()));
                        v.line = program.lines().get(r.index());
                        v.pass = t.pass;
                        v.heldBeside(holders);
                        values[r.index()] = v;
                    }
                    gradients.add(new Tensor(v));
                }
            }
        }
        return gradients;
    }

    private Value value(CompiledVariant.Slot s, Tensor[] seeds) {
        return s instanceof CompiledVariant.FromGradient g ? seeds[g.index()].value() : saved.get(s).value;
    }

    @Override
    boolean isSpent() {
        return saved == null;
    }

    @Override
    void release() {
        if (saved == null) return;
        for (Held h : saved.values()) if (h.value != null) h.value.saved--;
        saved = null;
    }

    @Override
    String name() {
        return program.name();
    }

    @Override
    SourceLine line() {
        return program.line();
    }
}
