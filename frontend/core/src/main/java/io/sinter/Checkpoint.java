// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A function whose intermediate values are not kept for the backward pass, but computed again in it (Chen et
 * al., 2016).
 */
final class Checkpoint extends CustomFunction {
    private final UnaryOperator<Tensor[]> function;
    private byte[] random;

    Checkpoint(UnaryOperator<Tensor[]> function) {
        this.function = function;
    }

    @Override
    protected Tensor[] forward(Context context, Tensor... inputs) {
        context.save(inputs);
        random = Sinter.generator().state();
        return function.apply(inputs);
    }

    @Override
    protected Tensor[] backward(Context context, Tensor... gradients) {
        List<Tensor> inputs = new ArrayList<>();
        for (int i = 0; i < context.inputs(); i++) {
            Tensor x = context.saved(i).detach();
            inputs.add(context.needs(i) ? x.requiresGrad_() : x);
        }
        // What is pending runs now: in one program with the first computation, the second would be found
        // equal to it, and its values kept.
        Trace t = Trace.current();
        if (t.recording == null) t.work.flush();
        byte[] now = Sinter.generator().state();
        Tensor[] out;
        try (var _ = Sinter.enableGrad()) {
            Sinter.generator().setState(random);
            out = function.apply(inputs.toArray(Tensor[]::new));
        } finally {
            Sinter.generator().setState(now);
        }
        List<Tensor> roots = new ArrayList<>();
        List<Tensor> seeds = new ArrayList<>();
        for (int i = 0; i < out.length; i++) {
            if (gradients[i] == null || !out[i].requiresGrad()) continue;
            roots.add(out[i]);
            seeds.add(gradients[i]);
        }
        if (!roots.isEmpty()) Engine.backward(roots, seeds, false, false);
        return inputs.stream().map(Tensor::grad).toArray(Tensor[]::new);
    }
}
