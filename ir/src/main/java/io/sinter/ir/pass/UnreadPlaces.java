// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.op.MaxPool;
import io.sinter.ir.op.Project;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Max-pooling of which nobody reads the places (there is no gradient) becomes elementwise code where that is little, so that it fuses with what is around it. With
 * places it is a {@link io.sinter.ir.op.Routine}.
 */
public final class UnreadPlaces {
    private UnreadPlaces() {}

    public static Graph apply(Graph graph) {
        if (graph.nodes().stream().noneMatch(n -> n.op() instanceof MaxPool)) return graph;
        Set<Node> placed = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node n : graph.nodes()) if (n.op() instanceof Project p && p.index() == 1) placed.add(n.input(0));
        Rewriting rewriting = new Rewriting(graph);
        GraphBuilder nodes = new GraphBuilder();
        Map<Node, Node> values = new IdentityHashMap<>();
        for (Node n : graph.nodes()) {
            if (n.op() instanceof Project && values.containsKey(n.input(0))) {
                rewriting.replace(n, values.get(n.input(0)));
                continue;
            }
            Node now = rewriting.updated(n);
            if (n.op() instanceof MaxPool p && p.isElementwise() && !placed.contains(n))
                values.put(n, p.values(nodes.origin(n.origin()), now.input(0)));
            else rewriting.replace(n, now);
        }
        return rewriting.finish();
    }
}
