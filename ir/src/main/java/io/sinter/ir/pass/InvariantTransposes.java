// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Permute;
import io.sinter.ir.op.Reshape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns a loop's weights once before the loop: where every step multiplies few rows with the transpose of an invariant (a recurrent layer's
 * {@code h Wᵀ}), the transpose becomes the invariant. It is copied once, and each step reads it in the order in which a product of few rows
 * goes through its right operand; before, each step had to turn that operand or its result. The number of steps does
 * not matter, as other lengths are to need no other code.
 *
 * <p>For generators that read panels of columns one after the other, the copy of a matrix has them so: [columns / 64, rows, 64]. A row of the whole matrix would
 * be as far from the next as a page is long, or a set of the first-level cache.
 */
public final class InvariantTransposes {
    /** A product of more rows earns turning its operand by itself. */
    private static final long MOST_ROWS = 64;

    /** Columns of a panel: a multiple of what any vector width multiplies at once. */
    private static final long PANEL = 64;

    private InvariantTransposes() {}

    /** @param panels whether copies of matrices are to have their columns in panels */
    public static Graph apply(Graph graph, boolean panels) {
        Rewriting rewriting = new Rewriting(graph);
        for (Node n : graph.nodes()) {
            Node now = rewriting.updated(n);
            if (n.op() instanceof Loop loop) now = turned(now, loop, panels);
            rewriting.replace(n, now);
        }
        return rewriting.finish();
    }

    /** The loop with transposes that its body takes of invariants as invariants; itself if there are none. */
    private static Node turned(Node n, Loop loop, boolean panels) {
        Graph body = loop.body();
        Set<Node> invariants = new HashSet<>(body.inputs()
                .subList(loop.carried() + loop.sliced(), body.inputs().size()));
        Map<Node, List<Node>> users = body.users();
        Set<Node> moved = new LinkedHashSet<>();
        for (Node t : body.nodes()) {
            if (t.op() instanceof Permute p
                    && invariants.contains(t.input(0))
                    && turnsRows(p)
                    && users.getOrDefault(t, List.of()).stream().anyMatch(u -> isOfFewRows(u, t))) moved.add(t);
        }
        // A loop's operands are counted: no more of them than before.
        Set<Node> gone = new HashSet<>();
        for (Node t : moved) {
            if (moved.containsAll(users.get(t.input(0))) && !body.outputs().contains(t.input(0))) gone.add(t.input(0));
        }
        moved.removeIf(t -> !gone.contains(t.input(0)));
        if (moved.isEmpty()) return n;
        GraphBuilder b = new GraphBuilder();
        Map<Node, Node> now = new IdentityHashMap<>();
        List<Node> operands = new ArrayList<>();
        for (int i = 0; i < body.inputs().size(); i++) {
            Node in = body.inputs().get(i);
            if (gone.contains(in)) continue;
            now.put(in, b.input(in.type()));
            operands.add(n.input(i));
        }
        for (Node t : moved) {
            Node whole = n.input(body.inputs().indexOf(t.input(0)));
            Shape s = t.shape();
            if (panels && s.rank() == 2 && s.dim(1) > PANEL && s.dim(1) % PANEL == 0) {
                Node parts = view(new Reshape(Shape.of(s.dim(1) / PANEL, PANEL, s.dim(0))), whole, n.origin());
                Node copy = view(new Permute(0, 2, 1), parts, n.origin());
                operands.add(copy);
                now.put(t, b.reshape(b.permute(b.input(copy.type()), 1, 0, 2), s));
            } else {
                operands.add(view(t.op(), whole, n.origin()));
                now.put(t, b.input(t.type()));
            }
        }
        for (Node x : body.nodes()) {
            if (now.containsKey(x)) continue;
            List<Node> in = x.inputs().stream().map(now::get).toList();
            now.put(x, new Node(x.op(), in, x.types(), x.origin()));
        }
        Graph turned = b.build(body.outputs().stream().map(now::get).toArray(Node[]::new));
        Loop other = new Loop(turned, loop.steps(), loop.carried(), loop.sliced(), loop.kept(), loop.reverse());
        return new Node(other, operands, n.types(), n.origin());
    }

    private static Node view(Op op, Node x, int origin) {
        return new Node(op, List.of(x), op.infer(List.of(x.type())), origin);
    }

    /** Consecutive elements of the operand are no more consecutive, but the rows of a matrix. */
    private static boolean turnsRows(Permute p) {
        int r = p.perm().length;
        return r >= 2 && p.perm()[r - 2] == r - 1;
    }

    private static boolean isOfFewRows(Node product, Node right) {
        int r = product.types().getFirst().rank();
        return product.op() instanceof Matmul
                && product.input(1) == right
                && product.shape().dim(r - 2) <= MOST_ROWS;
    }
}
