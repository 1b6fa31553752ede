// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Gradients as a function, and switches of recording. */
public final class Autograd {
    private Autograd() {}

    /** Ends {@link Sinter#noGrad} and {@link Sinter#enableGrad}. */
    public interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    static Scope mode(boolean record) {
        Trace t = Trace.current();
        boolean before = t.gradMode;
        t.gradMode = record;
        return () -> t.gradMode = before;
    }

    /** Is the tape of this thread recording? */
    public static boolean isGradEnabled() {
        return Trace.current().gradMode;
    }

    /**
     * Adds gradients of {@code outputs} to the {@code grad()} of the leaves that they depend on.
     *
     * @param gradients of the outputs; null, or null elements, stand for 1 where an output has a single
     *     element
     */
    public static void backward(
            List<Tensor> outputs, List<Tensor> gradients, boolean retainGraph, boolean createGraph) {
        List<Tensor> seeds = seeds(outputs, gradients);
        Engine.backward(outputs, seeds, retainGraph, createGraph);
        Trace t = Trace.current();
        for (Tensor y : outputs) t.work.loss(y.value());
    }

    /** Gradients of a scalar with respect to {@code inputs}; none may be unused. */
    public static List<Tensor> grad(Tensor output, Tensor... inputs) {
        return grad(List.of(output), List.of(inputs), null, false, false, false);
    }

    /**
     * Gradients of {@code outputs} with respect to {@code inputs}; {@code grad()} of leaves stays as it is
     * ({@code torch.autograd.grad}).
     *
     * @param gradients of the outputs, as in {@link #backward}
     * @param createGraph record the gradients' own tape, for higher derivatives (implies retainGraph)
     * @param allowUnused return null for inputs that no output depends on, instead of throwing
     */
    public static List<Tensor> grad(
            List<Tensor> outputs,
            List<Tensor> inputs,
            List<Tensor> gradients,
            boolean retainGraph,
            boolean createGraph,
            boolean allowUnused) {
        for (Tensor x : inputs) {
            if (!x.requiresGrad())
                throw Errors.state("gradient with respect to a tensor that requires none: " + x.type());
        }
        List<Tensor> seeds = seeds(outputs, gradients);
        List<Tensor> found = Engine.gradients(outputs, seeds, inputs, retainGraph || createGraph, createGraph);
        for (int i = 0; i < found.size(); i++) {
            if (found.get(i) == null && !allowUnused) {
                throw Errors.state("input " + i + " (" + inputs.get(i).type()
                        + ") was not used by the outputs; pass allowUnused = true to get null for it");
            }
        }
        return found;
    }

    /**
     * Calls {@code f} without keeping its intermediate values; the backward pass calls it again. Its random
     * draws are the same in both calls. Tensors that it captures get their gradients too.
     */
    public static Tensor checkpoint(UnaryOperator<Tensor> f, Tensor x) {
        return new Checkpoint(in -> new Tensor[] {f.apply(in[0])}).apply(x)[0];
    }

    /**
     * Compares gradients of {@code f} with central differences, in f64 ({@code torch.autograd.gradcheck}).
     *
     * @param inputs f64 leaves that require gradients; others are held fixed
     * @throws AssertionError naming the first element that differs by more than {@code 1e-5 + 1e-3 *
     *     |difference quotient|}
     */
    public static void gradcheck(Function<Tensor[], Tensor> f, Tensor... inputs) {
        GradCheck.run(f, inputs);
    }

    private static List<Tensor> seeds(List<Tensor> outputs, List<Tensor> gradients) {
        List<Tensor> seeds = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            Tensor y = outputs.get(i);
            Tensor g = gradients == null ? null : gradients.get(i);
            if (!y.requiresGrad()) {
                throw Errors.state(
                        "backward of a tensor that requires no gradient and was not computed from one that does: "
                                + y.type());
            }
            if (g == null) {
                if (y.numel() != 1) {
                    throw Errors.argument(
                            "backward",
                            y,
                            "a gradient can be left out only for a single element; reduce it (mean, sum) or pass the gradient");
                }
                g = Tensor.full(y.shape(), 1, y.dtype());
            } else if (!g.type().equals(y.type())) {
                throw Errors.argument("backward", y, g, "the gradient must have the output's type");
            }
            seeds.add(g);
        }
        return seeds;
    }
}
