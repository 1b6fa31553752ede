// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
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
            return new Result(r.output(), r.states().getFirst());
        });
    }

    @Override
    Tensor project(Tensor x, Weights w) {
        return plus(F.linear(x, w.inputWeight(), w.inputBias()), w.hiddenBias());
    }

    @Override
    List<Tensor> step(Tensor projected, List<Tensor> state, Weights w) {
        Tensor sum = projected.add(state.getFirst().matmul(w.hiddenWeight().transpose(0, 1)));
        return List.of(
                switch (nonlinearity) {
                    case TANH -> sum.tanh();
                    case RELU -> sum.relu();
                });
    }

    @Override
    protected String describe() {
        return super.describe() + (nonlinearity == Nonlinearity.TANH ? "" : ", relu");
    }
}
