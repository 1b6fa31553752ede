// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/** Who accesses shared memory: a warp, or an asynchronous copy. */
abstract class Agent {
    final Cta cta;
    final int id;
    final SimOptions options;
    /** Clocks below which accesses of each agent are ordered before what this one does next. */
    final int[] seen;

    Agent(Cta cta, int id, SimOptions options, int[] seen) {
        this.cta = cta;
        this.id = id;
        this.options = options;
        this.seen = seen;
    }

    /** The time of what this does next. */
    abstract int clock();

    abstract SimFault fault(SimFault.Kind kind, int lane, String message);

    /** Everything that another clock vector has seen is ordered before what this does next. */
    final void acquire(int[] clocks) {
        for (int i = 0; i < seen.length; i++) if (i != id && clocks[i] > seen[i]) seen[i] = clocks[i];
    }
}
