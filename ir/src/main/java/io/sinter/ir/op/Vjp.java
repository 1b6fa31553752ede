// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Reverse-mode differentiation of a function written against an {@link Emitter}: the operators that the
 * function emits are recorded, and their gradient rules are applied backwards. The result is made of
 * operators again, so it can be differentiated in turn.
 *
 * <p>This is how an operator with a decomposition gets its gradient where it has no better rule.
 */
public final class Vjp {
    private Vjp() {}

    /** Any method of this signature will do: {@code op::decompose}. */
    @FunctionalInterface
    public interface Function {
        <V> List<V> apply(Emitter<V> e, List<V> in);
    }

    /**
     * The vector-Jacobian product of {@code f} at {@code in}. The operators of {@code f} are emitted anew;
     * what the gradient does not read of them is dead code.
     *
     * @param grads gradient of each result, null where nothing flows
     * @param wanted the inputs of which a gradient is wanted
     * @return one gradient per input; null where none flows or is wanted
     */
    public static <V> List<V> gradient(Emitter<V> e, Function f, List<V> in, List<V> grads, IntPredicate wanted) {
        Recorder<V> recorder = new Recorder<>(e);
        List<Value<V>> inputs = new ArrayList<>();
        for (int i = 0; i < in.size(); i++) inputs.add(new Value<>(e, in.get(i), wanted.test(i)));
        List<Value<V>> results = f.apply(recorder, inputs);
        for (int i = 0; i < results.size(); i++) results.get(i).flow(e, grads.get(i));
        for (Step<V> step : recorder.steps.reversed()) step.backward(e);
        List<V> out = new ArrayList<>();
        for (Value<V> v : inputs) out.add(v.gradient);
        return out;
    }

    /**
     * The gradient of a function in place of the operator that {@code call} is about; of the inputs that are
     * {@code wanted}.
     */
    static <V> List<V> gradient(GradCall<V> call, Function f, int results, IntPredicate wanted) {
        List<V> grads = new ArrayList<>();
        for (int i = 0; i < results; i++) grads.add(call.flows(i) ? call.grad(i) : null);
        return gradient(call.e(), f, call.inputs(), grads, wanted);
    }

    /** A recorded value and the gradient that has flowed into it so far. */
    private static final class Value<V> {
        final V value;

        /** It is a float and depends on an input of which the gradient is wanted. */
        final boolean active;

        V gradient;

        Value(Emitter<V> e, V value, boolean active) {
            this.value = value;
            this.active = active && e.type(value).dtype().isFloat();
        }

        void flow(Emitter<V> e, V g) {
            if (active && g != null) gradient = gradient == null ? g : e.add(gradient, g);
        }
    }

    private record Recorder<V>(Emitter<V> e, List<Step<V>> steps) implements Emitter<Value<V>> {
        Recorder(Emitter<V> e) {
            this(e, new ArrayList<>());
        }

        @Override
        public List<Value<V>> emit(Op op, List<Value<V>> operands) {
            boolean active = false;
            List<V> raw = new ArrayList<>();
            for (Value<V> v : operands) {
                raw.add(v.value);
                active |= v.active;
            }
            List<Value<V>> results = new ArrayList<>();
            for (V v : e.emit(op, raw)) results.add(new Value<>(e, v, active));
            if (active) steps.add(new Step<>(op, List.copyOf(operands), results));
            return results;
        }

        @Override
        public Type type(Value<V> value) {
            return e.type(value.value);
        }
    }

    private record Step<V>(Op op, List<Value<V>> operands, List<Value<V>> results) {
        void backward(Emitter<V> e) {
            if (results.stream().allMatch(r -> r.gradient == null)) return;
            List<V> grads = op.gradient(new Call<>(e, this));
            for (int i = 0; i < operands.size(); i++) operands.get(i).flow(e, grads.get(i));
        }
    }

    private record Call<V>(Emitter<V> e, Step<V> step) implements GradCall<V> {
        @Override
        public List<V> inputs() {
            return step.operands.stream().map(v -> v.value).toList();
        }

        @Override
        public V out(int i) {
            return step.results.get(i).value;
        }

        @Override
        public V grad(int i) {
            V g = step.results.get(i).gradient;
            return g != null ? g : e.zerosLike(out(i));
        }

        @Override
        public boolean flows(int i) {
            return step.results.get(i).gradient != null;
        }

        @Override
        public boolean needs(int i) {
            return step.operands.get(i).active;
        }
    }
}
