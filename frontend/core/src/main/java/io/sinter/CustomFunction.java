// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An operation with a gradient of its own ({@code torch.autograd.Function}): what {@link #forward} does is
 * not recorded, and {@link #backward} is what a backward pass calls. Written in tensor operations, {@code
 * backward} can be differentiated again.
 */
public abstract class CustomFunction {
    /** What one call keeps from forward to backward. */
    public static final class Context {
        private final List<SavedValue> saved = new ArrayList<>();
        private final List<Tensor> owners = new ArrayList<>();
        private boolean[] needs;
        private boolean freed;

        private Context() {}

        /** Keeps tensors for {@link #saved}; changing them in place before the backward pass is an error. */
        public void save(Tensor... tensors) {
            for (Tensor x : tensors) {
                saved.add(new SavedValue(null, x, x.value()));
                owners.add(x);
            }
        }

        /** The tensors that were saved, in order, with their histories. */
        public Tensor saved(int i) {
            if (freed)
                throw Errors.state(
                        "what a custom function saved was freed by an earlier backward pass; pass retainGraph = true to that one");
            saved.get(i).check("a custom function");
            return owners.get(i);
        }

        /** Is a gradient of input {@code i} wanted? */
        public boolean needs(int i) {
            return needs[i];
        }

        int inputs() {
            return needs.length;
        }

        private void free() {
            if (freed) return;
            freed = true;
            saved.forEach(SavedValue::release);
            saved.clear();
            owners.clear();
        }
    }

    /** The results; gradients are off. */
    protected abstract Tensor[] forward(Context context, Tensor... inputs);

    /**
     * The gradients of the inputs, null where there is none.
     *
     * @param gradients of the results; null where none flowed
     */
    protected abstract Tensor[] backward(Context context, Tensor... gradients);

    /** Calls {@link #forward} and records the call. */
    public final Tensor[] apply(Tensor... inputs) {
        Trace t = Trace.current();
        Context context = new Context();
        context.needs = new boolean[inputs.length];
        boolean record = false;
        for (int i = 0; i < inputs.length; i++) {
            context.needs[i] = t.gradMode && inputs[i].requiresGrad();
            record |= context.needs[i];
        }
        Tensor[] out;
        try (var _ = Sinter.noGrad()) {
            out = forward(context, inputs);
        }
        if (!record) return out;
        Tensor[] results = new Tensor[out.length];
        Type[] types = new Type[out.length];
        for (int i = 0; i < out.length; i++) {
            // An input handed through must not take on this call's history.
            results[i] = Arrays.asList(inputs).contains(out[i]) ? new Tensor(out[i].value()) : out[i];
            types[i] = out[i].type();
        }
        Node node = new Node(this, context, types, SourceLine.ofCaller());
        node.connect(inputs);
        for (int i = 0; i < results.length; i++) if (types[i].dtype().isFloat()) results[i].history(node, i);
        return results;
    }

    private static final class Node extends TapeNode {
        private final CustomFunction function;
        private final Context context;
        private final SourceLine line;

        Node(CustomFunction function, Context context, Type[] results, SourceLine line) {
            super(results, nextSequence());
            this.function = function;
            this.context = context;
            this.line = line;
        }

        @Override
        List<Tensor> backward(Tensor[] grads) {
            Trace.current().exposeGradients();
            Tensor[] g = function.backward(context, grads);
            if (g.length != next.length) {
                throw Errors.state(name() + ".backward returned " + g.length + " gradients for " + next.length
                        + " inputs; return null where there is none");
            }
            return Arrays.asList(g);
        }

        @Override
        void release() {
            context.free();
        }

        @Override
        String name() {
            return function.getClass().getSimpleName().isEmpty()
                    ? function.getClass().getName()
                    : function.getClass().getSimpleName();
        }

        @Override
        SourceLine line() {
            return line;
        }
    }
}
