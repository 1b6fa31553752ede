// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;

/**
 * An entry of a module.
 *
 * @param visible whether it can be launched by name
 * @param parameters in the order of the launch's parameter block
 */
public record Kernel(boolean visible, String name, List<Variable> parameters, Limits limits, List<Statement> body) {
    /**
     * What the assembler may count on. Lists are empty and numbers 0 where nothing is said.
     *
     * @param maxThreads at most this many threads a CTA, in up to three dimensions
     * @param exactThreads exactly so many
     * @param minCtas so many CTAs at a time on a multiprocessor
     * @param maxRegisters registers a thread
     * @param cluster CTAs of a cluster, in three dimensions
     */
    public record Limits(
            List<Integer> maxThreads,
            List<Integer> exactThreads,
            int minCtas,
            int maxRegisters,
            List<Integer> cluster) {
        public static final Limits NONE = new Limits(List.of(), List.of(), 0, 0, List.of());

        public Limits {
            maxThreads = List.copyOf(maxThreads);
            exactThreads = List.copyOf(exactThreads);
            cluster = List.copyOf(cluster);
        }

        public static Limits threads(int max) {
            return new Limits(List.of(max), List.of(), 0, 0, List.of());
        }

        public Limits withMinCtas(int n) {
            return new Limits(maxThreads, exactThreads, n, maxRegisters, cluster);
        }
    }

    public Kernel {
        parameters = List.copyOf(parameters);
        body = List.copyOf(body);
    }
}
