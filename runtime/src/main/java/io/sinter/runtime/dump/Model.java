// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime.dump;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.fuse.Group;
import io.sinter.ir.loop.AttentionKernel;
import io.sinter.ir.loop.GemmKernel;
import io.sinter.ir.loop.Kernel;
import io.sinter.ir.loop.KernelText;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.OpText;
import io.sinter.ir.op.Project;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Provenance;
import io.sinter.ir.plan.Work;
import io.sinter.ir.text.GraphPrinter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** A dumped program with names for everything: what all files of the dump say in their own ways. */
final class Model {
    /** A graph with named nodes: the program ({@code loop} empty), or the body of the loop of that name. */
    record Body(String loop, Graph graph) {}

    /** A node of the graph that was fused. {@code source} may be null; {@code kernels} are numbers. */
    record Item(String id, Node node, String op, List<String> inputs, Sources.Source source, List<Integer> kernels) {}

    /** A value in memory as a kernel sees it. */
    record Touched(String id, Type type, String place, boolean written) {}

    /**
     * A launch or a library call.
     *
     * @param number of the step among them, in program order, bodies of loops where their loop stands
     * @param file without folder and ending
     * @param code number of the first kernel of the same structure, whose code it shares
     * @param kernel null for a library call
     * @param times how often a run of the program runs it
     * @param bytes that one launch has to read and write, see {@link Work}
     * @param flops that it has to compute
     */
    record Step(
            int number,
            String name,
            String kind,
            String file,
            int code,
            Kernel kernel,
            Plan.Step step,
            String loop,
            long times,
            List<List<String>> members,
            List<Touched> touched,
            long bytes,
            long flops,
            List<Sources.Source> sources) {}

    /** A place where fusion said no; {@code into} is a kernel's number, or -1 if none came of the group. */
    record Refusal(String producer, int into, String reason) {}

    /** A value in memory, from the step that makes it to the last one that reads it. */
    record Lifetime(String id, Type type, String place, long bytes, long offset, int first, int last) {}

    /** Bytes of all arguments, of all fresh results, and of the arena. */
    record Memory(long arguments, long results, long arena) {
        long peak() {
            return arguments + results + arena;
        }
    }

    final ProgramDump dump;
    final List<Body> bodies = new ArrayList<>();
    final List<Item> items = new ArrayList<>();
    final List<Step> steps = new ArrayList<>();
    final Set<Refusal> refusals = new LinkedHashSet<>();
    final List<Lifetime> lifetimes = new ArrayList<>();
    final Map<Node, String> ids = new IdentityHashMap<>();
    private final Map<Node, Sources.Source> sourceOf = new IdentityHashMap<>();
    private final Map<Node, Set<Integer>> kernelsOf = new IdentityHashMap<>();

    Model(ProgramDump dump) {
        this.dump = dump;
        Graph graph = dump.stages().getLast().graph();
        name(new Body("", graph), null);
        if (dump.plan() == null) {
            items(graph);
            return;
        }
        Map<String, Integer> codes = new HashMap<>();
        walk(dump.plan(), "", 1, codes);
        for (Body b : bodies) items(b.graph);
        for (ProgramDump.Fused f : dump.fused()) refusals(f);
        lifetimes(dump.plan());
    }

    // ---- names and sources

    private void name(Body body, Sources.Source outer) {
        bodies.add(body);
        String prefix = body.loop.isEmpty() ? "" : body.loop + "/";
        GraphPrinter.names(body.graph).forEach((n, name) -> {
            ids.put(n, prefix + name);
            Sources.Source s = dump.sources().of(n);
            if (s == null) s = outer;
            if (s != null) sourceOf.put(n, s);
        });
        for (Node n : body.graph.nodes())
            if (n.op() instanceof io.sinter.ir.op.Loop loop) name(new Body(ids.get(n), loop.body()), sourceOf.get(n));
    }

    private void items(Graph g) {
        for (Node n : g.inputs()) item(n);
        for (Node n : g.nodes()) item(n);
    }

    private void item(Node n) {
        List<Integer> kernels = List.copyOf(kernelsOf.getOrDefault(n, Set.of()));
        List<String> inputs = n.inputs().stream().map(ids::get).toList();
        String op = n.op() instanceof Input i ? (i.scalar() ? "scalar" : "input") : n.op().name();
        items.add(new Item(ids.get(n), n, op, inputs, sourceOf.get(n), kernels));
    }

    /** Attributes of a node's operator as the text form has them, or the empty text. */
    static String attributes(Node n) {
        if (n.op() instanceof Input || n.op() instanceof io.sinter.ir.op.Loop) return "";
        if (n.op() instanceof Project p) return "{index=" + p.index() + "}";
        return OpText.attributes(n.op());
    }

    // ---- kernels

    private void walk(Plan plan, String loop, long times, Map<String, Integer> codes) {
        for (Plan.Step s : plan.steps()) {
            switch (s) {
                case Plan.Launch l -> add(plan, l.kernel(), l.kernel().name(), kind(l.kernel()), l, loop, times, codes);
                case Plan.LibraryCall c -> add(plan, null, c.op().name(), "library", c, loop, times, codes);
                case Plan.Repeat r -> {
                    Node n = dump.provenance(r).parts().getFirst().members().getFirst();
                    walk(r.body(), ids.get(n), times * r.steps(), codes);
                }
                case Plan.Copy _ -> {}
            }
        }
    }

    private static String kind(Kernel k) {
        return switch (k) {
            case LoopKernel _ -> "loop";
            case GemmKernel _ -> "gemm";
            case AttentionKernel _ -> "attention";
        };
    }

    private void add(
            Plan plan,
            Kernel kernel,
            String name,
            String kind,
            Plan.Step step,
            String loop,
            long times,
            Map<String, Integer> codes) {
        int number = steps.size();
        Provenance p = dump.provenance(step);
        // On a GPU the numbers of a launch choose the form of the code.
        boolean shares = kernel != null && dump.target().gpu() == null;
        Integer code = shares ? codes.putIfAbsent(KernelText.structure(kernel), number) : null;
        List<List<String>> members = new ArrayList<>();
        Map<List<Object>, Touched> touched = new LinkedHashMap<>();
        Set<Sources.Source> sources = new LinkedHashSet<>();
        Work work = Work.of(plan, step);
        for (Provenance.Part part : p.parts()) {
            members.add(part.members().stream().map(ids::get).toList());
            for (Node n : part.members()) {
                kernelsOf.computeIfAbsent(n, _ -> new LinkedHashSet<>()).add(number);
                if (sourceOf.containsKey(n)) sources.add(sourceOf.get(n));
            }
            for (Provenance.Access a : part.accesses()) {
                touched.put(
                        List.of(value(a), a.written()),
                        new Touched(value(a), a.node().types().get(a.result()), place(a.place()), a.written()));
            }
        }
        steps.add(new Step(
                number,
                name,
                kind,
                String.format(Locale.ROOT, "%02d-%s", number, fileName(name)),
                code == null ? number : code,
                kernel,
                step,
                loop,
                times,
                members,
                List.copyOf(touched.values()),
                work.bytes(),
                work.flops(),
                List.copyOf(sources)));
    }

    private static String fileName(String kernel) {
        return kernel.replaceAll("[^A-Za-z0-9_]", "_");
    }

    private String value(Provenance.Access a) {
        String id = ids.get(a.node());
        return a.node().types().size() == 1 ? id : id + "." + a.result();
    }

    static String place(Place p) {
        return switch (p) {
            case null -> "nowhere";
            case Place.Argument a -> "argument " + a.index();
            case Place.Result r -> "result " + r.index();
            case Place.Temp t -> "arena+" + t.offset();
            case Place.Part q -> place(q.of()) + "+" + q.offset();
        };
    }

    // ---- decisions

    private void refusals(ProgramDump.Fused f) {
        for (Fusion.Refusal r : f.result().refusals()) {
            int into = -1;
            Node reader =
                    r.into().members().isEmpty() ? null : r.into().members().getFirst();
            for (Group g : f.result().groups()) {
                // A group may have become part of another one since.
                if (g != r.into() && (reader == null || !g.contains(reader))) continue;
                into = numberOf(g);
                break;
            }
            // Kernels that became one later have met in the end.
            if (kernelsOf.getOrDefault(r.producer(), Set.of()).contains(into)) continue;
            refusals.add(new Refusal(ids.get(r.producer()), into, r.reason()));
        }
    }

    /** The number of the step that a group became: the one with all of its members; -1 for a loop. */
    private int numberOf(Group g) {
        Set<Integer> common = null;
        for (Node n : g.members()) {
            Set<Integer> k = kernelsOf.getOrDefault(n, Set.of());
            if (common == null) common = new LinkedHashSet<>(k);
            else common.retainAll(k);
        }
        return common == null || common.isEmpty() ? -1 : common.iterator().next();
    }

    // ---- memory

    /** Lifetimes in the program's own plan; a loop is one step, and what its body needs is in the loop's memory. */
    private void lifetimes(Plan plan) {
        Map<String, Lifetime> all = new LinkedHashMap<>();
        int at = 0;
        for (Plan.Step s : plan.steps()) {
            Provenance p = dump.provenance(s);
            if (p != null) {
                for (Provenance.Part part : p.parts()) for (Provenance.Access a : part.accesses()) lifetime(all, a, at);
            }
            if (s instanceof Plan.Repeat r && r.arena() instanceof Place.Temp t && t.bytes() > 0) {
                String id = ids.get(p.parts().getFirst().members().getFirst()) + " (loop's memory)";
                all.put(id, new Lifetime(id, null, place(t), t.bytes(), t.offset(), at, at));
            }
            at++;
        }
        lifetimes.addAll(all.values());
    }

    private void lifetime(Map<String, Lifetime> all, Provenance.Access a, int at) {
        Type type = a.node().types().get(a.result());
        boolean temporary = a.place() instanceof Place.Temp;
        boolean fromStart = a.node().op() instanceof Input;
        int end = dump.plan().steps().size() - 1;
        String id = value(a);
        Lifetime known = all.get(id);
        int first = known != null ? known.first : fromStart ? 0 : at;
        int last = temporary ? at : end;
        long offset = a.place() instanceof Place.Temp t ? t.offset() : -1;
        all.put(id, new Lifetime(id, type, place(a.place()), type.bytes(), offset, first, last));
    }

    Memory memory() {
        Plan plan = dump.plan();
        long arguments = 0;
        long results = 0;
        for (int i = 0; i < plan.argTypes().size(); i++)
            if (!plan.scalarArgs().get(i)) arguments += plan.argTypes().get(i).bytes();
        for (int i = 0; i < plan.resultTypes().size(); i++) {
            if (plan.resultPlaces().get(i) instanceof Place.Result r && r.index() == i)
                results += plan.resultTypes().get(i).bytes();
        }
        return new Memory(arguments, results, plan.arenaBytes());
    }
}
