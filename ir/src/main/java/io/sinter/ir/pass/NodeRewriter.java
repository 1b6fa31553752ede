// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Base of passes that replace nodes one by one, operands first. A subclass looks at a node whose operands have been rewritten already and emits what
 * stands in its place; new nodes keep the origin of the node that they replace.
 */
public abstract class NodeRewriter implements Emitter<Node> {
    private final Map<Node, List<Node>> replaced = new IdentityHashMap<>();
    private int origin = -1;

    /**
     * The values in place of {@code n}, one per result; null to keep the node (with the new operands).
     *
     * @param in the operands after rewriting
     */
    protected abstract List<Node> rewrite(Node n, List<Node> in);

    /** The rewritten graph, without what nothing needs any more. */
    public final Graph run(Graph g) {
        for (Node in : g.inputs()) replaced.put(in, List.of(in));
        for (Node n : g.nodes()) {
            origin = n.origin();
            if (n.op() instanceof Project p) {
                replaced.put(n, List.of(replaced.get(n.input(0)).get(p.index())));
                continue;
            }
            List<Node> in = new ArrayList<>();
            for (Node x : n.inputs()) in.add(replaced.get(x).getFirst());
            List<Node> r = rewrite(n, in);
            if (r == null) r = same(in, n.inputs()) && n.types().size() == 1 ? List.of(n) : emit(n.op(), in);
            replaced.put(n, r);
        }
        Rewriting rewriting = new Rewriting(g);
        for (Node o : g.outputs()) rewriting.replace(o, replaced.get(o).getFirst());
        return rewriting.finish();
    }

    private static boolean same(List<Node> a, List<Node> b) {
        for (int i = 0; i < a.size(); i++) if (a.get(i) != b.get(i)) return false;
        return true;
    }

    @Override
    public final List<Node> emit(Op op, List<Node> operands) {
        if (op instanceof Input) throw new IllegalArgumentException("a pass does not make inputs");
        List<Type> types = op.infer(operands.stream().map(Node::type).toList());
        Node n = new Node(op, operands, types, origin);
        if (types.size() == 1) return List.of(n);
        List<Node> results = new ArrayList<>();
        for (int i = 0; i < types.size(); i++) {
            results.add(new Node(new Project(i, types.get(i)), List.of(n), List.of(types.get(i)), origin));
        }
        return results;
    }

    @Override
    public final Type type(Node value) {
        return value.type();
    }
}
