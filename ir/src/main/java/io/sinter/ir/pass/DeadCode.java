// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Drops the nodes that no output needs; keeps the order of the others. Inputs stay: they are the
 * program's signature.
 */
public final class DeadCode {
    private DeadCode() {}

    public static Graph apply(Graph graph) {
        Set<Node> live = Collections.newSetFromMap(new IdentityHashMap<>());
        live.addAll(graph.outputs());
        List<Node> kept = new ArrayList<>();
        for (Node n : graph.nodes().reversed()) {
            if (!live.contains(n)) continue;
            live.addAll(n.inputs());
            kept.add(n);
        }
        if (kept.size() == graph.nodes().size()) return graph;
        return new Graph(graph.inputs(), kept.reversed(), graph.outputs(), graph.donations());
    }
}
