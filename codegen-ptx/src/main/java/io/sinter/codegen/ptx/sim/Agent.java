// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.sim;

/** Who accesses shared memory: a warp, or an asynchronous copy. */
abstract class Agent {
    final Cta cta;
    final int id;
    final SimOptions options;
    /** Number of agents. */
    final int agents;

    Agent(Cta cta, int id, SimOptions options, int agents) {
        this.cta = cta;
        this.id = id;
        this.options = options;
        this.agents = agents;
    }

    /** The time of what this does next. */
    abstract int clock();

    /** The time below which all that an agent did is ordered before what a lane of this does next. */
    abstract int known(int lane, int agent);

    /** Whether what a lane of an agent did at a time is ordered before what {@code lane} of this does next. */
    abstract boolean knows(int lane, int agent, int other, int at);

    abstract SimFault fault(SimFault.Kind kind, int lane, String message);
}
