// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.List;
import java.util.function.UnaryOperator;

/** Gradients: reverse-mode differentiation over a tape, as in PyTorch. */
public sealed interface Differentiable permits Tensor {
    Tensor self();

    /** Makes this leaf accumulate gradients (or stop doing so). Float dtypes only. */
    default Tensor requiresGrad_(boolean requires) {
        Tensor x = self();
        if (requires && !x.dtype().isFloat())
            throw Errors.argument("requiresGrad_", x, "only floating-point tensors have gradients");
        if (!x.isLeaf()) {
            if (requires) return x;
            throw Errors.state(
                    "requiresGrad_(false) on a result of a recorded operator (" + x.type() + "); use detach()");
        }
        x.leafRequiresGrad(requires);
        return x;
    }

    default Tensor requiresGrad_() {
        return requiresGrad_(true);
    }

    /** The gradient accumulated by backward passes, or null. */
    default Tensor grad() {
        return self().sharedGradient();
    }

    /** Replaces the gradient; null forgets it. Memory of a gradient that nobody has asked for goes back at once. */
    default void setGrad(Tensor grad) {
        Tensor x = self();
        if (grad != null && !grad.type().equals(x.type()))
            throw Errors.argument("setGrad", x, grad, "a gradient has the tensor's type");
        x.gradient(grad);
    }

    /** Forgets the gradient. Its memory goes back at once if nobody has asked for it. */
    default void zeroGrad() {
        self().gradient(null);
    }

    /**
     * A tensor that shares elements (and in-place writes) with this one, but through which no gradient flows.
     */
    default Tensor detach() {
        return self().alias();
    }

    /** Cuts this tensor off from its history. */
    default Tensor detach_() {
        self().forgetHistory();
        self().leafRequiresGrad(false);
        return self();
    }

    /** Gradients of this scalar with respect to all leaves, added to their {@code grad()}. */
    default void backward() {
        backward(null, false, false);
    }

    /** @param gradient gradient of this tensor: same type; null (1) only for single elements */
    default void backward(Tensor gradient) {
        backward(gradient, false, false);
    }

    /**
     * @param retainGraph keep what the tape saved, for another backward pass
     * @param createGraph record the gradients' own tape, for higher derivatives (implies retainGraph)
     */
    default void backward(Tensor gradient, boolean retainGraph, boolean createGraph) {
        Autograd.backward(
                List.of(self()), gradient == null ? null : List.of(gradient), retainGraph || createGraph, createGraph);
    }

    /** Keeps the gradient of this result of an operator in {@code grad()}. */
    default Tensor retainGrad() {
        Tensor x = self();
        if (!x.isLeaf()) {
            registerHook(g -> {
                x.gradient(x.gradient() == null ? g : x.gradient().add(g));
                return null;
            });
        }
        return x;
    }

    /**
     * Calls {@code hook} with this tensor's gradient in every backward pass; what it returns (unless null)
     * replaces the gradient.
     *
     * @return removes the hook
     */
    default Runnable registerHook(UnaryOperator<Tensor> hook) {
        Tensor x = self();
        if (!x.requiresGrad()) throw Errors.state("a hook on a tensor that requires no gradient: " + x.type());
        return x.edge().addHook(x.resultNumber(), hook);
    }
}
