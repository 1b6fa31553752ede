// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.Capabilities;
import io.sinter.ir.Compiler;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Numerics;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Project;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.plan.Provenance;
import io.sinter.ir.ref.RefArray;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * One kernel cut out of its program: a plan that launches it alone, and the graph of what it should compute. Both take the values that the kernel
 * reads as arguments, in one order, and give those that it writes. Where an earlier kernel has begun what this one completes (the copy before a
 * scatter), the plan launches that one, too.
 *
 * @param name of the kernel's files
 * @param program the graph that was fused, and that the kernel is a part of
 * @param within that graph, or the body of a loop in it
 * @param members the nodes that the kernel computes
 * @param graph what it should compute
 * @param plan the launches
 * @param arguments the values that it takes
 * @param results the values that it gives
 */
public record KernelCut(
        String name,
        Graph program,
        Graph within,
        List<Node> members,
        Graph graph,
        Plan plan,
        List<Operand> arguments,
        List<Operand> results) {
    /**
     * A value in the program.
     *
     * @param name what it is called in the dump
     * @param node of {@link #within}
     * @param result which of the node's results
     */
    public record Operand(String name, Node node, int result) {}

    /** The arguments among the values of all nodes of {@link #within}. */
    public List<RefArray> arguments(Map<Node, List<RefArray>> values) {
        return arguments.stream().map(o -> values.get(o.node).get(o.result)).toList();
    }

    /** All kernels of a compiled program, in the order in which they run; those of a loop's body once. */
    static List<KernelCut> all(ProgramDump dump) {
        Model model = new Model(dump);
        return model.steps.stream().map(s -> new Cutter(model, s).cut()).toList();
    }

    /**
     * Compiles a dumped program again, and cuts one kernel out of it.
     *
     * @param capabilities of the device's generator
     * @param loops the dumped loop IR of each kernel; the program must compile to the same
     * @param kernel its number
     * @throws IllegalArgumentException if it does not: it was dumped by another version
     */
    public static KernelCut of(Graph trace, Capabilities capabilities, List<String> loops, int kernel) {
        for (int weight = Fusion.MAX_WEIGHT; weight > 0; weight = Fusion.less(weight)) {
            ProgramDump dump =
                    new ProgramDump(trace, Sources.NONE, new ProgramDump.Target("", "", 0, null, Numerics.DEFAULT));
            dump.end(Compiler.plan(trace, weight, capabilities, dump.begin()));
            Model model = new Model(dump);
            if (agrees(model, loops)) return new Cutter(model, model.steps.get(kernel)).cut();
        }
        throw new IllegalArgumentException(
                "this Sinter compiles the program to other kernels than those that were dumped; dump it again");
    }

    private static boolean agrees(Model model, List<String> loops) {
        if (model.steps.size() != loops.size()) return false;
        for (Model.Step s : model.steps)
            if (s.kernel() != null && !loops.get(s.number()).startsWith(KernelText.print(s.kernel()))) return false;
        return true;
    }

    /** A value in memory; identity of the node. */
    private record Key(Node node, int result) {
        static Key of(Provenance.Access a) {
            return new Key(a.node(), a.result());
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Key k && k.node == node && k.result == result;
        }

        @Override
        public int hashCode() {
            return Objects.hash(System.identityHashCode(node), result);
        }
    }

    private static final class Cutter {
        private final Model model;
        private final Model.Step kernel;
        private final List<Plan.Step> steps = new ArrayList<>();
        private final Map<Key, Integer> read = new LinkedHashMap<>();
        private final Set<Key> written = new LinkedHashSet<>();
        private final List<Node> inputs = new ArrayList<>();
        private final List<Operand> operands = new ArrayList<>();
        private final Map<Node, Node> built = new IdentityHashMap<>();

        Cutter(Model model, Model.Step kernel) {
            this.model = model;
            this.kernel = kernel;
        }

        KernelCut cut() {
            Provenance own = model.dump.provenance(kernel.step());
            for (Provenance.Part p : own.parts())
                for (Provenance.Access a : p.accesses()) if (a.written()) written.add(Key.of(a));
            for (Model.Step s : model.steps) {
                if (s == kernel) break;
                Provenance p = model.dump.provenance(s.step());
                boolean begins = p.graph() == own.graph()
                        && p.parts().stream()
                                .flatMap(x -> x.accesses().stream())
                                .anyMatch(a -> a.written() && written.contains(Key.of(a)));
                if (begins) steps.add(s.step());
            }
            steps.add(kernel.step());
            for (Plan.Step s : steps) reads(s);
            List<Node> outputs = new ArrayList<>();
            List<Operand> results = new ArrayList<>();
            for (Key k : written) {
                outputs.add(result(k));
                results.add(operand(k));
            }
            Graph graph = Graph.of(inputs, outputs, java.util.Collections.nCopies(outputs.size(), -1));
            Set<Node> members = new LinkedHashSet<>(); // Node has identity equality
            for (Provenance.Part p : own.parts()) members.addAll(p.members());
            return new KernelCut(
                    kernel.file(),
                    model.dump.plan().graph(),
                    own.graph(),
                    List.copyOf(members),
                    graph,
                    plan(graph),
                    List.copyOf(operands),
                    results);
        }

        private Operand operand(Key k) {
            String id = model.ids.get(k.node);
            return new Operand(k.node.types().size() == 1 ? id : id + "." + k.result, k.node, k.result);
        }

        private void reads(Plan.Step s) {
            Provenance provenance = model.dump.provenance(s);
            if (s instanceof Plan.Launch l) {
                for (List<SlotValue> block : l.segments())
                    for (SlotValue v : block)
                        if (v instanceof SlotValue.ScalarArgument a)
                            build(provenance.graph().inputs().get(a.index()));
            }
            for (Provenance.Part p : provenance.parts()) {
                for (Provenance.Access a : p.accesses()) {
                    Key k = Key.of(a);
                    if (a.written()) written.add(k);
                    else if (!written.contains(k) && !read.containsKey(k)) {
                        read.put(k, inputs.size());
                        argument(k.node.types().get(k.result), false, operand(k));
                    }
                }
            }
        }

        private Node argument(Type type, boolean scalar, Operand of) {
            Node n = new Node(new Input(inputs.size(), type, scalar), List.of(), List.of(type), -1);
            inputs.add(n);
            operands.add(of);
            return n;
        }

        // ---- the graph

        private Node result(Key k) {
            // The first of two kernels only copies the operand that the update goes into.
            Node n = build(isCompletedLater(k) ? k.node.input(0) : k.node);
            if (n.types().size() == 1) return n;
            Type type = n.types().get(k.result);
            return new Node(new Project(k.result, type), List.of(n), List.of(type), -1);
        }

        private boolean isCompletedLater(Key k) {
            Graph graph = model.dump.provenance(kernel.step()).graph();
            for (Model.Step s : model.steps.subList(kernel.number() + 1, model.steps.size())) {
                Provenance p = model.dump.provenance(s.step());
                if (p.graph() != graph) continue;
                for (Provenance.Part part : p.parts())
                    for (Provenance.Access a : part.accesses())
                        if (a.written() && Key.of(a).equals(k)) return true;
            }
            return false;
        }

        private Node build(Node n) {
            Node known = built.get(n);
            if (known != null) return known;
            Integer argument =
                    n.op() instanceof Project p ? read.get(new Key(n.input(0), p.index())) : read.get(new Key(n, 0));
            Node made;
            if (argument != null && n.types().size() == 1) made = inputs.get(argument);
            else if (n.op() instanceof Input in) made = argument(n.type(), in.scalar(), operand(new Key(n, 0)));
            else made = new Node(n.op(), n.inputs().stream().map(this::build).toList(), n.types(), n.origin());
            built.put(n, made);
            return made;
        }

        // ---- the plan

        private Plan plan(Graph graph) {
            List<Plan.Step> launches = new ArrayList<>();
            for (Plan.Step s : steps) launches.add(moved(s));
            List<Boolean> scalars =
                    inputs.stream().map(n -> ((Input) n.op()).scalar()).toList();
            List<Type> results = graph.outputs().stream().map(Node::type).toList();
            List<Place> places = new ArrayList<>();
            for (int i = 0; i < results.size(); i++) places.add(new Place.Result(i));
            List<Type> arguments = inputs.stream().map(Node::type).toList();
            return new Plan(
                    graph,
                    arguments,
                    scalars,
                    results,
                    places,
                    launches,
                    0,
                    model.dump.plan().sites());
        }

        private Place place(Key k) {
            int result = 0;
            for (Key w : written) {
                if (w.equals(k)) return new Place.Result(result);
                result++;
            }
            return new Place.Argument(read.get(k));
        }

        private Plan.Step moved(Plan.Step s) {
            Provenance p = model.dump.provenance(s);
            return switch (s) {
                case Plan.Launch l -> {
                    List<List<SlotValue>> segments = new ArrayList<>();
                    for (int i = 0; i < l.segments().size(); i++)
                        segments.add(moved(l.segments().get(i), p.parts().get(i), p.graph()));
                    yield new Plan.Launch(l.kernel(), segments);
                }
                case Plan.LibraryCall c -> {
                    Map<Place, Place> to = new HashMap<>();
                    for (Provenance.Access a : p.parts().getFirst().accesses()) to.put(a.place(), place(Key.of(a)));
                    List<Place> in = c.in().stream().map(to::get).toList();
                    List<Place> out = c.out().stream().map(to::get).toList();
                    yield new Plan.LibraryCall(c.op(), c.inTypes(), in, c.outTypes(), out);
                }
                case Plan.Copy _, Plan.Repeat _ -> throw new IllegalStateException("no kernel: " + s);
            };
        }

        private List<SlotValue> moved(List<SlotValue> block, Provenance.Part part, Graph graph) {
            List<SlotValue> out = new ArrayList<>(block);
            for (int slot = 0; slot < out.size(); slot++) {
                if (!(out.get(slot) instanceof SlotValue.ScalarArgument a)) continue;
                Node scalar = build(graph.inputs().get(a.index()));
                out.set(slot, new SlotValue.ScalarArgument(((Input) scalar.op()).number()));
            }
            for (Provenance.Access a : part.accesses()) out.set(a.slot(), new SlotValue.Address(place(Key.of(a))));
            return out;
        }
    }
}
