// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.op.Loop;
import java.util.function.UnaryOperator;

/** A pass on a graph and on the bodies of its loops, and of theirs. */
public final class Bodies {
    private Bodies() {}

    /**
     * @param pass keeps a graph's inputs, and the number and types of its outputs
     */
    public static Graph everywhere(Graph graph, UnaryOperator<Graph> pass) {
        Graph g = pass.apply(graph);
        if (!hasLoops(g)) return g;
        Rewriting rewriting = new Rewriting(g);
        for (Node n : g.nodes()) {
            Node now = rewriting.updated(n);
            if (n.op() instanceof Loop loop) {
                Graph body = everywhere(loop.body(), pass);
                if (body != loop.body()) now = new Node(loop.with(body), now.inputs(), now.types(), now.origin());
            }
            rewriting.replace(n, now);
        }
        return rewriting.finish();
    }

    private static boolean hasLoops(Graph g) {
        for (Node n : g.nodes()) if (n.op() instanceof Loop) return true;
        return false;
    }
}
