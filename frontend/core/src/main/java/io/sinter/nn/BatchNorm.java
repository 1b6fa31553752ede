// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.F;
import io.sinter.Tensor;

/**
 * What batch normalizations share (Ioffe and Szegedy, 2015): each channel (axis 1) minus its mean over the
 * other axes, over its standard deviation, times {@code weight}, plus {@code bias}. While training, the
 * batch's statistics are used, and running ones follow them: {@code running ← (1 - momentum) · running +
 * momentum · batch}, the variance with n - 1. Otherwise the running statistics are used.
 */
public abstract sealed class BatchNorm extends Net permits BatchNorm1d, BatchNorm2d {
    /** [channels], ones at first. */
    public final Tensor weight;

    /** [channels], zeros at first. */
    public final Tensor bias;

    /** [channels], zeros at first. */
    public final Tensor runningMean;

    /** [channels], ones at first. */
    public final Tensor runningVar;

    private final double momentum;
    private final double eps;

    BatchNorm(long channels, double eps, double momentum) {
        Check.positive("BatchNorm: channels", channels);
        this.eps = eps;
        this.momentum = momentum;
        weight = parameter(Fill.constant(1, channels));
        bias = parameter(Fill.constant(0, channels));
        runningMean = buffer(Fill.constant(0, channels));
        runningVar = buffer(Fill.constant(1, channels));
    }

    @Override
    public Tensor forward(Tensor x) {
        check(x);
        return F.batchNorm(x, runningMean, runningVar, weight, bias, isTraining(), momentum, eps);
    }

    /** Refuses other ranks and channels. */
    abstract void check(Tensor x);

    @Override
    protected final String describe() {
        return weight.size(0) + ", eps=" + eps + ", momentum=" + momentum;
    }
}
