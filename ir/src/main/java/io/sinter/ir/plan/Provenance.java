// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.plan;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.plan.Plan.Place;
import java.util.List;

/**
 * What a step of a plan was made of. A table beside the plan, for whoever looks inside: a plan means the same without it.
 *
 * @param graph the graph whose nodes the parts name: the program before fusion, or the body of a loop
 * @param step the step; identity is the step's
 * @param parts one for each segment of a launch, in order; one for any other step
 */
public record Provenance(Graph graph, Plan.Step step, List<Part> parts) {
    /**
     * @param members the nodes that are computed, producers first
     * @param accesses the values in memory that are read or written, each once
     */
    public record Part(List<Node> members, List<Access> accesses) {}

    /**
     * A value in memory: result {@code result} of {@code node}.
     *
     * @param place where it is
     * @param slot the slot of the launch's parameter block that holds its address; -1 for steps that are no launches
     * @param written whether the step writes it (and perhaps reads it back) or only reads it
     */
    public record Access(Node node, int result, Place place, int slot, boolean written) {}
}
