// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Scan;
import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What {@link LSTM}, {@link GRU} and {@link RNN} share: stacked layers, in one direction or both, each over a sequence [T, N, in] ([N, T, in] with
 * {@link RecurrentOptions#batchFirst}; [T, in] without a batch), to [T, N, directions · hidden]. The steps are one loop of the program; what does not
 * depend on the step before, the inputs' projection, is one product for the whole sequence. All parameters begin uniform in ±1/√hidden, in
 * PyTorch's order and under its names.
 */
abstract sealed class Recurrent extends Net permits LSTM, GRU, RNN {
    private final long in;
    private final long hidden;
    private final int gates;
    private final int states;
    private final RecurrentOptions options;
    private final int directions;

    /**
     * The parameters of one layer in one direction: [gates · hidden, in], [gates · hidden, hidden], and [gates · hidden] twice; null for no biases.
     */
    record Weights(Tensor inputWeight, Tensor hiddenWeight, Tensor inputBias, Tensor hiddenBias) {}

    /** By layer, then direction. */
    private final transient List<Weights> weights = new ArrayList<>();

    /**
     * @param gates how many hidden widths a step's products have
     * @param states how many tensors a step hands on
     */
    Recurrent(long in, long hidden, RecurrentOptions options, int gates, int states) {
        Check.positive(name() + ": in", in);
        Check.positive(name() + ": hidden", hidden);
        this.in = in;
        this.hidden = hidden;
        this.options = options;
        this.gates = gates;
        this.states = states;
        directions = options.bidirectional() ? 2 : 1;
        for (int l = 0; l < options.layers(); l++) {
            for (int d = 0; d < directions; d++) {
                String suffix = "_l" + l + (d == 0 ? "" : "_reverse");
                weights.add(new Weights(
                        registered("weight_ih" + suffix, gates * hidden, l == 0 ? in : directions * hidden),
                        registered("weight_hh" + suffix, gates * hidden, hidden),
                        options.bias() ? registered("bias_ih" + suffix, gates * hidden) : null,
                        options.bias() ? registered("bias_hh" + suffix, gates * hidden) : null));
            }
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

    /**
     * What a step needs of its input, for the whole sequence at once.
     *
     * @param x [T, N, in]
     */
    abstract Tensor project(Tensor x, Weights w);

    /** One step: of what {@link #project} made of its input and of all states, [N, hidden] each, it gives the states after it; the first one is its output. */
    abstract Scan.Cell cell();

    /** The weights that {@link #cell} is given. */
    abstract List<Tensor> stepWeights(Weights w);

    /**
     * The last layer's outputs, and what is left after the last step.
     *
     * @param last all states, by layer, then direction; empty if nobody wanted them
     */
    record Run(Tensor output, List<List<Tensor>> last, boolean batched) {
        /** A state of every layer and direction, [layers · directions, N, hidden] (without a batch: [layers · directions, hidden]). */
        Tensor state(int i) {
            Tensor all = F.stack(last.stream().map(of -> of.get(i)).toList(), 0);
            return batched ? all : all.squeeze(1);
        }
    }

    /**
     * Runs all layers.
     *
     * @param initial every state, [layers · directions, N, hidden] (without a batch: [layers · directions, hidden]); null for zeros
     */
    final Run run(Tensor input, List<Tensor> initial) {
        return run(input, initial, true);
    }

    /** @param wantsLast whether what is left after the last step is wanted */
    private Run run(Tensor input, List<Tensor> initial, boolean wantsLast) {
        boolean batched = check(input);
        Tensor x = batched ? input : input.unsqueeze(1);
        if (batched && options.batchFirst()) x = x.transpose(0, 1);
        List<List<Tensor>> first = new ArrayList<>();
        for (Tensor s : initial) first.add(initial(s, x, batched));
        List<List<Tensor>> last = new ArrayList<>();
        for (int l = 0; l < options.layers(); l++) {
            if (l > 0) x = F.dropout(x, options.dropout(), isTraining());
            List<Tensor> outputs = new ArrayList<>();
            for (int d = 0; d < directions; d++) {
                int number = l * directions + d;
                List<Tensor> state = new ArrayList<>(states);
                for (List<Tensor> s : first) state.add(s.get(number));
                outputs.add(direction(x, state, weights.get(number), d == 1, wantsLast ? last : null));
            }
            x = outputs.size() == 1 ? outputs.getFirst() : F.cat(outputs, 2);
        }
        if (!batched) x = x.squeeze(1);
        else if (options.batchFirst()) x = x.transpose(0, 1);
        return new Run(x, last, batched);
    }

    /** @param last gets what is left after the last step; null if nobody wants to know */
    private Tensor direction(Tensor x, List<Tensor> state, Weights w, boolean reverse, List<List<Tensor>> last) {
        List<Tensor> projected = List.of(project(x, w));
        if (last == null)
            return Scan.outputs(state, projected, stepWeights(w), reverse, cell())
                    .getFirst();
        Scan.Result r = reverse
                ? F.scanReverse(state, projected, stepWeights(w), cell())
                : F.scan(state, projected, stepWeights(w), cell());
        last.add(r.state());
        return r.outputs().getFirst();
    }

    /** The last layer's outputs, beginning with zeros. */
    @Override
    public final Tensor forward(Tensor x) {
        return run(x, Collections.nCopies(states, null), false).output();
    }

    /** Is there an axis of the batch? */
    private boolean check(Tensor x) {
        Check.rank(name(), x, 2, 3);
        Check.extent(name(), x, x.rank() - 1, in);
        Check.positive(name() + ": steps", x.size(x.rank() == 3 && options.batchFirst() ? 1 : 0));
        return x.rank() == 3;
    }

    /** A state before the first step, by layer, then direction: [N, hidden]. */
    private List<Tensor> initial(Tensor given, Tensor x, boolean batched) {
        int count = options.layers() * directions;
        if (given == null) return Collections.nCopies(count, Tensor.zeros(new long[] {x.size(1), hidden}, x.dtype()));
        int rank = batched ? 3 : 2;
        Check.rank(name() + ": initial state", given, rank, rank);
        Check.extent(name() + ": initial state", given, 0, count);
        if (batched) Check.extent(name() + ": initial state", given, 1, x.size(1));
        Check.extent(name() + ": initial state", given, rank - 1, hidden);
        return (batched ? given : given.unsqueeze(1)).unbind(0);
    }

    /** {@code x + bias}, if there is one. */
    static Tensor plus(Tensor x, Tensor bias) {
        return bias == null ? x : x.add(bias);
    }

    @Override
    protected String describe() {
        return in + ", " + hidden
                + (options.layers() == 1 ? "" : ", layers=" + options.layers())
                + (options.bias() ? "" : ", bias=false")
                + (options.batchFirst() ? ", batch_first" : "")
                + (options.dropout() == 0 ? "" : ", dropout=" + options.dropout())
                + (options.bidirectional() ? ", bidirectional" : "");
    }
}
