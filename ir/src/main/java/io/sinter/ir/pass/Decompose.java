// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Composite;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Replaces composites by their declared decompositions, but for those that a backend keeps whole.
 */
public final class Decompose {
    private Decompose() {}

    /**
     * @param keep says of a {@link Composite} whether the backend takes it as it is; asked about
     *     composites that a decomposition brings in, too
     */
    public static Graph apply(Graph graph, Predicate<Op> keep) {
        Rewriting rewriting = new Rewriting(graph);
        Expansion expansion = new Expansion(keep);
        Map<Node, List<Node>> parts = new IdentityHashMap<>(); // results of decomposed nodes
        for (Node n : graph.nodes()) {
            if (n.op() instanceof Project p && parts.containsKey(n.input(0))) {
                rewriting.replace(n, parts.get(n.input(0)).get(p.index()));
                continue;
            }
            Node now = rewriting.updated(n);
            if (now.op() instanceof Composite c && !keep.test(c)) {
                expansion.nodes.origin(n.origin());
                List<Node> results = c.decompose(expansion, now.inputs());
                if (results.size() == 1) rewriting.replace(n, results.get(0));
                else parts.put(n, results);
            } else {
                rewriting.replace(n, now);
            }
        }
        return rewriting.finish();
    }

    /** Builds nodes; composites among them are decomposed in turn. */
    private static final class Expansion implements Emitter<Node> {
        private final GraphBuilder nodes = new GraphBuilder();
        private final Predicate<Op> keep;

        Expansion(Predicate<Op> keep) {
            this.keep = keep;
        }

        @Override
        public List<Node> emit(Op op, List<Node> operands) {
            List<Node> results = nodes.emit(op, operands);
            if (!(op instanceof Composite c)) return results;
            return keep.test(op) ? results : c.decompose(this, operands);
        }

        @Override
        public Type type(Node value) {
            return value.type();
        }
    }
}
