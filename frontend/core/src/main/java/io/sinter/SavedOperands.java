// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.GradCall;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.Scatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which operands and results of an operator its gradient rule computes with (rather than asking for their
 * types only), so that the tape saves those and nothing else. Found by running the rule once on values that
 * have a type and remember where they come from.
 *
 * @param operands a bit per operand
 * @param results a bit per result
 */
record SavedOperands(long operands, long results) {
    private static final Map<Key, SavedOperands> KNOWN = new ConcurrentHashMap<>();

    /** Operators of one class whose rules differ by an attribute are told apart by that attribute. */
    private record Key(Object op, int operandCount, long needs) {}

    static SavedOperands of(Op op, Value[] in, Tensor[] out, long needs) {
        // Bodies are too many to be remembered for ever, and a loop has its gradient made already.
        if (op instanceof Loop) return probe(op, in, out, needs);
        Object kind =
                switch (op) {
                    case Reduce r -> r.kind();
                    case Scan s -> s.kind();
                    case Put p -> List.of(Put.class, p.mode());
                    case Scatter s -> List.of(Scatter.class, s.mode());
                    default -> op.getClass().isRecord() ? op.getClass() : op;
                };
        Key key = new Key(kind, in.length, needs);
        SavedOperands known = KNOWN.get(key);
        if (known == null) {
            known = probe(op, in, out, needs);
            KNOWN.put(key, known);
        }
        return known;
    }

    private static SavedOperands probe(Op op, Value[] in, Tensor[] out, long needs) {
        Type[] inTypes = Arrays.stream(in).map(v -> v.type).toArray(Type[]::new);
        Type[] outTypes = Arrays.stream(out).map(Tensor::type).toArray(Type[]::new);
        return new Probe(inTypes, outTypes, needs).run(op);
    }

    /** A value of the probe: {@code place} is its place among operands and results, or -1. */
    private record Ghost(Type type, int place) {}

    private static final class Probe implements Emitter<Ghost>, GradCall<Ghost> {
        private final List<Ghost> operands = new ArrayList<>();
        private final List<Ghost> results = new ArrayList<>();
        private final long needs;
        private long used;

        Probe(Type[] in, Type[] out, long needs) {
            for (Type t : in) operands.add(new Ghost(t, operands.size()));
            for (Type t : out) results.add(new Ghost(t, in.length + results.size()));
            this.needs = needs;
        }

        SavedOperands run(Op op) {
            for (Ghost g : op.gradient(this)) if (g != null) use(g);
            int n = operands.size();
            return new SavedOperands(used & (1L << n) - 1, used >>> n);
        }

        private void use(Ghost g) {
            if (g.place >= 0) used |= 1L << g.place;
        }

        @Override
        public List<Ghost> emit(Op op, List<Ghost> inputs) {
            inputs.forEach(this::use);
            return op.infer(inputs.stream().map(Ghost::type).toList()).stream()
                    .map(t -> new Ghost(t, -1))
                    .toList();
        }

        @Override
        public Type type(Ghost value) {
            return value.type;
        }

        @Override
        public Emitter<Ghost> e() {
            return this;
        }

        @Override
        public List<Ghost> inputs() {
            return operands;
        }

        @Override
        public Ghost out(int i) {
            return results.get(i);
        }

        @Override
        public Ghost grad(int i) {
            return new Ghost(results.get(i).type, -1);
        }

        @Override
        public boolean flows(int i) {
            return true;
        }

        @Override
        public boolean needs(int i) {
            return (needs >> i & 1) != 0;
        }
    }
}
