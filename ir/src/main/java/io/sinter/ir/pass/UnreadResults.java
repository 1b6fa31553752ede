// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.pass;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.Replay;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Takes from loops what nobody reads: outputs of the step, histories (the last value alone is cheap), and then operands that the body does not
 * use any more. What a loop keeps for its gradient is gone where no gradient was taken.
 */
public final class UnreadResults {
    private UnreadResults() {}

    public static Graph apply(Graph graph) {
        Map<Node, Set<Integer>> read = new IdentityHashMap<>();
        for (Node n : graph.nodes()) {
            if (n.op() instanceof Project p && n.input(0).op() instanceof Loop)
                read.computeIfAbsent(n.input(0), _ -> new HashSet<>()).add(p.index());
        }
        Rewriting rewriting = new Rewriting(graph);
        Map<Node, Narrowed> narrowed = new IdentityHashMap<>();
        for (Node n : graph.nodes()) {
            Node now = rewriting.updated(n);
            if (n.op() instanceof Loop loop) {
                Narrowed less = Narrowed.of(loop, n.types().size() == 1 ? Set.of(0) : read.getOrDefault(n, Set.of()));
                if (less != null) {
                    List<Node> operands = less.inputs.stream().map(now::input).toList();
                    List<Type> types =
                            less.loop.infer(operands.stream().map(Node::type).toList());
                    now = new Node(less.loop, operands, types, n.origin());
                    narrowed.put(n, less);
                }
            } else if (n.op() instanceof Project p && narrowed.containsKey(n.input(0))) {
                Node from = rewriting.now(n.input(0));
                int index = narrowed.get(n.input(0)).place(p.index());
                Type t = from.types().get(index);
                now = from.types().size() == 1
                        ? from
                        : new Node(new Project(index, t), List.of(from), List.of(t), n.origin());
            }
            rewriting.replace(n, now);
        }
        return rewriting.finish();
    }

    /**
     * A loop with less.
     *
     * @param inputs for each of its operands, which one of the former loop's it is
     * @param outputs for each of its results likewise
     */
    private record Narrowed(Loop loop, List<Integer> inputs, List<Integer> outputs) {
        int place(int result) {
            return outputs.indexOf(result);
        }

        /** Null if everything is read. */
        static Narrowed of(Loop loop, Set<Integer> read) {
            Graph body = loop.body();
            List<Integer> outputs = new ArrayList<>();
            for (int k = 0; k < body.outputs().size(); k++) if (k < loop.carried() || read.contains(k)) outputs.add(k);
            if (outputs.isEmpty()) return null;
            Set<Integer> kept = new TreeSet<>(loop.kept());
            kept.retainAll(read);
            List<Node> results = outputs.stream().map(body.outputs()::get).toList();
            Graph less = Graph.of(body.inputs(), results, Collections.nCopies(results.size(), -1));
            Set<Node> used = Collections.newSetFromMap(new IdentityHashMap<>());
            used.addAll(results);
            for (Node n : less.nodes()) used.addAll(n.inputs());
            List<Integer> inputs = new ArrayList<>();
            int sliced = 0;
            for (int i = 0; i < body.inputs().size(); i++) {
                if (i >= loop.carried() && !used.contains(body.inputs().get(i))) continue;
                inputs.add(i);
                if (i >= loop.carried() && i < loop.carried() + loop.sliced()) sliced++;
            }
            boolean all = outputs.size() == body.outputs().size()
                    && inputs.size() == body.inputs().size();
            if (all && kept.equals(loop.kept())) return null;
            if (inputs.size() < body.inputs().size()) less = renumbered(less, inputs);
            return new Narrowed(
                    new Loop(less, loop.steps(), loop.carried(), sliced, kept, loop.reverse()), inputs, outputs);
        }

        private static Graph renumbered(Graph body, List<Integer> inputs) {
            GraphBuilder b = new GraphBuilder();
            List<Node> arguments =
                    new ArrayList<>(Collections.nCopies(body.inputs().size(), null));
            for (int i : inputs) arguments.set(i, b.input(body.inputs().get(i).type()));
            for (int i = 0; i < arguments.size(); i++)
                if (arguments.get(i) == null) arguments.set(i, body.inputs().get(i));
            return b.build(Replay.apply(b, body, arguments).toArray(Node[]::new));
        }
    }
}
