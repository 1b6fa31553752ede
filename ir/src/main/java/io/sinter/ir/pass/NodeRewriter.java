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
    /** The values in place of nodes; of none that stay what they are. */
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
        for (Node n : g.nodes()) {
            origin = n.origin();
            if (n.op() instanceof Project p) {
                List<Node> results = replaced.get(n.input(0));
                if (results != null) replaced.put(n, List.of(results.get(p.index())));
                continue;
            }
            List<Node> in = operands(n);
            List<Node> r = rewrite(n, in);
            if (r == null && in != n.inputs()) r = emit(n.op(), in);
            if (r != null) replaced.put(n, r);
        }
        Rewriting rewriting = new Rewriting(g);
        for (Node o : g.outputs()) rewriting.replace(o, now(o));
        return rewriting.finish();
    }

    /** What stands for {@code n}, which has one result. */
    private Node now(Node n) {
        List<Node> r = replaced.get(n);
        return r == null ? n : r.getFirst();
    }

    /** The operands after rewriting: the node's own list if they are the same. */
    private List<Node> operands(Node n) {
        List<Node> in = n.inputs();
        for (int i = 0; i < in.size(); i++) {
            if (now(in.get(i)) == in.get(i)) continue;
            List<Node> rewritten = new ArrayList<>(in);
            rewritten.replaceAll(this::now);
            return rewritten;
        }
        return in;
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
