// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

/**
 * A step of the tape: knows how to turn gradients of its results into gradients of its operands, and where
 * those go.
 */
abstract class TapeNode {
    private static final AtomicLong SEQUENCE = new AtomicLong();

    /** Order of recording: a node is processed when all later ones that lead to it are. */
    final long sequence;
    /**
     * Per operand, the node whose result it is, or null where no gradient is wanted; and which result of it.
     */
    TapeNode[] next;

    int[] nextResult;
    /** Types of the results. */
    final Type[] results;
    /** Per result: hooks on its gradient, in order; null for none. */
    private List<UnaryOperator<Tensor>>[] hooks;

    TapeNode(Type[] results, long sequence) {
        this.results = results;
        this.sequence = sequence;
    }

    static long nextSequence() {
        return SEQUENCE.incrementAndGet();
    }

    /** Edges to where the operands come from. */
    final void connect(Tensor[] in) {
        next = new TapeNode[in.length];
        nextResult = new int[in.length];
        for (int i = 0; i < in.length; i++) {
            if (!in[i].requiresGrad()) continue;
            next[i] = in[i].edge();
            nextResult[i] = in[i].resultNumber();
        }
    }

    /**
     * The vector-Jacobian product.
     *
     * @param grads gradients of the results, null where none flowed
     * @return gradients of the operands, null where none flows
     */
    abstract List<Tensor> backward(Tensor[] grads);

    /** Whether a backward pass has gone through and dropped what was saved: another one is an error. */
    boolean isSpent() {
        return false;
    }

    /** Drops what was saved. A second backward pass through the node is an error. */
    void release() {}

    /** The forward operator's name. */
    abstract String name();

    /** The user's line of the forward call. */
    SourceLine line() {
        return SourceLine.UNKNOWN;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    final Runnable addHook(int result, UnaryOperator<Tensor> hook) {
        if (hooks == null) hooks = new List[results.length];
        if (hooks[result] == null) hooks[result] = new ArrayList<>();
        List<UnaryOperator<Tensor>> list = hooks[result];
        list.add(hook);
        return () -> list.remove(hook);
    }

    /** Whether the user has code run when a gradient passes. */
    final boolean hasHooks() {
        if (hooks == null) return false;
        for (List<?> list : hooks) if (list != null && !list.isEmpty()) return true;
        return false;
    }

    /** The gradient of a result after its hooks. */
    final Tensor hooked(int result, Tensor grad) {
        if (hooks == null || hooks[result] == null || grad == null) return grad;
        Trace.current().exposeGradients();
        for (UnaryOperator<Tensor> h : List.copyOf(hooks[result])) {
            grad.value().flags |= Value.KEPT;
            Tensor changed = h.apply(grad);
            if (changed == null) continue;
            if (!changed.type().equals(grad.type())) {
                throw Errors.state("a hook on the gradient of " + name() + " returned " + changed.type()
                        + " for a gradient " + grad.type());
            }
            grad = changed;
        }
        return grad;
    }
}
