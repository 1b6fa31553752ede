// SPDX-License-Identifier: Apache-2.0
package io.sinter.cli.bench;

import java.util.function.Function;

/**
 * One case of the benchmark, under the name and with the shapes that {@code torch_peer.py} has.
 *
 * @param name the name
 * @param flops floating-point operations of one repetition; 0 where that is no useful measure
 * @param bytes bytes that one repetition must move; 0 likewise
 * @param prepare makes inputs and networks, and with them what is repeated
 */
record BenchCase(String name, long flops, long bytes, Function<Mode, Repetition> prepare) {
    /** How the user would have written it. */
    enum Mode {
        /** Every repetition is traced. */
        TRACED,
        /** Through {@code Sinter.compile}. */
        COMPILED
    }

    /** What a case repeats, with inputs made once. */
    interface Repetition {
        /** Once; ends when every output is computed. */
        void run();

        /**
         * Compares outputs of the same code with a plain evaluation.
         *
         * @throws WrongOutput if they differ by more than rounding
         */
        void check();
    }

    BenchCase(String name, Function<Mode, Repetition> prepare) {
        this(name, 0, 0, prepare);
    }
}
