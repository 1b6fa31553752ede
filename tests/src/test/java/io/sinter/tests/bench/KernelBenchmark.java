// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.bench;

import io.sinter.F;
import io.sinter.Sinter;
import io.sinter.Tensor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;

/**
 * One generated kernel of each template, of sizes that stay in the processor's caches: microseconds a launch, the few operations' tracing included
 * (some 5 µs). What the whole benchmark ({@code ./sinter bench}) measures against PyTorch is made of these.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class KernelBenchmark {
    /** The templates. */
    public enum Template {
        /** {@code tanh(a · b + c)} of 256 × 1024 elements: memory and polynomials. */
        ELEMENTWISE {
            @Override
            Supplier<Tensor> program() {
                Tensor a = Tensor.randn(256, 1024);
                Tensor b = Tensor.randn(256, 1024);
                Tensor c = Tensor.randn(256, 1024);
                return () -> a.mul(b).add(c).tanh();
            }
        },
        /** Softmax of 256 rows of 1024: three passes over a row in the cache. */
        ROWS {
            @Override
            Supplier<Tensor> program() {
                Tensor x = Tensor.randn(256, 1024);
                return () -> F.softmax(x, -1);
            }
        },
        /** Sums of the 1024 columns of 256 rows, read row by row. */
        COLUMN_SUMS {
            @Override
            Supplier<Tensor> program() {
                Tensor x = Tensor.randn(256, 1024);
                return () -> x.sum(0);
            }
        },
        /** A product of 256 × 256 matrices with a bias and a ReLU in its epilogue: 34 MFLOP. */
        GEMM {
            @Override
            Supplier<Tensor> program() {
                Tensor x = Tensor.randn(256, 256);
                Tensor w = Tensor.randn(256, 256);
                Tensor b = Tensor.randn(256);
                return () -> F.relu(F.linear(x, w, b));
            }
        },
        /** A 3 × 3 convolution of four 32-channel images of 28 × 28: 58 MFLOP. */
        CONVOLUTION {
            @Override
            Supplier<Tensor> program() {
                Tensor x = Tensor.randn(4, 32, 28, 28);
                Tensor w = Tensor.randn(32, 32, 3, 3);
                return () -> F.conv2d(x, w, null, 1, 1);
            }
        },
        /** Causal attention of 4 heads over 256 positions of width 64: 34 MFLOP for the half that is computed. */
        ATTENTION {
            @Override
            Supplier<Tensor> program() {
                Tensor q = Tensor.randn(1, 4, 256, 64);
                Tensor k = Tensor.randn(1, 4, 256, 64);
                Tensor v = Tensor.randn(1, 4, 256, 64);
                return () -> F.scaledDotProductAttention(q, k, v, null, 0, true);
            }
        };

        abstract Supplier<Tensor> program();
    }

    /** Which template. */
    @Param
    public Template template;

    private Supplier<Tensor> program;

    /** Makes the operands. */
    @Setup
    public void operands() {
        program = template.program();
        Sinter.flush();
    }

    /** Traces, finds the compiled program, runs it, and gives its memory back. */
    @Benchmark
    public void launch() {
        try (var _ = Sinter.noGrad()) {
            Tensor y = program.get();
            Sinter.flush();
            y.release();
        }
    }

    /** Runs the benchmark, in JVMs with the flags that kernels want; arguments are JMH's. */
    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        Jmh.run(KernelBenchmark.class, args);
    }
}
