// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.DType;
import io.sinter.ir.Type;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.GradCall;
import io.sinter.ir.op.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reverse-mode differentiation over any emitter: records what is emitted, and gives gradients as
 * values of the same tape, which can be differentiated again. The measure for the frontend's
 * autograd, and the driver of gradient checks.
 */
public final class Tape<V> implements Emitter<Tape.Var<V>> {
    /** A recorded value. */
    public static final class Var<V> {
        private final V value;

        private Var(V value) {
            this.value = value;
        }

        /** The value in the underlying emitter. */
        public V value() {
            return value;
        }
    }

    private record Call<V>(Op op, List<Var<V>> inputs, List<Var<V>> outputs) {}

    private final Emitter<V> under;
    private final List<Call<V>> calls = new ArrayList<>();

    public Tape(Emitter<V> under) {
        this.under = under;
    }

    /** A value that comes from outside the tape. */
    public Var<V> leaf(V value) {
        return new Var<>(value);
    }

    @Override
    public Type type(Var<V> value) {
        return under.type(value.value);
    }

    @Override
    public List<Var<V>> emit(Op op, List<Var<V>> inputs) {
        List<V> values = under.emit(op, inputs.stream().map(Var::value).toList());
        List<Var<V>> outputs = new ArrayList<>();
        for (V v : values) outputs.add(new Var<>(v));
        calls.add(new Call<>(op, List.copyOf(inputs), List.copyOf(outputs)));
        return outputs;
    }

    /**
     * Gradients of the sum of {@code outputs · seeds} by each of {@code of}, on this tape. A float
     * value that does not reach the outputs has zeros; an integer one too, of its own type.
     */
    public List<Var<V>> gradients(List<Var<V>> outputs, List<Var<V>> seeds, List<Var<V>> of) {
        int end = calls.size();
        Map<Var<V>, Var<V>> grads = new HashMap<>();
        for (int i = 0; i < outputs.size(); i++) accumulate(grads, outputs.get(i), seeds.get(i));
        for (int i = end - 1; i >= 0; i--) {
            Call<V> call = calls.get(i);
            if (call.outputs.stream().noneMatch(grads::containsKey)) continue;
            List<Var<V>> in = call.op.gradient(new Pull(call, grads));
            if (in.size() != call.inputs.size()) {
                throw new IllegalStateException(
                        call.op.name() + " gives " + in.size() + " gradients for " + call.inputs.size() + " operands");
            }
            for (int k = 0; k < in.size(); k++) {
                if (in.get(k) == null) continue;
                Type wanted = type(call.inputs.get(k));
                if (!type(in.get(k)).equals(wanted)) {
                    throw new IllegalStateException("gradient "
                            + k
                            + " of "
                            + call.op.name()
                            + " is "
                            + type(in.get(k))
                            + ", its operand "
                            + wanted);
                }
                accumulate(grads, call.inputs.get(k), in.get(k));
            }
        }
        List<Var<V>> result = new ArrayList<>();
        for (Var<V> v : of) result.add(grads.containsKey(v) ? grads.get(v) : zeros(type(v)));
        return result;
    }

    private void accumulate(Map<Var<V>, Var<V>> grads, Var<V> v, Var<V> g) {
        Var<V> old = grads.get(v);
        grads.put(v, old == null ? g : add(old, g));
    }

    private Var<V> zeros(Type type) {
        DType t = type.dtype();
        return expand(emit(Constant.ofLong(t, 0), List.of()).get(0), type.shape());
    }

    private final class Pull implements GradCall<Var<V>> {
        private final Call<V> call;
        private final Map<Var<V>, Var<V>> grads;

        Pull(Call<V> call, Map<Var<V>, Var<V>> grads) {
            this.call = call;
            this.grads = grads;
        }

        @Override
        public Emitter<Var<V>> e() {
            return Tape.this;
        }

        @Override
        public List<Var<V>> inputs() {
            return call.inputs;
        }

        @Override
        public Var<V> out(int i) {
            return call.outputs.get(i);
        }

        @Override
        public Var<V> grad(int i) {
            Var<V> g = grads.get(call.outputs.get(i));
            return g != null ? g : zeros(type(call.outputs.get(i)));
        }

        @Override
        public boolean needs(int i) {
            return type(call.inputs.get(i)).dtype().isFloat();
        }

        @Override
        public boolean flows(int i) {
            return grads.containsKey(call.outputs.get(i));
        }
    }
}
