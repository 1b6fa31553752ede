// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

/**
 * Settings of convolutions beside channels and kernel, with PyTorch's defaults: {@code
 * ConvOptions.of().stride(2).padding(1)}. One number serves all axes. Immutable.
 */
public record ConvOptions(
        long[] stride, long[] padding, long[] dilation, int groups, boolean bias, long[] outputPadding) {
    private static final ConvOptions DEFAULT =
            new ConvOptions(new long[] {1}, new long[] {0}, new long[] {1}, 1, true, new long[] {0});

    public static ConvOptions of() {
        return DEFAULT;
    }

    public ConvOptions stride(long... value) {
        return new ConvOptions(value, padding, dilation, groups, bias, outputPadding);
    }

    public ConvOptions padding(long... value) {
        return new ConvOptions(stride, value, dilation, groups, bias, outputPadding);
    }

    public ConvOptions dilation(long... value) {
        return new ConvOptions(stride, padding, value, groups, bias, outputPadding);
    }

    public ConvOptions groups(int value) {
        return new ConvOptions(stride, padding, dilation, value, bias, outputPadding);
    }

    public ConvOptions bias(boolean on) {
        return new ConvOptions(stride, padding, dilation, groups, on, outputPadding);
    }

    /** Of transposed convolutions: how much larger the result is on the far side of each axis. */
    public ConvOptions outputPadding(long... value) {
        return new ConvOptions(stride, padding, dilation, groups, bias, value);
    }
}
