// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir;

import io.sinter.ir.op.Op;
import java.util.List;

/**
 * One application of an operator in a {@link Graph}: immutable, with identity. A node of an operator with several results is read through
 * {@link io.sinter.ir.op.Project} nodes; every other node stands for its single result.
 */
public final class Node {
    private final Op op;
    private final List<Node> inputs;
    private final List<Type> types;
    private final int origin;

    /**
     * @param origin number of the trace entry that this node comes from (index into the provenance side table), or -1
     */
    public Node(Op op, List<Node> inputs, List<Type> types, int origin) {
        this.op = op;
        this.inputs = List.copyOf(inputs);
        this.types = List.copyOf(types);
        this.origin = origin;
    }

    public Op op() {
        return op;
    }

    public List<Node> inputs() {
        return inputs;
    }

    public Node input(int i) {
        return inputs.get(i);
    }

    /** Types of all results. */
    public List<Type> types() {
        return types;
    }

    /** Type of the single result. */
    public Type type() {
        if (types.size() != 1) throw new IllegalStateException(op.name() + " has " + types.size() + " results");
        return types.get(0);
    }

    public Shape shape() {
        return type().shape();
    }

    public DType dtype() {
        return type().dtype();
    }

    public int origin() {
        return origin;
    }

    @Override
    public String toString() {
        return types + " = " + op.name();
    }
}
