// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Project;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.dump.Sources;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** Runs a graph operator by operator on the reference evaluator: what every generated program must agree with. */
final class ReferenceExecutable implements Executable {
    private final Graph graph;
    private final Session session;
    private final List<Type> argTypes;
    private final List<Type> resultTypes;
    private final List<Boolean> scalars;
    /** For each node, how many nodes and outputs read it. */
    private final Map<Node, Integer> reads = new IdentityHashMap<>();

    ReferenceExecutable(Graph graph, Session session) {
        this.graph = graph;
        this.session = session;
        argTypes = graph.inputs().stream().map(Node::type).toList();
        resultTypes = graph.outputs().stream().map(Node::type).toList();
        scalars = graph.inputs().stream().map(n -> ((Input) n.op()).scalar()).toList();
        for (Node n : graph.nodes()) for (Node in : n.inputs()) reads.merge(in, 1, Integer::sum);
        for (Node n : graph.outputs()) reads.merge(n, 1, Integer::sum);
    }

    @Override
    public Run run(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
        Args.check(args, argTypes, scalars, session.device());
        Args.pin(args);
        try {
            List<Buffer> results = places(args, tags);
            List<RefArray> values = evaluate(args);
            for (int i = 0; i < values.size(); i++) Elements.store(values.get(i), results.get(i));
            session.counters().runs.increment();
            session.counters().launches.add(kernels());
            return new Run(results);
        } finally {
            Args.unpin(args);
        }
    }

    /** Where the results go: donated arguments, arguments passed through, fresh buffers. */
    private List<Buffer> places(List<? extends Arg> args, IntFunction<?> tags) {
        Map<Node, Buffer> fresh = new IdentityHashMap<>();
        List<Buffer> places = new ArrayList<>();
        for (int i = 0; i < graph.outputs().size(); i++) {
            Node n = graph.outputs().get(i);
            int donated = graph.donations().get(i);
            if (donated >= 0) {
                places.add((Buffer) args.get(donated));
            } else if (n.op() instanceof Input in
                    && !in.scalar()
                    && !graph.donations().contains(in.number())) {
                places.add((Buffer) args.get(in.number()));
            } else {
                Object tag = tags.apply(i);
                places.add(fresh.computeIfAbsent(
                        n, _ -> session.allocator().allocate(n.type().bytes(), tag)));
            }
        }
        return places;
    }

    private List<RefArray> evaluate(List<? extends Arg> args) {
        Map<Node, List<RefArray>> values = new IdentityHashMap<>();
        Map<Node, Integer> left = new IdentityHashMap<>(reads);
        for (int i = 0; i < args.size(); i++) {
            RefArray value = Elements.load(argTypes.get(i), args.get(i));
            values.put(graph.inputs().get(i), List.of(value));
        }
        for (Node n : graph.nodes()) {
            List<RefArray> in = new ArrayList<>();
            // A projection's operands are all results of its producer.
            if (n.op() instanceof Project) in.addAll(values.get(n.input(0)));
            else for (Node x : n.inputs()) in.add(values.get(x).getFirst());
            values.put(n, evaluate(n, in));
            for (Node x : n.inputs()) if (left.merge(x, -1, Integer::sum) == 0) values.remove(x);
        }
        return graph.outputs().stream().map(n -> values.get(n).getFirst()).toList();
    }

    private static List<RefArray> evaluate(Node n, List<RefArray> in) {
        List<RefArray> out;
        try {
            out = n.op().evaluate(in);
        } catch (IndexError e) {
            throw e.from(n.origin());
        }
        List<Type> types = out.stream().map(RefArray::type).toList();
        if (!types.equals(n.types())) {
            throw new IllegalStateException(
                    n.op().name() + " evaluated to " + types + ", its type rule says " + n.types());
        }
        return out;
    }

    /** Every operator counts as a kernel. */
    @Override
    public int kernels() {
        return graph.nodes().size();
    }

    @Override
    public List<Type> argTypes() {
        return argTypes;
    }

    @Override
    public List<Type> resultTypes() {
        return resultTypes;
    }
}
