// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Scan;
import io.sinter.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Long short-term memory ({@code torch.nn.LSTM}; Hochreiter and Schmidhuber, 1997), with gates in PyTorch's order:
 *
 * <pre>
 * i, f, g, o = W_ih · x + b_ih + W_hh · h + b_hh
 * c ← sigmoid(f) · c + sigmoid(i) · tanh(g)
 * h ← sigmoid(o) · tanh(c)
 * </pre>
 *
 * From [T, N, in] to the outputs [T, N, hidden] ([T, N, 2 · hidden] in both directions), beginning with zeros; see {@link RecurrentOptions}.
 */
public final class LSTM extends Recurrent {
    private static final Scan.Cell CELL = LSTM::step;

    /** One layer. */
    public LSTM(long in, long hidden) {
        this(in, hidden, RecurrentOptions.of());
    }

    public LSTM(long in, long hidden, RecurrentOptions options) {
        super(in, hidden, options, 4, 2);
    }

    /**
     * What a run over a sequence gives.
     *
     * @param output [T, N, directions · hidden] ([N, T, …] with batch_first), the last layer's output at every step
     * @param h [layers · directions, N, hidden], every layer's last output
     * @param c [layers · directions, N, hidden], every layer's last cell state
     */
    public record Result(Tensor output, Tensor h, Tensor c) {}

    /** From [T, N, in], beginning with the states [layers · directions, N, hidden]; null stands for zeros. */
    public Result call(Tensor x, Tensor h, Tensor c) {
        return scope(() -> {
            Run r = run(x, Arrays.asList(h, c));
            return new Result(r.output(), r.state(0), r.state(1));
        });
    }

    @Override
    Tensor project(Tensor x, Weights w) {
        return F.linear(x, w.inputWeight(), null);
    }

    @Override
    Scan.Cell cell() {
        return CELL;
    }

    @Override
    List<Tensor> stepWeights(Weights w) {
        return w.hiddenBias() == null
                ? List.of(w.hiddenWeight())
                : List.of(w.hiddenWeight(), w.inputBias().add(w.hiddenBias()));
    }

    private static Scan.Next step(List<Tensor> state, List<Tensor> projected, List<Tensor> weights) {
        Tensor sum = projected
                .getFirst()
                .add(state.getFirst().matmul(weights.getFirst().transpose(0, 1)));
        List<Tensor> gates =
                plus(sum, weights.size() == 1 ? null : weights.get(1)).chunk(4, 1);
        Tensor i = gates.get(0).sigmoid();
        Tensor f = gates.get(1).sigmoid();
        Tensor g = gates.get(2).tanh();
        Tensor o = gates.get(3).sigmoid();
        Tensor c = f.mul(state.getLast()).add(i.mul(g));
        Tensor h = o.mul(c.tanh());
        return Scan.next(List.of(h, c), List.of(h));
    }
}
