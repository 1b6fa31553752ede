// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Scan;
import io.sinter.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Elman network ({@code torch.nn.RNN}): {@code h ← tanh(W_ih · x + b_ih + W_hh · h + b_hh)}, or with the positive part in place of tanh.
 *
 * <p>From [T, N, in] to the outputs [T, N, hidden] ([T, N, 2 · hidden] in both directions), beginning with zeros; see {@link RecurrentOptions}.
 */
public final class RNN extends Recurrent {
    /** What is applied to a step's sum. */
    public enum Nonlinearity {
        TANH,
        RELU
    }

    private static final Scan.Cell TANH =
            (state, projected, weights) -> next(sum(state, projected, weights).tanh());
    private static final Scan.Cell RELU =
            (state, projected, weights) -> next(sum(state, projected, weights).relu());

    private final Nonlinearity nonlinearity;

    /** One layer, with tanh. */
    public RNN(long in, long hidden) {
        this(in, hidden, Nonlinearity.TANH, RecurrentOptions.of());
    }

    public RNN(long in, long hidden, Nonlinearity nonlinearity, RecurrentOptions options) {
        super(in, hidden, options, 1, 1);
        this.nonlinearity = nonlinearity;
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
        return plus(F.linear(x, w.inputWeight(), w.inputBias()), w.hiddenBias());
    }

    @Override
    Scan.Cell cell() {
        return switch (nonlinearity) {
            case TANH -> TANH;
            case RELU -> RELU;
        };
    }

    @Override
    List<Tensor> stepWeights(Weights w) {
        return List.of(w.hiddenWeight());
    }

    private static Scan.Next next(Tensor state) {
        return Scan.next(List.of(state), List.of(state));
    }

    private static Tensor sum(List<Tensor> state, List<Tensor> projected, List<Tensor> weights) {
        return projected
                .getFirst()
                .add(state.getFirst().matmul(weights.getFirst().transpose(0, 1)));
    }

    @Override
    protected String describe() {
        return super.describe() + (nonlinearity == Nonlinearity.TANH ? "" : ", relu");
    }
}
