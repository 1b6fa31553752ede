// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Tensor;
import java.util.Arrays;

/**
 * What convolutions share: the parameters, uniform in ±1/√(weight.size(1) · kernel elements) at first, and
 * the settings.
 */
public abstract sealed class ConvNd extends Net permits Conv1d, Conv2d, Conv3d, ConvTranspose2d {
    /** [out, in / groups, kernel…]; of transposed convolutions [in, out / groups, kernel…]. */
    public final Tensor weight;

    /** [out], or null. */
    public final Tensor bias;

    final long[] stride;
    final long[] padding;
    final long[] dilation;
    final long[] outputPadding;
    final int groups;

    ConvNd(long in, long out, long[] kernel, ConvOptions o, boolean transposed) {
        Check.positive("convolution: input channels", in);
        Check.positive("convolution: output channels", out);
        Check.divides("convolution: input channels and groups", o.groups(), in);
        Check.divides("convolution: output channels and groups", o.groups(), out);
        int axes = kernel.length;
        stride = spread("stride", o.stride(), axes, 1);
        padding = spread("padding", o.padding(), axes, 0);
        dilation = spread("dilation", o.dilation(), axes, 1);
        outputPadding = spread("output padding", o.outputPadding(), axes, 0);
        groups = o.groups();
        long[] shape = new long[axes + 2];
        shape[0] = transposed ? in : out;
        shape[1] = (transposed ? out : in) / groups;
        long fanIn = shape[1];
        for (int i = 0; i < axes; i++) {
            Check.positive("convolution: kernel", kernel[i]);
            shape[i + 2] = kernel[i];
            fanIn *= kernel[i];
        }
        double bound = 1 / Math.sqrt(fanIn);
        weight = parameter(Fill.uniform(bound, shape));
        bias = o.bias() ? parameter(Fill.uniform(bound, out)) : null;
    }

    private static long[] spread(String what, long[] given, int axes, long least) {
        if (given.length != 1 && given.length != axes) {
            throw new IllegalArgumentException(
                    "convolution: " + what + " " + Arrays.toString(given) + " for " + axes + " spatial axes");
        }
        long[] out = new long[axes];
        for (int i = 0; i < axes; i++) {
            out[i] = given[given.length == 1 ? 0 : i];
            if (out[i] < least) throw new IllegalArgumentException("convolution: " + what + " cannot be " + out[i]);
        }
        return out;
    }

    static long[] square(long size, int axes) {
        long[] out = new long[axes];
        Arrays.fill(out, size);
        return out;
    }

    @Override
    protected final String describe() {
        long[] shape = weight.shape();
        StringBuilder b = new StringBuilder("weight=" + Arrays.toString(shape));
        b.append(", stride=").append(Arrays.toString(stride));
        b.append(", padding=").append(Arrays.toString(padding));
        if (Arrays.stream(dilation).anyMatch(d -> d != 1))
            b.append(", dilation=").append(Arrays.toString(dilation));
        if (groups != 1) b.append(", groups=").append(groups);
        return b.append(", bias=").append(bias != null).toString();
    }
}
