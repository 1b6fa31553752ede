// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Op;
import java.util.List;

/**
 * Algebraic rules, applied to each node once its operands are simplified. All are exact for every
 * value, with NaN, infinities and signed zeros, but for two stated in {@link ElementRules} (small
 * integer powers, sums of pads that fill an axis). The rules stand in {@link ElementRules} and {@link ViewRules}.
 */
public final class Simplify implements Emitter<Node> {
    private final GraphBuilder nodes = new GraphBuilder();

    private Simplify() {}

    public static Graph apply(Graph graph) {
        Simplify simplify = new Simplify();
        Rewriting rewriting = new Rewriting(graph);
        for (Node n : graph.nodes()) {
            simplify.nodes.origin(n.origin());
            rewriting.replace(n, simplify.simplified(rewriting.updated(n)));
        }
        return rewriting.finish();
    }

    /**
     * What {@code n}, whose operands are simplified, simplifies to: {@code n} itself if no rule
     * fits.
     */
    private Node simplified(Node n) {
        Node better = n.op() instanceof Elementwise op ? ElementRules.apply(this, op, n) : ViewRules.apply(this, n);
        return better == null ? n : better;
    }

    /**
     * What rules build is simplified as it is built: always smaller than what it replaces, so this
     * ends soon.
     */
    @Override
    public List<Node> emit(Op op, List<Node> operands) {
        List<Node> results = nodes.emit(op, operands);
        return results.size() == 1 ? List.of(simplified(results.get(0))) : results;
    }

    @Override
    public Type type(Node value) {
        return value.type();
    }
}
