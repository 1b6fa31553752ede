// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Long short-term memory ({@code torch.nn.LSTM} with {@code batch_first}; Hochreiter and Schmidhuber, 1997),
 * with gates in PyTorch's order:
 *
 * <pre>
 * i, f, g, o = W_ih · x + b_ih + W_hh · h + b_hh
 * c ← sigmoid(f) · c + sigmoid(i) · tanh(g)
 * h ← sigmoid(o) · tanh(c)
 * </pre>
 */
public final class LSTM extends Recurrent {
    /** One layer. */
    public LSTM(long in, long hidden) {
        this(in, hidden, 1);
    }

    public LSTM(long in, long hidden, int layers) {
        super(in, hidden, layers, 4);
    }

    /**
     * What a run over a sequence gives.
     *
     * @param output [N, T, hidden], the last layer's output at every step
     * @param h [layers, N, hidden], every layer's last output
     * @param c [layers, N, hidden], every layer's last cell state
     */
    public record Result(Tensor output, Tensor h, Tensor c) {}

    /** From [N, T, in] to the outputs [N, T, hidden], beginning with zeros. */
    @Override
    public Tensor forward(Tensor x) {
        return run(x, null, null).output();
    }

    /** From [N, T, in], beginning with the states [layers, N, hidden]; null stands for zeros. */
    public Result call(Tensor x, Tensor h, Tensor c) {
        return scope(() -> run(x, h, c));
    }

    private Result run(Tensor x, Tensor h, Tensor c) {
        check(x);
        Tensor h0 = initial(h, x);
        Tensor c0 = initial(c, x);
        List<List<Tensor>> first = new ArrayList<>();
        for (int l = 0; l < layers; l++) first.add(List.of(h0.select(0, l), c0.select(0, l)));
        List<List<Tensor>> last = new ArrayList<>();
        Tensor output = runLayers(x, first, last);
        return new Result(
                output,
                F.stack(last.stream().map(List::getFirst).toList(), 0),
                F.stack(last.stream().map(List::getLast).toList(), 0));
    }

    @Override
    List<Tensor> step(Tensor projected, List<Tensor> state, Weights w) {
        Tensor gates = projected.add(F.linear(state.getFirst(), w.hiddenWeight(), w.hiddenBias()));
        List<Tensor> parts = gates.chunk(4, 1);
        Tensor i = parts.get(0).sigmoid();
        Tensor f = parts.get(1).sigmoid();
        Tensor g = parts.get(2).tanh();
        Tensor o = parts.get(3).sigmoid();
        Tensor c = f.mul(state.getLast()).add(i.mul(g));
        return List.of(o.mul(c.tanh()), c);
    }
}
