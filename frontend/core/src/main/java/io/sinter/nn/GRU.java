// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Scan;
import io.sinter.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Gated recurrent unit ({@code torch.nn.GRU}; Cho et al., 2014), with gates in PyTorch's order:
 *
 * <pre>
 * r = sigmoid(W_ir · x + b_ir + W_hr · h + b_hr)
 * z = sigmoid(W_iz · x + b_iz + W_hz · h + b_hz)
 * n = tanh(W_in · x + b_in + r · (W_hn · h + b_hn))
 * h ← (1 − z) · n + z · h
 * </pre>
 *
 * From [T, N, in] to the outputs [T, N, hidden] ([T, N, 2 · hidden] in both directions), beginning with zeros; see {@link RecurrentOptions}.
 */
public final class GRU extends Recurrent {
    private static final Scan.Cell CELL = GRU::step;

    /** One layer. */
    public GRU(long in, long hidden) {
        this(in, hidden, RecurrentOptions.of());
    }

    public GRU(long in, long hidden, RecurrentOptions options) {
        super(in, hidden, options, 3, 1);
    }

    /**
     * What a run over a sequence gives.
     *
     * @param output [T, N, directions · hidden] ([N, T, …] with batch_first), the last layer's output at every step
     * @param h [layers · directions, N, hidden], every layer's last output
     */
    public record Result(Tensor output, Tensor h) {}

    /** From [T, N, in], beginning with the states [layers · directions, N, hidden]; null stands for zeros. */
    public Result call(Tensor x, Tensor h) {
        return scope(() -> {
            Run r = run(x, Arrays.asList(h));
            return new Result(r.output(), r.state(0));
        });
    }

    @Override
    Tensor project(Tensor x, Weights w) {
        return F.linear(x, w.inputWeight(), w.inputBias());
    }

    @Override
    Scan.Cell cell() {
        return CELL;
    }

    @Override
    List<Tensor> stepWeights(Weights w) {
        return w.hiddenBias() == null ? List.of(w.hiddenWeight()) : List.of(w.hiddenWeight(), w.hiddenBias());
    }

    private static Scan.Next step(List<Tensor> state, List<Tensor> projected, List<Tensor> weights) {
        Tensor h = state.getFirst();
        Tensor bias = weights.size() == 1 ? null : weights.get(1);
        List<Tensor> fromInput = projected.getFirst().chunk(3, 1);
        List<Tensor> fromState =
                plus(h.matmul(weights.getFirst().transpose(0, 1)), bias).chunk(3, 1);
        Tensor r = fromInput.get(0).add(fromState.get(0)).sigmoid();
        Tensor z = fromInput.get(1).add(fromState.get(1)).sigmoid();
        Tensor n = fromInput.get(2).add(r.mul(fromState.get(2))).tanh();
        List<Tensor> next = List.of(n.add(z.mul(h.sub(n))));
        return Scan.next(next, next);
    }
}
