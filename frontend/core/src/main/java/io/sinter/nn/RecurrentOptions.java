// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

/**
 * Settings of recurrent layers beside their widths, with PyTorch's defaults: {@code
 * RecurrentOptions.of().layers(2).bidirectional(true)}. Immutable.
 *
 * @param layers how many are stacked, each over the outputs of the one before
 * @param bias whether gates have biases
 * @param batchFirst inputs and outputs are [N, T, …] rather than [T, N, …]; states stay [layers, N, hidden]
 * @param dropout probability with which outputs of every layer but the last are dropped while training
 * @param bidirectional every layer also runs from the last step to the first; its outputs are those of both directions, joined
 */
public record RecurrentOptions(int layers, boolean bias, boolean batchFirst, double dropout, boolean bidirectional) {
    private static final RecurrentOptions DEFAULT = new RecurrentOptions(1, true, false, 0, false);

    public RecurrentOptions {
        Check.positive("RecurrentOptions: layers", layers);
        Check.probability("RecurrentOptions: dropout", dropout);
    }

    public static RecurrentOptions of() {
        return DEFAULT;
    }

    public RecurrentOptions layers(int value) {
        return new RecurrentOptions(value, bias, batchFirst, dropout, bidirectional);
    }

    public RecurrentOptions bias(boolean on) {
        return new RecurrentOptions(layers, on, batchFirst, dropout, bidirectional);
    }

    public RecurrentOptions batchFirst(boolean on) {
        return new RecurrentOptions(layers, bias, on, dropout, bidirectional);
    }

    public RecurrentOptions dropout(double p) {
        return new RecurrentOptions(layers, bias, batchFirst, p, bidirectional);
    }

    public RecurrentOptions bidirectional(boolean on) {
        return new RecurrentOptions(layers, bias, batchFirst, dropout, on);
    }
}
