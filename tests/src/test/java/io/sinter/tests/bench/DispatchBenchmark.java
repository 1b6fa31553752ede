// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.bench;

import io.sinter.runtime.Session;
import io.sinter.runtime.WorkerPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;

/**
 * What a launch costs beside its work: tasks that do nothing, one for each thread of the session's pool ({@code sinter.threads}), on a pool that is
 * held as a run holds it. Nanoseconds a launch.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DispatchBenchmark {
    private WorkerPool pool;
    private WorkerPool.Team team;

    @Setup
    public void start() {
        pool = Session.current().pool();
        team = pool.acquire();
    }

    @TearDown
    public void stop() {
        team.close();
    }

    @Benchmark
    public void emptyLaunch() {
        team.run(pool.threads(), 1, (_, _, _) -> {});
    }

    /** Runs the benchmark, in JVMs with the flags that kernels want; arguments are JMH's. */
    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        Jmh.run(DispatchBenchmark.class, args);
    }
}
