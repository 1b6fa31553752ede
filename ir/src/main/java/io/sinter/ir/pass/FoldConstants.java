// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.DType;
import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Expand;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Reshape;
import io.sinter.ir.op.Slice;
import io.sinter.ir.op.View;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes what depends on constants alone: elementwise operators on constants, and views of
 * constants, become a constant (expanded to the shape). What is computed with a constant derived
 * from extents is derived from extents.
 */
public final class FoldConstants {
    private FoldConstants() {}

    public static Graph apply(Graph graph) {
        Rewriting rewriting = new Rewriting(graph);
        GraphBuilder e = new GraphBuilder();
        Map<Node, Constant> known = new IdentityHashMap<>(); // old nodes whose every element is that constant
        for (Node n : graph.nodes()) {
            Constant c = constant(n, known);
            Node now = rewriting.updated(n);
            if (c != null) known.put(n, c);
            if (c != null && !canonical(n)) {
                e.origin(n.origin());
                now = e.expand(e.emit(c, List.of()).get(0), n.shape());
            }
            rewriting.replace(n, now);
        }
        return rewriting.finish();
    }

    /** A constant, reshaped to extents of 1, expanded: the form that folding makes. */
    private static boolean canonical(Node n) {
        if (n.op() instanceof Constant) return true;
        Node in = n.input(0);
        if (n.op() instanceof Reshape) return in.op() instanceof Constant;
        return n.op() instanceof Expand
                && (in.op() instanceof Constant || (in.op() instanceof Reshape && canonical(in)));
    }

    private static Constant constant(Node n, Map<Node, Constant> known) {
        return switch (n.op()) {
            case Constant c -> c;
            case View v -> {
                Constant c = known.get(n.input(0));
                boolean keeps =
                        !(v instanceof Slice s && s.live()) && !(v instanceof Pad && c != null && c.bits() != 0);
                yield keeps ? c : null;
            }
            case Elementwise op -> elementwise(op, n, known);
            default -> null; // operators that do not map constants to constants
        };
    }

    private static Constant elementwise(Elementwise op, Node n, Map<Node, Constant> known) {
        List<RefArray> operands = new ArrayList<>();
        boolean derived = false;
        for (Node in : n.inputs()) {
            Constant c = known.get(in);
            if (c == null) return null;
            operands.add(c.evaluate(List.of()).get(0));
            derived |= c.derived();
        }
        RefArray value = op.evaluate(operands).get(0);
        DType t = value.dtype();
        Constant c = t.isFloat() ? Constant.of(t, value.getDouble(0)) : Constant.ofLong(t, value.getLong(0));
        return new Constant(t, c.bits(), derived);
    }
}
