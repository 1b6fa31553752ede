// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.runtime.dump.Sources;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A run of a program that has begun before all of its arguments are known: a guess at what will be run. What it has computed is seen by nobody before
 * {@link #finish}, and arguments are not written before that. Any other run on the device gives it up. Safe for use by many threads.
 */
public interface Begun {
    /**
     * Queues all that the arguments known by now allow.
     *
     * @param known null where an argument is not known; one that has been known stays as it was
     */
    void advance(List<? extends Arg> known);

    /** Whether it goes on, and all arguments that it has been told are these. */
    boolean agrees(List<? extends Arg> args);

    /**
     * As {@link Executable#run(List, IntFunction, Sources)}: what is left to run is queued, or, where the guess was wrong, all of it.
     */
    Run finish(List<? extends Arg> args, IntFunction<?> tags, Sources sources);

    /** The program will not be run. */
    void abandon();
}
