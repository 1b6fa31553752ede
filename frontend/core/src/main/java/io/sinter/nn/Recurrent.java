// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@link LSTM} and {@link GRU} share: stacked layers, each over a sequence [N, T, in] (as PyTorch's with
 * {@code batch_first}), to [N, T, hidden]. The steps are traced one after another; what does not depend on
 * the step before, the inputs' projection, is one product for the whole sequence. All parameters begin
 * uniform in ±1/√hidden, in PyTorch's order and under its names.
 */
abstract sealed class Recurrent extends Net permits LSTM, GRU {
    final long hidden;
    final int layers;
    private final long in;
    private final int gates;

    /** One layer's parameters: [gates · hidden, in], [gates · hidden, hidden], and [gates · hidden] twice. */
    record Weights(Tensor inputWeight, Tensor hiddenWeight, Tensor inputBias, Tensor hiddenBias) {}

    private final transient List<Weights> weights = new ArrayList<>();

    Recurrent(long in, long hidden, int layers, int gates) {
        Check.positive(name() + ": in", in);
        Check.positive(name() + ": hidden", hidden);
        Check.positive(name() + ": layers", layers);
        this.in = in;
        this.hidden = hidden;
        this.layers = layers;
        this.gates = gates;
        for (int l = 0; l < layers; l++) {
            long width = l == 0 ? in : hidden;
            Tensor inputWeight = registered("weight_ih_l" + l, gates * hidden, width);
            Tensor hiddenWeight = registered("weight_hh_l" + l, gates * hidden, hidden);
            Tensor inputBias = registered("bias_ih_l" + l, gates * hidden);
            Tensor hiddenBias = registered("bias_hh_l" + l, gates * hidden);
            weights.add(new Weights(inputWeight, hiddenWeight, inputBias, hiddenBias));
        }
    }

    private Tensor registered(String name, long... shape) {
        Tensor p = parameter(Fill.uniform(1 / Math.sqrt(hidden), shape));
        register(name, p);
        return p;
    }

    private String name() {
        return getClass().getSimpleName();
    }

    /** All states of one layer, [N, hidden] each: what a step takes and gives, the output first. */
    abstract List<Tensor> step(Tensor projected, List<Tensor> state, Weights w);

    /**
     * Runs all layers.
     *
     * @param initial the states of each layer
     * @param last receives each layer's last states
     */
    final Tensor runLayers(Tensor x, List<List<Tensor>> initial, List<List<Tensor>> last) {
        Tensor sequence = x;
        for (int l = 0; l < layers; l++) {
            Weights w = weights.get(l);
            Tensor projected = F.linear(sequence, w.inputWeight(), w.inputBias());
            List<Tensor> state = initial.get(l);
            List<Tensor> outputs = new ArrayList<>();
            for (Tensor t : projected.unbind(1)) {
                state = step(t, state, w);
                outputs.add(state.getFirst());
            }
            last.add(state);
            sequence = F.stack(outputs, 1);
        }
        return sequence;
    }

    final void check(Tensor x) {
        Check.rank(name(), x, 3, 3);
        Check.extent(name(), x, 2, in);
        Check.positive(name() + ": steps", x.size(1));
    }

    /** One state of every layer from [layers, N, hidden], or zeros for null. */
    final Tensor initial(Tensor given, Tensor x) {
        if (given == null) return Tensor.zeros(new long[] {layers, x.size(0), hidden}, x.dtype());
        Check.rank(name(), given, 3, 3);
        Check.extent(name(), given, 0, layers);
        Check.extent(name(), given, 1, x.size(0));
        Check.extent(name(), given, 2, hidden);
        return given;
    }

    @Override
    protected final String describe() {
        return in + ", " + hidden + (layers == 1 ? "" : ", layers=" + layers) + ", gates=" + gates;
    }
}
