// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Op;
import io.sinter.runtime.Device;
import io.sinter.runtime.Session;
import java.util.Arrays;
import java.util.List;

/**
 * The one way from an operator and tensors to new tensors: infers (and so checks) types, appends to the
 * trace, records the tape.
 */
final class Dispatch {
    /** Operators on tensors: what gradients and compositions are written against. */
    static final Emitter<Tensor> EMITTER = new Emitter<>() {
        @Override
        public List<Tensor> emit(Op op, List<Tensor> inputs) {
            return emitAll(op, inputs.toArray(Tensor[]::new));
        }

        @Override
        public Type type(Tensor value) {
            return value.type();
        }

        // Without lists, as most operators have one result: rules and compositions come through here at every step.

        @Override
        public Tensor apply(Op op, Tensor a) {
            return Dispatch.emit(op, a);
        }

        @Override
        public Tensor apply(Op op, Tensor a, Tensor b) {
            return Dispatch.emit(op, a, b);
        }

        @Override
        public Tensor apply(Op op, Tensor a, Tensor b, Tensor c) {
            return Dispatch.emit(op, a, b, c);
        }

        @Override
        public Tensor apply(Op op, Tensor... inputs) {
            return Dispatch.emit(op, inputs);
        }
    };

    private Dispatch() {}

    /** Applies any operator; its first result. */
    static Tensor emit(Op op, Tensor... in) {
        Trace t = Trace.current();
        t.work.limit();
        Value[] values = read(t, op, in);
        List<Type> types = infer(op, values);
        return types.size() == 1 ? single(t, op, in, values, types.get(0)) : several(t, op, in, values, types)[0];
    }

    private static Tensor single(Trace t, Op op, Tensor[] in, Value[] values, Type type) {
        Value v = Value.node(t, op, type, values);
        t.add(v);
        Tensor r = new Tensor(v);
        if (t.gradMode && wantsGradient(in)) OpNode.record(t, op, in, values, new Tensor[] {r});
        if (t.eager && t.recording == null) t.work.compute(v);
        return r;
    }

    /** Applies any operator; one tensor per result. */
    static List<Tensor> emitAll(Op op, Tensor... in) {
        Trace t = Trace.current();
        t.work.limit();
        Value[] values = read(t, op, in);
        List<Type> types = infer(op, values);
        if (types.size() == 1) return List.of(single(t, op, in, values, types.get(0)));
        return Arrays.asList(several(t, op, in, values, types));
    }

    private static Tensor[] several(Trace t, Op op, Tensor[] in, Value[] values, List<Type> types) {
        Tensor[] results = new Tensor[types.size()];
        Value v = Value.multi(t, op, types, values);
        t.add(v);
        v.flags |= Value.CONSUMED;
        for (int i = 0; i < results.length; i++) {
            t.add(v.projections[i]);
            results[i] = new Tensor(v.projections[i]);
        }
        if (t.gradMode && wantsGradient(in)) OpNode.record(t, op, in, values, results);
        if (t.eager && t.recording == null) for (Tensor r : results) t.work.compute(r.value);
        return results;
    }

    /**
     * The first result of an operator whose others are for its gradient alone: nobody waits for them, so pending work
     * that runs for its own sake leaves them out.
     */
    static Tensor emitFirst(Op op, Tensor... in) {
        List<Tensor> results = emitAll(op, in);
        for (Tensor r : results.subList(1, results.size())) unread(r);
        return results.getFirst();
    }

    /** Nobody but a gradient will read {@code result}. */
    static void unread(Tensor result) {
        result.value().flags |= Value.CONSUMED;
    }

    private static Value[] read(Trace t, Op op, Tensor[] in) {
        if (in.length == 0) return Value.NONE;
        Value[] values = new Value[in.length];
        boolean leaves = false;
        for (int i = 0; i < in.length; i++) {
            Value v = in[i].read(t);
            // Another thread's value has been computed, and its flags are that thread's.
            if (v.trace == t) v.flags |= Value.CONSUMED;
            values[i] = v;
            leaves |= v.data != null;
        }
        if (!leaves) return values;
        Device here = Session.current().device();
        for (Value v : values) {
            if (v.data == null || v.data.device().equals(here)) continue;
            throw Errors.argument(
                    op.name(), Arrays.stream(values).map(x -> x.type).toList(), elsewhere(v, here));
        }
        return values;
    }

    /** What is wrong with an operand that is not on the session's device. */
    static String elsewhere(Value v, Device here) {
        return "operand " + v.type + " is on device " + v.data.device() + ", the session computes on " + here
                + "; use it in the session that made it, or make a tensor of its values here";
    }

    private static List<Type> infer(Op op, Value[] in) {
        try {
            Type[] types = new Type[in.length];
            for (int i = 0; i < in.length; i++) types[i] = in[i].type;
            return op.infer(Arrays.asList(types));
        } catch (OpException e) {
            throw Errors.wrap(e);
        }
    }

    private static boolean wantsGradient(Tensor[] in) {
        for (Tensor x : in) if (x.requiresGrad()) return true;
        return false;
    }
}
