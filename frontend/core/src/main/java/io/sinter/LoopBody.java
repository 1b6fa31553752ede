// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The body of a loop while it is traced: calls on stand-ins for what a step is given. Tensors from outside that the body uses become invariants
 * of the loop.
 */
final class LoopBody {
    private final Trace outer;
    private final Trace trace;
    /** Stand-ins, in the order of the body's inputs. */
    private final List<Value> inputs = new ArrayList<>();
    /** What the invariants among them stand for. */
    private final List<Tensor> invariants = new ArrayList<>();

    private final Map<Value, Value> captured = new IdentityHashMap<>();

    LoopBody(Trace outer) {
        this.outer = outer;
        trace = Trace.ofBody(this, SourceLine.ofCaller());
    }

    /** The trace that the loop will be part of. */
    Trace outer() {
        return outer;
    }

    /** What stands for a carried value or a slice. All of them come before the body is traced. */
    Tensor argument(Type type) {
        return trace.during(() -> new Tensor(input(type)));
    }

    private Value input(Type type) {
        Value v = Value.node(trace, new Input(inputs.size(), type, false), type);
        inputs.add(v);
        return v;
    }

    /** Calls the body. */
    <T> T trace(Supplier<T> body) {
        return trace.during(body);
    }

    /** What stands in the body for {@code x}, a tensor from outside whose value is {@code v}. */
    Value capture(Tensor x, Value v) {
        Value known = captured.get(v);
        if (known == null) {
            known = input(v.type);
            captured.put(v, known);
            invariants.add(x);
        }
        return known;
    }

    /** The values of these tensors in the body. */
    List<Value> values(List<Tensor> results) {
        return trace.during(() -> results.stream().map(x -> x.read(trace)).toList());
    }

    /** Tensors that are invariants, complete once the {@link #graph} has been made. */
    List<Tensor> invariants() {
        return invariants;
    }

    /** The body as a graph with these outputs. */
    Graph graph(List<Value> outputs) {
        List<Value> order = order(outputs);
        for (Value v : order) {
            // Numbers and host data that the body made itself.
            if (!v.pending()) {
                captured.put(v, input(v.type));
                invariants.add(new Tensor(v));
            }
        }
        GraphBuilder b = new GraphBuilder();
        Map<Value, Node> nodes = new IdentityHashMap<>();
        for (Value v : inputs) nodes.put(v, b.input(v.type));
        for (Value v : order) {
            if (!v.pending()) {
                nodes.put(v, nodes.get(captured.get(v)));
            } else if (!(v.op instanceof Input)) {
                List<Node> in = Arrays.stream(v.in).map(nodes::get).toList();
                List<Type> types = v.type != null
                        ? List.of(v.type)
                        : Arrays.stream(v.projections).map(p -> p.type).toList();
                nodes.put(v, new Node(v.op, in, types, -1));
            }
        }
        return b.build(outputs.stream().map(nodes::get).toArray(Node[]::new));
    }

    /** Everything that the outputs need, operands first. */
    private static List<Value> order(List<Value> outputs) {
        List<Value> order = new ArrayList<>();
        Map<Value, Boolean> done = new IdentityHashMap<>();
        Deque<Value> stack = new ArrayDeque<>(outputs.reversed());
        while (!stack.isEmpty()) {
            Value v = stack.peek();
            if (done.containsKey(v)) {
                if (!done.put(v, true)) order.add(v);
                stack.pop();
                continue;
            }
            done.put(v, false);
            for (Value in : v.in) if (!done.containsKey(in)) stack.push(in);
        }
        return order;
    }
}
