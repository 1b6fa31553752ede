// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Gated recurrent unit ({@code torch.nn.GRU} with {@code batch_first}; Cho et al., 2014), with gates in
 * PyTorch's order:
 *
 * <pre>
 * r = sigmoid(W_ir · x + b_ir + W_hr · h + b_hr)
 * z = sigmoid(W_iz · x + b_iz + W_hz · h + b_hz)
 * n = tanh(W_in · x + b_in + r · (W_hn · h + b_hn))
 * h ← (1 − z) · n + z · h
 * </pre>
 */
public final class GRU extends Recurrent {
    /** One layer. */
    public GRU(long in, long hidden) {
        this(in, hidden, 1);
    }

    public GRU(long in, long hidden, int layers) {
        super(in, hidden, layers, 3);
    }

    /**
     * What a run over a sequence gives.
     *
     * @param output [N, T, hidden], the last layer's output at every step
     * @param h [layers, N, hidden], every layer's last output
     */
    public record Result(Tensor output, Tensor h) {}

    /** From [N, T, in] to the outputs [N, T, hidden], beginning with zeros. */
    @Override
    public Tensor forward(Tensor x) {
        return run(x, null).output();
    }

    /** From [N, T, in], beginning with the states [layers, N, hidden]; null stands for zeros. */
    public Result call(Tensor x, Tensor h) {
        return scope(() -> run(x, h));
    }

    private Result run(Tensor x, Tensor h) {
        check(x);
        Tensor h0 = initial(h, x);
        List<List<Tensor>> first = new ArrayList<>();
        for (int l = 0; l < layers; l++) first.add(List.of(h0.select(0, l)));
        List<List<Tensor>> last = new ArrayList<>();
        Tensor output = runLayers(x, first, last);
        return new Result(output, F.stack(last.stream().map(List::getFirst).toList(), 0));
    }

    @Override
    List<Tensor> step(Tensor projected, List<Tensor> state, Weights w) {
        Tensor h = state.getFirst();
        Tensor recurrent = F.linear(h, w.hiddenWeight(), w.hiddenBias());
        List<Tensor> fromInput = projected.chunk(3, 1);
        List<Tensor> fromState = recurrent.chunk(3, 1);
        Tensor r = fromInput.get(0).add(fromState.get(0)).sigmoid();
        Tensor z = fromInput.get(1).add(fromState.get(1)).sigmoid();
        Tensor n = fromInput.get(2).add(r.mul(fromState.get(2))).tanh();
        return List.of(n.add(z.mul(h.sub(n))));
    }
}
