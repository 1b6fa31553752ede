// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.op.Composite;
import io.sinter.ir.op.Op;
import java.util.List;
import java.util.function.Predicate;

/** Replaces composites by what they declare as their parts, but for those that the backend has a kernel for. */
public final class Decompose {
    private Decompose() {}

    /**
     * @param keep operators that stay whole
     */
    public static Graph apply(Graph graph, Predicate<Op> keep) {
        Graph now = graph;
        // Parts may be composites themselves.
        while (now.nodes().stream().anyMatch(n -> n.op() instanceof Composite && !keep.test(n.op()))) {
            now = new NodeRewriter() {
                @Override
                protected List<Node> rewrite(Node n, List<Node> in) {
                    return n.op() instanceof Composite c && !keep.test(c) ? c.decompose(this, in) : null;
                }
            }.run(now);
        }
        return now;
    }
}
