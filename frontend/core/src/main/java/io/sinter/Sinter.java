// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.random.Generator;
import io.sinter.runtime.Counters;
import io.sinter.runtime.Session;

/** Switches and services: recording of gradients, running by hand, compiled functions, counters. */
public final class Sinter {
    private Sinter() {}

    /** Records no tape until closed: {@code try (var _ = noGrad()) { … }}. */
    public static Autograd.Scope noGrad() {
        return Autograd.mode(false);
    }

    /** Records again inside a {@link #noGrad} until closed. */
    public static Autograd.Scope enableGrad() {
        return Autograd.mode(true);
    }

    /** Runs this thread's pending work. Never needed for right results. */
    public static void flush() {
        Trace.current().flush();
    }

    /** Seeds the session's random numbers: the same seed gives PyTorch's numbers. */
    public static void manualSeed(long seed) {
        generator().manualSeed(seed);
    }

    /** The session's source of random numbers. */
    public static Generator generator() {
        return Session.current().attached(Generator.class, _ -> new Generator());
    }

    /** What the current session has done so far: programs compiled and run, kernels. */
    public static Counters counters() {
        return Session.current().counters();
    }
}
