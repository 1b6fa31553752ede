// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.op.Emitter;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import java.util.ArrayList;
import java.util.List;

/** Builds nodes: the {@link Emitter} of graphs. Types are inferred (and so checked) as nodes are made. */
public final class GraphBuilder implements Emitter<Node> {
    private final List<Node> inputs = new ArrayList<>();
    private int origin = -1;

    /** Nodes made from here on come from this trace entry. */
    public GraphBuilder origin(int number) {
        origin = number;
        return this;
    }

    /** The next argument of the program. */
    public Node input(Type type) {
        Node n = new Node(new Input(inputs.size(), type, false), List.of(), List.of(type), origin);
        inputs.add(n);
        return n;
    }

    /** The next argument: a host scalar of shape [], passed by value. */
    public Node scalarInput(DType dtype) {
        Type type = Type.scalar(dtype);
        Node n = new Node(new Input(inputs.size(), type, true), List.of(), List.of(type), origin);
        inputs.add(n);
        return n;
    }

    @Override
    public List<Node> emit(Op op, List<Node> operands) {
        List<Type> in = operands.stream().map(Node::type).toList();
        List<Type> out = op.infer(in);
        Node n = new Node(op, operands, out, origin);
        if (out.size() == 1) return List.of(n);
        List<Node> results = new ArrayList<>();
        for (int i = 0; i < out.size(); i++) {
            results.add(new Node(new Project(i, out.get(i)), List.of(n), List.of(out.get(i)), origin));
        }
        return results;
    }

    @Override
    public Type type(Node value) {
        return value.type();
    }

    public Graph build(Node... outputs) {
        return Graph.of(inputs, List.of(outputs), java.util.Collections.nCopies(outputs.length, -1));
    }
}
