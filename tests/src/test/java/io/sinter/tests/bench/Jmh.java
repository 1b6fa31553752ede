// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.bench;

import io.sinter.runtime.JvmFeatures;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Runs benchmarks from their main methods. */
final class Jmh {
    private Jmh() {}

    /**
     * Runs a class's benchmarks in JVMs with the flags that kernels want.
     *
     * @param args JMH's, e.g. {@code -f 1 -wi 1 -i 1}; includes take the place of the class
     */
    static void run(Class<?> benchmarks, String... args) throws RunnerException, CommandLineOptionException {
        CommandLineOptions given = new CommandLineOptions(args);
        OptionsBuilder options = new OptionsBuilder();
        options.parent(given);
        if (given.getIncludes().isEmpty()) options.include(benchmarks.getSimpleName());
        options.jvmArgsAppend(JvmFeatures.flags().split(" "));
        new Runner(options.build()).run();
    }
}
