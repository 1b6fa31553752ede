// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Permute;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/**
 * (A B)ᵀ => Bᵀ Aᵀ, where nothing else reads A B. Operands may be read in any order of axes at no cost,
 * while a result read across its rows is slow and keeps its reader out of a fused kernel: the
 * gradient of a layer's weight, dWᵀ = xᵀ dy, on its way into the optimizer.
 */
public final class TransposedProducts {
    private TransposedProducts() {}

    public static Graph apply(Graph graph) {
        Map<Node, Integer> uses = new IdentityHashMap<>();
        for (Node n : graph.nodes())
            for (Node in : n.inputs()) if (in.op() instanceof Matmul) uses.merge(in, 1, Integer::sum);
        Set<Node> outputs = new HashSet<>(graph.outputs());
        Rewriting rewriting = new Rewriting(graph);
        GraphBuilder e = new GraphBuilder();
        for (Node n : graph.nodes()) {
            Node now = rewriting.updated(n);
            if (n.op() instanceof Permute p
                    && swapsLastTwo(p.perm())
                    && n.input(0).op() instanceof Matmul) {
                Node product = n.input(0);
                if (uses.get(product) == 1 && !outputs.contains(product)) {
                    e.origin(product.origin());
                    Node a = rewriting.now(product).input(0);
                    Node b = rewriting.now(product).input(1);
                    now = e.matmul(transposed(e, b), transposed(e, a));
                }
            }
            rewriting.replace(n, now);
        }
        return rewriting.finish();
    }

    private static Node transposed(GraphBuilder e, Node x) {
        // (xᵀ)ᵀ => x
        if (x.op() instanceof Permute p && swapsLastTwo(p.perm())) return x.input(0);
        return e.transpose(x, -1, -2);
    }

    private static boolean swapsLastTwo(int[] perm) {
        int r = perm.length;
        for (int i = 0; i < r - 2; i++) if (perm[i] != i) return false;
        return r >= 2 && perm[r - 2] == r - 1 && perm[r - 1] == r - 2;
    }
}
