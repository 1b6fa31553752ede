// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.GradCall;
import io.sinter.ir.op.Op;
import io.sinter.runtime.Session;
import java.util.Arrays;
import java.util.List;

/** The tape node of an operator: its gradient is the operator's rule. */
final class OpNode extends TapeNode {
    private final Op op;
    private final Type[] operands;
    private final SourceLine line;
    private final Trace trace;
    /** Null where the rule needs no more than the type. */
    private SavedValue[] savedOperands;

    private SavedValue[] savedResults;
    private boolean released;
    /** When it was recorded: {@link Trace#interval} then. */
    private int interval;

    private OpNode(Trace trace, Op op, Type[] operands, Type[] results, SourceLine line) {
        super(results, nextSequence());
        this.trace = trace;
        this.op = op;
        this.operands = operands;
        this.line = line;
    }

    /** Records {@code out = op(in)} and makes the results of float type require gradients. */
    static void record(Trace trace, Op op, Tensor[] in, Value[] values, Tensor[] out) {
        long needs = 0;
        Type[] operands = new Type[in.length];
        for (int i = 0; i < in.length; i++) {
            operands[i] = values[i].type;
            if (in[i].requiresGrad()) needs |= 1L << i;
        }
        Type[] results = new Type[out.length];
        boolean differentiable = false;
        for (int i = 0; i < out.length; i++) {
            results[i] = out[i].type();
            differentiable |= results[i].dtype().isFloat();
        }
        if (!differentiable) return;
        OpNode node = new OpNode(trace, op, operands, results, out[0].value.line);
        node.connect(in);
        SavedOperands saved = SavedOperands.of(op, values, out, needs);
        node.savedOperands = new SavedValue[in.length];
        node.savedResults = new SavedValue[out.length];
        for (int i = 0; i < in.length; i++) {
            if ((saved.operands() >> i & 1) != 0) node.savedOperands[i] = new SavedValue(node, in[i], values[i]);
        }
        for (int i = 0; i < out.length; i++) {
            if (results[i].dtype().isFloat()) out[i].history(node, i);
            if ((saved.results() >> i & 1) != 0) node.savedResults[i] = new SavedValue(node, out[i], out[i].value);
        }
        trace.taped++;
        node.interval = trace.interval;
    }

    /** Adds what the gradient rule will ask for. */
    void addSaved(List<Value> to) {
        for (SavedValue s : savedOperands) if (s != null) to.add(s.value);
        for (SavedValue s : savedResults) if (s != null) to.add(s.value);
    }

    /** Whether nothing that the gradient rule will ask for has been changed in place. */
    boolean isIntact() {
        for (SavedValue s : savedOperands) if (s != null && s.isModified()) return false;
        for (SavedValue s : savedResults) if (s != null && s.isModified()) return false;
        return true;
    }

    /** The result that this node saved, if it did, is now the value of {@code target}. */
    void moved(Tensor target, int result) {
        if (savedResults != null && savedResults[result] != null) savedResults[result].moved(target);
    }

    @Override
    List<Tensor> backward(Tensor[] grads) {
        if (released) throw SpentNode.secondTime(name(), line);
        Call call = new Call(grads);
        Trace t = Trace.current();
        SourceLine outer = t.onBehalf;
        t.onBehalf = Session.tracksSources() ? line.gradientOf(op.name()) : line;
        try {
            return op.gradient(call);
        } finally {
            t.onBehalf = outer;
        }
    }

    @Override
    boolean isSpent() {
        return released;
    }

    @Override
    void release() {
        if (released) return;
        released = true;
        for (SavedValue s : savedOperands) if (s != null) s.release();
        for (SavedValue s : savedResults) if (s != null) s.release();
        savedOperands = null;
        savedResults = null;
        if (interval == trace.interval) trace.taped--;
    }

    @Override
    String name() {
        return op.name();
    }

    @Override
    SourceLine line() {
        return line;
    }

    private final class Call implements GradCall<Tensor> {
        private final Tensor[] grads;
        private final Tensor[] in = new Tensor[operands.length];
        private final Tensor[] out = new Tensor[results.length];

        Call(Tensor[] grads) {
            this.grads = grads;
        }

        @Override
        public Emitter<Tensor> e() {
            return Dispatch.EMITTER;
        }

        @Override
        public Tensor in(int i) {
            if (in[i] == null) {
                in[i] = unpack(savedOperands[i], operands[i]);
                if (next[i] != null) in[i].history(next[i], nextResult[i]);
            }
            return in[i];
        }

        @Override
        public List<Tensor> inputs() {
            for (int i = 0; i < in.length; i++) in(i);
            return Arrays.asList(in);
        }

        @Override
        public Tensor out(int i) {
            if (out[i] == null) {
                out[i] = unpack(savedResults[i], results[i]);
                if (results[i].dtype().isFloat()) out[i].history(OpNode.this, i);
            }
            return out[i];
        }

        private Tensor unpack(SavedValue s, Type type) {
            if (s != null) return new Tensor(s.value).guarded(s);
            return new Tensor(Value.typeOnly(type, this));
        }

        /** What is wrong with computing with an operand or result that was not saved. */
        @Override
        public String toString() {
            return "the gradient rule of " + name() + " computes with a value that its first run did not";
        }

        @Override
        public Tensor grad(int i) {
            return grads[i] != null ? grads[i] : Tensor.zeros(results[i]);
        }

        @Override
        public boolean flows(int i) {
            return grads[i] != null;
        }

        @Override
        public boolean needs(int i) {
            return next[i] != null;
        }
    }
}
