// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.plan.Provenance;

/** Sees what the compiler does, for dumps. Whoever watches changes nothing. */
public interface CompilerWatch {
    /** Looks at nothing. */
    CompilerWatch NONE = new CompilerWatch() {};

    /** A pass has run, and made {@code after}. */
    default void pass(String name, Graph after) {}

    /**
     * The kernels of a graph have been chosen: of the program, and (after it) of the body of each of its loops.
     *
     * @param graph the graph as the last pass left it, or a loop's body
     */
    default void fused(Graph graph, Fusion.Result result) {}

    /** A step of a plan has been made: in the order of their graph's plan, those of a loop's body before the loop's own. */
    default void step(Provenance step) {}
}
