// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.ref;

import io.sinter.ir.Compiler;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Composite;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Constant;
import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A program in small steps: loops are unrolled, and composites that no kernel has a template for are taken apart. What it computes is the same;
 * each node knows which node of the program it came from.
 */
final class Flattened implements Emitter<Node> {
    /**
     * Where a node came from.
     *
     * @param node of the program
     * @param steps of the loops around it, the outermost first; empty outside of loops
     */
    record Place(Node node, List<Long> steps) {}

    /** A composite that was taken apart; equal to itself alone. */
    static final class Whole {
        final Op op;
        final List<Node> operands;

        Whole(Op op, List<Node> operands) {
            this.op = op;
            this.operands = operands;
        }
    }

    private final Map<Node, Place> places = new IdentityHashMap<>();
    private final Map<Node, Whole> wholes = new IdentityHashMap<>();
    private final Graph graph;
    private Place place;
    private Whole whole;

    Flattened(Graph program) {
        for (Node in : program.inputs()) places.put(in, new Place(in, List.of()));
        List<Node> outputs = replay(program, program.inputs(), null, List.of());
        graph = Graph.of(program.inputs(), outputs, Collections.nCopies(outputs.size(), -1));
    }

    Graph graph() {
        return graph;
    }

    Place place(Node n) {
        return places.get(n);
    }

    /** The composite of which a node is a part, the outermost; null if it is of none. */
    Whole whole(Node n) {
        return wholes.get(n);
    }

    /** @param within the loop of the program that this is the body of; null for the program */
    private List<Node> replay(Graph g, List<Node> arguments, Node within, List<Long> steps) {
        Map<Node, List<Node>> values = new IdentityHashMap<>();
        for (int i = 0; i < arguments.size(); i++) values.put(g.inputs().get(i), List.of(arguments.get(i)));
        for (Node n : g.nodes()) {
            place = new Place(within == null ? n : within, steps);
            if (n.op() instanceof Project p) {
                values.put(n, List.of(values.get(n.input(0)).get(p.index())));
                continue;
            }
            List<Node> operands = new ArrayList<>();
            for (Node in : n.inputs()) operands.add(values.get(in).getFirst());
            values.put(n, n.op() instanceof Loop l ? unrolled(l, operands) : emit(n.op(), operands));
        }
        return g.outputs().stream().map(n -> values.get(n).getFirst()).toList();
    }

    private List<Node> unrolled(Loop loop, List<Node> in) {
        Place outside = place;
        List<Node> args = new ArrayList<>(in);
        List<List<Node>> given = new ArrayList<>();
        for (int i = 0; i < loop.body().outputs().size(); i++) given.add(new ArrayList<>());
        for (long k = 0; k < loop.steps(); k++) {
            long t = loop.reverse() ? loop.steps() - 1 - k : k;
            place = outside;
            for (int s = loop.carried(); s < loop.carried() + loop.sliced(); s++) {
                args.set(s, reshape(slice(in.get(s), 0, t, 1, 1), loop.input(s).shape()));
            }
            List<Long> steps = new ArrayList<>(outside.steps);
            steps.add(t);
            List<Node> out = replay(loop.body(), args, outside.node, steps);
            for (int i = 0; i < out.size(); i++) {
                given.get(i).add(out.get(i));
                if (i < loop.carried()) args.set(i, out.get(i));
            }
        }
        place = outside;
        List<Type> types = loop.infer(in.stream().map(Node::type).toList());
        List<Node> results = new ArrayList<>();
        for (int i = 0; i < types.size(); i++) {
            List<Node> parts = given.get(i);
            if (i < loop.carried() && !loop.kept().contains(i)) {
                results.add(args.get(i));
                continue;
            }
            if (i < loop.carried()) parts.addFirst(in.get(i));
            results.add(stacked(loop.reverse() ? parts.reversed() : parts, types.get(i)));
        }
        return results;
    }

    private Node stacked(List<Node> parts, Type type) {
        if (parts.isEmpty()) {
            Node zero = emit(Constant.ofLong(type.dtype(), 0), List.of()).getFirst();
            return expand(zero, type.shape());
        }
        List<Node> rows = new ArrayList<>();
        for (Node p : parts) rows.add(reshape(p, p.shape().insert(0, 1)));
        return emit(new Concat(0), rows).getFirst();
    }

    @Override
    public List<Node> emit(Op op, List<Node> operands) {
        if (op instanceof Composite c && !Compiler.keptWhole(op)) {
            Whole outer = whole;
            if (outer == null) whole = new Whole(op, operands);
            List<Node> results = c.decompose(this, operands);
            whole = outer;
            return results;
        }
        List<Type> types = op.infer(operands.stream().map(Node::type).toList());
        Node n = placed(new Node(op, operands, types, place.node.origin()));
        if (types.size() == 1) return List.of(n);
        List<Node> results = new ArrayList<>();
        for (int i = 0; i < types.size(); i++) {
            Type t = types.get(i);
            results.add(placed(new Node(new Project(i, t), List.of(n), List.of(t), place.node.origin())));
        }
        return results;
    }

    private Node placed(Node n) {
        places.put(n, place);
        if (whole != null) wholes.put(n, whole);
        return n;
    }

    @Override
    public Type type(Node value) {
        return value.type();
    }
}
