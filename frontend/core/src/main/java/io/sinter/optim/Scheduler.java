// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import java.util.function.LongToDoubleFunction;

/**
 * Sets learning rates over time ({@code torch.optim.lr_scheduler}): every rate is a function of its initial
 * value and of the number of {@link #step} calls alone, so a schedule continues exactly from {@link #epoch()}
 * and {@link #restore}.
 *
 * <p>Call {@link #step} after the optimizer's, once an epoch or once a step, as the schedule is meant.
 */
public final class Scheduler {
    private final Optimizer optimizer;
    private final double[] initial;
    private final Rate rate;
    private long epoch;

    /** The learning rate after {@code t} steps. */
    @FunctionalInterface
    private interface Rate {
        double at(double initial, long t);
    }

    private Scheduler(Optimizer optimizer, LongToDoubleFunction factor) {
        this(optimizer, (initial, t) -> initial * factor.applyAsDouble(t));
    }

    private Scheduler(Optimizer optimizer, Rate rate) {
        this.optimizer = optimizer;
        this.rate = rate;
        initial = optimizer.groups().stream().mapToDouble(ParamGroup::lr).toArray();
        apply();
    }

    /** Any factor of the number of steps, counted from 0 ({@code LambdaLR}). */
    public static Scheduler lambda(Optimizer optimizer, LongToDoubleFunction factor) {
        return new Scheduler(optimizer, factor);
    }

    /** Times {@code gamma} every {@code every} steps ({@code StepLR}). */
    public static Scheduler step(Optimizer optimizer, long every, double gamma) {
        if (every < 1) throw new IllegalArgumentException("StepLR: period " + every + " is not positive");
        return new Scheduler(optimizer, t -> Math.pow(gamma, t / every));
    }

    /** Times {@code gamma} at each step ({@code ExponentialLR}). */
    public static Scheduler exponential(Optimizer optimizer, double gamma) {
        return new Scheduler(optimizer, t -> Math.pow(gamma, t));
    }

    /**
     * From {@code from} to {@code to} times the rate, linearly over {@code steps} steps, constant after
     * ({@code LinearLR}).
     */
    public static Scheduler linear(Optimizer optimizer, double from, double to, long steps) {
        if (steps < 1) throw new IllegalArgumentException("LinearLR over " + steps + " steps");
        return new Scheduler(optimizer, t -> from + (to - from) * Math.min(t, steps) / steps);
    }

    /**
     * Along half a cosine from the rate down to {@code least} over {@code steps} steps ({@code
     * CosineAnnealingLR}); {@code least} is a rate, not a factor.
     */
    public static Scheduler cosine(Optimizer optimizer, long steps, double least) {
        if (steps < 1) throw new IllegalArgumentException("CosineAnnealingLR over " + steps + " steps");
        return new Scheduler(optimizer, (rate, t) -> least + (rate - least) * (1 + Math.cos(Math.PI * t / steps)) / 2);
    }

    /**
     * Linearly up over {@code warmup} steps, then along half a cosine down to {@code least} (a factor) at
     * step {@code steps}.
     */
    public static Scheduler warmupCosine(Optimizer optimizer, long warmup, long steps, double least) {
        if (warmup < 0 || steps <= warmup) {
            throw new IllegalArgumentException("warm-up of " + warmup + " steps in a schedule of " + steps);
        }
        return new Scheduler(optimizer, t -> {
            if (t < warmup) return (t + 1.0) / (warmup + 1);
            double done = Math.min(1, (double) (t - warmup) / (steps - warmup));
            return least + (1 - least) * (1 + Math.cos(Math.PI * done)) / 2;
        });
    }

    /** Goes on by one. */
    public void step() {
        epoch++;
        apply();
    }

    /** Number of {@link #step} calls so far. */
    public long epoch() {
        return epoch;
    }

    /** Sets the number of {@link #step} calls so far, and the rates that go with it. */
    public void restore(long steps) {
        if (steps < 0) throw new IllegalArgumentException("a schedule cannot be at step " + steps);
        epoch = steps;
        apply();
    }

    private void apply() {
        for (int i = 0; i < initial.length; i++) optimizer.groups().get(i).lr(rate.at(initial[i], epoch));
    }
}
