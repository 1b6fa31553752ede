// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.bench;

import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.Trace;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;

/**
 * What an operation costs before it runs: tracing (source position included), and the canonical form with its
 * hash. Nanoseconds an operation.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(TracingBenchmark.OPERATIONS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TracingBenchmark {
    static final int OPERATIONS = 100;

    /** Frames between the caller and the operations. */
    @Param({"5", "40"})
    public int depth;

    private Tensor x;
    private Tensor w;
    private Tensor b;
    private Tensor traced;

    @Setup
    public void tensors() {
        x = Tensor.randn(8, 8);
        w = Tensor.randn(8, 8);
        b = Tensor.randn(8, 8);
        traced = program();
    }

    private Tensor program() {
        Tensor h = x;
        for (int i = 0; i < OPERATIONS / 5; i++)
            h = h.mul(w).add(b).tanh().sub(x).relu();
        return h;
    }

    private Tensor below(int frames) {
        return frames == 0 ? program() : below(frames - 1);
    }

    /** Traces the operations, as the second and later steps of a training loop do. */
    @Benchmark
    public Tensor trace() {
        Trace.restart();
        return below(depth);
    }

    /** Canonical form and 128-bit hash of the traced operations. */
    @Benchmark
    public String canonicalFormAndHash() {
        return Sinter.programKey(traced);
    }

    /** Runs the benchmark, in JVMs with the flags that kernels want; arguments are JMH's. */
    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        Jmh.run(TracingBenchmark.class, args);
    }
}
