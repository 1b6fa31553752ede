// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Conv;
import io.sinter.ir.op.ConvInputGrad;
import io.sinter.ir.op.ConvWeightGrad;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Matmul;
import io.sinter.ir.op.Pad;
import io.sinter.ir.op.Put;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Replay;
import io.sinter.ir.op.Scatter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Removes what kernels cannot express: loops of fewer than two steps, reductions over nothing or over single elements, operands without elements, concatenations of
 * many parts. Afterwards every value with elements is computed from values with elements.
 */
public final class Degenerate extends NodeRewriter {
    /** Most parts of a concatenation that one kernel tells apart: it grows with them. */
    static final int MAX_PARTS = 8;

    private Degenerate() {}

    public static Graph apply(Graph g) {
        return new Degenerate().run(g);
    }

    @Override
    protected List<Node> rewrite(Node n, List<Node> in) {
        if (n.op() instanceof Loop loop) return loop(n, loop, in);
        if (n.types().size() != 1 || n.type().numel() == 0) return null;
        return switch (n.op()) {
            case Reduce r -> reduce(n, r, in.getFirst());
            case BlockReduce b -> blocks(n, b, in.getFirst());
            // concat(a, empty) => a; concat of many => concat of concats
            case Concat c -> {
                List<Node> parts = new ArrayList<>();
                for (Node x : in) if (x.type().dim(c.axis()) > 0) parts.add(x);
                if (parts.size() == 1) yield parts;
                while (parts.size() > MAX_PARTS) parts = grouped(c, parts);
                yield parts.size() < in.size() ? emit(c, parts) : null;
            }
            // a sum of no products => 0
            case Matmul _, Conv _, ConvInputGrad _, ConvWeightGrad _ ->
                in.get(0).type().numel() == 0 || in.get(1).type().numel() == 0 ? zeros(n) : null;
            case Pad _ -> in.getFirst().type().numel() == 0 ? zeros(n) : null;
            // nothing is put => the operand
            case Put _, Scatter _ -> in.get(1).type().numel() == 0 ? List.of(in.getFirst()) : null;
            default -> null;
        };
    }

    /** A loop of no step => its operands; of one step => its body. */
    private List<Node> loop(Node n, Loop loop, List<Node> in) {
        if (loop.steps() > 1) return null;
        List<Node> arguments = new ArrayList<>(in);
        for (int s = loop.carried(); s < loop.carried() + loop.sliced(); s++) {
            if (loop.steps() == 1)
                arguments.set(s, reshape(in.get(s), in.get(s).shape().without(0)));
        }
        List<Node> step =
                loop.steps() == 0 ? in.subList(0, loop.carried()) : Replay.apply(this, loop.body(), arguments);
        List<Node> results = new ArrayList<>();
        for (int k = 0; k < n.types().size(); k++) {
            Type t = n.types().get(k);
            if (k >= loop.carried()) {
                Node zero = emit(Constant.ofLong(t.dtype(), 0), List.of()).getFirst();
                results.add(loop.steps() == 0 ? expand(zero, t.shape()) : reshape(step.get(k), t.shape()));
            } else if (!loop.kept().contains(k)) {
                results.add(step.get(k));
            } else {
                results.add(history(loop, in.get(k), step.get(k)));
            }
        }
        return results;
    }

    private Node history(Loop loop, Node begins, Node ends) {
        Shape one = begins.shape().insert(0, 1);
        if (loop.steps() == 0) return reshape(begins, one);
        Node first = reshape(loop.reverse() ? ends : begins, one);
        return apply(new Concat(0), first, reshape(loop.reverse() ? begins : ends, one));
    }

    /** Runs of operands, concatenated each. */
    private List<Node> grouped(Concat c, List<Node> parts) {
        List<Node> out = new ArrayList<>();
        for (int i = 0; i < parts.size(); i += MAX_PARTS) {
            List<Node> run = parts.subList(i, Math.min(i + MAX_PARTS, parts.size()));
            out.add(run.size() == 1 ? run.getFirst() : emit(c, run).getFirst());
        }
        return out;
    }

    private List<Node> zeros(Node n) {
        return List.of(expand(constant(n, 0), n.shape()));
    }

    /** Blocks of one row => the rows; one block => a reduction of all rows. */
    private List<Node> blocks(Node n, BlockReduce b, Node x) {
        if (b.block() == 1 || b.rows(x.shape()) == 1) return List.of(reshape(x, n.shape()));
        if (b.block() < b.rows(x.shape())) return null;
        int[] rows = IntStream.range(0, b.axes()).toArray();
        return List.of(reshape(reduce(b.kind(), x, rows), n.shape()));
    }

    private List<Node> reduce(Node n, Reduce r, Node x) {
        long elements = 1;
        for (int a : r.axes()) elements *= x.type().dim(a);
        if (elements == 0) return List.of(expand(constant(n, r.kind() == Reduce.Kind.PROD ? 1 : 0), n.shape()));
        if (elements > 1) return null;
        return r.kind().isArg() ? zeros(n) : List.of(reshape(x, n.shape()));
    }
}
