// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.lower;

import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.loop.Coef;
import io.sinter.ir.loop.Expr;
import io.sinter.ir.loop.Index;
import io.sinter.ir.loop.LoopKernel;
import io.sinter.ir.loop.Rewriter;
import io.sinter.ir.loop.Stmt;
import io.sinter.ir.lower.Lowering.Draft;
import io.sinter.ir.lower.Lowering.LaunchDraft;
import io.sinter.ir.lower.Lowering.LibraryDraft;
import io.sinter.ir.lower.Params.BufferKey;
import io.sinter.ir.op.Input;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.plan.Plan.Place;
import io.sinter.ir.plan.Plan.SlotValue;
import io.sinter.ir.plan.Provenance;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Gives every value a place: arguments and results have buffers of their own, everything else shares one arena by lifetime (first fit). A donated
 * result is written straight into its argument's buffer where nobody reads that afterwards, else through a temporary and a copy at the end.
 */
final class Placement {
    private static final long ALIGN = 64;

    private final Graph graph;
    private final List<Draft> drafts;
    private final Function<Node, BufferKey> key;
    private final List<Plan.Site> sites;
    private final CompilerWatch watch;
    private final Map<BufferKey, Place> places = new HashMap<>();
    /** Copies before the first step: old values of arguments that will be overwritten. */
    private final List<Plan.Copy> early = new ArrayList<>();
    /** Results that are such an old value and go into another argument, with that argument: two parameters changing places. */
    private final List<int[]> swaps = new ArrayList<>();
    /** Memory of drafts that need some while they run. */
    private final Map<Draft, Place.Temp> arenas = new IdentityHashMap<>();
    /** Copies after the last step. */
    private final List<Plan.Copy> copies = new ArrayList<>();

    /** The draft that first writes a value. */
    private final Map<BufferKey, Integer> firstWriter = new HashMap<>();
    /** The drafts that read a value, in order. */
    private final Map<BufferKey, List<Integer>> readers = new HashMap<>();
    /** What kernels load: a launch that updates all parameters is looked at once for each of them. */
    private final Map<LoopKernel, List<Expr.Load>> loads = new IdentityHashMap<>();

    private long arenaBytes;

    Placement(
            Graph graph,
            List<Draft> drafts,
            Function<Node, BufferKey> key,
            List<Plan.Site> sites,
            CompilerWatch watch) {
        this.graph = graph;
        this.drafts = new ArrayList<>(drafts);
        this.key = key;
        this.sites = sites;
        this.watch = watch;
        for (int i = 0; i < this.drafts.size(); i++) {
            for (BufferKey k : this.drafts.get(i).writes()) firstWriter.putIfAbsent(k, i);
            for (BufferKey k : this.drafts.get(i).reads())
                readers.computeIfAbsent(k, _ -> new ArrayList<>()).add(i);
        }
    }

    Plan plan() {
        for (Node in : graph.inputs()) places.put(new BufferKey(in, 0), new Place.Argument(((Input) in.op()).number()));
        List<Place> results = new ArrayList<>();
        List<int[]> late = new ArrayList<>();
        for (int k = 0; k < graph.outputs().size(); k++) results.add(result(k, late));
        temporaries();
        List<Plan.Step> steps = new ArrayList<>(early);
        for (int[] s : swaps) {
            Node o = graph.outputs().get(s[0]);
            Place.Temp old = new Place.Temp(arenaBytes, o.type().bytes());
            arenaBytes += size(old.bytes());
            steps.add(new Plan.Copy(places.get(key.apply(o)), old, old.bytes()));
            copies.add(new Plan.Copy(old, new Place.Argument(s[1]), old.bytes()));
        }
        for (int[] l : late) {
            Node o = graph.outputs().get(l[0]);
            copies.add(new Plan.Copy(
                    places.get(key.apply(o)), new Place.Argument(l[1]), o.type().bytes()));
        }
        for (Draft d : drafts) {
            List<Plan.Step> made = steps(d);
            steps.addAll(made);
            if (watch != CompilerWatch.NONE) tell(d, made);
        }
        steps.addAll(copies);
        List<Type> argTypes = new ArrayList<>();
        List<Boolean> scalars = new ArrayList<>();
        for (Node in : graph.inputs()) {
            argTypes.add(in.type());
            scalars.add(((Input) in.op()).scalar());
        }
        return new Plan(
                graph,
                argTypes,
                scalars,
                graph.outputs().stream().map(Node::type).toList(),
                results,
                steps,
                arenaBytes,
                List.copyOf(sites));
    }

    /** Where result {@code k} is; {@code late} gets those that are copied into their argument at the end. */
    private Place result(int k, List<int[]> late) {
        Node o = graph.outputs().get(k);
        BufferKey value = key.apply(o);
        int donated = graph.donations().get(k);
        Place known = places.get(value);
        if (isOverwritten(value, donated)) {
            if (donated >= 0) {
                swaps.add(new int[] {k, donated});
                return new Place.Argument(donated);
            }
            early.add(new Plan.Copy(known, new Place.Result(k), o.type().bytes()));
            return new Place.Result(k);
        }
        if (donated >= 0) {
            Place argument = new Place.Argument(donated);
            if (argument.equals(known)) return argument;
            if (known == null
                    && mayOverwrite(value, new BufferKey(graph.inputs().get(donated), 0))) places.put(value, argument);
            else late.add(new int[] {k, donated});
            return argument;
        }
        Place fresh = new Place.Result(k);
        if (known instanceof Place.Argument && !Lowering.isArgument(value)) {
            // State, which the next run overwrites; this result must stay what it is.
            copies.add(new Plan.Copy(known, fresh, o.type().bytes()));
            return fresh;
        }
        if (known != null) return known;
        places.put(value, fresh);
        return fresh;
    }

    /** The value is an argument that some result takes the memory of, other than by staying what it is. */
    private boolean isOverwritten(BufferKey value, int donated) {
        if (!Lowering.isArgument(value)) return false;
        int number = ((Input) value.node().op()).number();
        if (number == donated) return false;
        for (int j = 0; j < graph.outputs().size(); j++) {
            if (graph.donations().get(j) == number
                    && !key.apply(graph.outputs().get(j)).equals(value)) return true;
        }
        return false;
    }

    /** The value may be written into the argument's buffer: all that read the argument do so earlier, or at the very element being written. */
    private boolean mayOverwrite(BufferKey value, BufferKey argument) {
        if (bytes(value) == 0) return true;
        Integer writer = firstWriter.get(value);
        if (writer == null) return false;
        for (int i : readers.getOrDefault(argument, List.of())) {
            if (i < writer) continue;
            if (i != writer
                    || !(drafts.get(i) instanceof LaunchDraft l)
                    || !l.inPlace()
                    || !sameElements(l, value, argument)) return false;
        }
        return true;
    }

    /** In the block that writes {@code value}, every load of {@code argument} is at the index of the store; no other block loads it. */
    private boolean sameElements(LaunchDraft l, BufferKey value, BufferKey argument) {
        if (!(l.kernel() instanceof LoopKernel k)) return false;
        for (Params p : l.blocks()) {
            boolean reads = p.inputs().containsKey(argument);
            if (!p.outputs().containsKey(value)) {
                if (reads) return false;
                continue;
            }
            if (!reads) continue;
            // Blocks of one launch share the first block's code; their slots are numbered alike.
            int in = p.inputs().get(argument).slot();
            int out = p.outputs().get(value).slot();
            List<Index> stores = new ArrayList<>();
            storeIndices(k.body(), out, stores);
            for (Expr.Load load : loads.computeIfAbsent(k, Placement::loads)) {
                if (load.buffer().slot() != in) continue;
                if (stores.size() != 1 || !same(stores.getFirst(), load.index(), p)) return false;
            }
        }
        return true;
    }

    private static List<Expr.Load> loads(LoopKernel kernel) {
        List<Expr.Load> all = new ArrayList<>();
        new Rewriter() {
            @Override
            protected void visit(Expr.Load load) {
                all.add(load);
            }
        }.stmts(kernel.body());
        return all;
    }

    /** The same index: strides are parameters, which may be different slots that hold one number. */
    private static boolean same(Index a, Index b, Params p) {
        if (a.terms().size() != b.terms().size() || number(a.offset(), p) != number(b.offset(), p)) return false;
        for (int i = 0; i < a.terms().size(); i++) {
            Index.Term s = a.terms().get(i);
            Index.Term t = b.terms().get(i);
            if (number(s.coef(), p) != number(t.coef(), p) || !same(s.atom(), t.atom(), p)) return false;
        }
        return true;
    }

    private static boolean same(Index.Atom a, Index.Atom b, Params p) {
        return switch (a) {
            case Index.VarAtom v -> v.equals(b);
            case Index.DataAtom d -> d.equals(b);
            case Index.DivAtom d ->
                b instanceof Index.DivAtom o && number(d.by(), p) == number(o.by(), p) && same(d.a(), o.a(), p);
            case Index.ModAtom m ->
                b instanceof Index.ModAtom o && number(m.by(), p) == number(o.by(), p) && same(m.a(), o.a(), p);
        };
    }

    private static long number(Coef c, Params p) {
        return switch (c) {
            case Coef.Lit l -> l.value();
            case Coef.Slot s ->
                p.slots().get(s.slot()) instanceof Params.Content.Fixed(SlotValue.Number(long value))
                        ? value
                        : illegal(s);
        };
    }

    private static long illegal(Coef.Slot s) {
        throw new IllegalStateException("slot " + s.slot() + " of an index holds no number");
    }

    private static void storeIndices(List<Stmt> body, int slot, List<Index> out) {
        for (Stmt s : body) {
            switch (s) {
                case Stmt.Store st -> {
                    if (st.buffer().slot() == slot) out.add(st.index());
                }
                case Stmt.Loop l -> storeIndices(l.body(), slot, out);
                case Stmt.If f -> storeIndices(f.body(), slot, out);
                case Stmt.Let _, Stmt.Declare _, Stmt.Accumulate _, Stmt.Set _ -> {}
            }
        }
    }

    // ---- temporaries

    private void temporaries() {
        Map<BufferKey, Integer> lastUse = new HashMap<>();
        for (int i = 0; i < drafts.size(); i++) {
            for (BufferKey k : drafts.get(i).reads()) lastUse.put(k, i);
            for (BufferKey k : drafts.get(i).writes()) lastUse.put(k, i);
        }
        // What is copied out at the end lives to the end.
        for (int k = 0; k < graph.outputs().size(); k++)
            lastUse.computeIfPresent(key.apply(graph.outputs().get(k)), (_, _) -> drafts.size());
        TreeMap<Long, Long> free = new TreeMap<>();
        Map<Integer, List<Place.Temp>> ending = new HashMap<>();
        for (int i = 0; i < drafts.size(); i++) {
            // No step writes an empty value, but some may name it as an operand.
            for (BufferKey k : drafts.get(i).reads()) if (bytes(k) == 0) places.putIfAbsent(k, new Place.Temp(0, 0));
            for (BufferKey k : drafts.get(i).writes()) {
                if (places.containsKey(k)) continue;
                Place.Temp t = allocate(free, bytes(k));
                places.put(k, t);
                ending.computeIfAbsent(lastUse.get(k), _ -> new ArrayList<>()).add(t);
            }
            if (drafts.get(i).arenaBytes() > 0) {
                Place.Temp own = allocate(free, drafts.get(i).arenaBytes());
                arenas.put(drafts.get(i), own);
                release(free, own);
            }
            for (Place.Temp t : ending.getOrDefault(i, List.of())) release(free, t);
        }
    }

    private static long bytes(BufferKey k) {
        return k.node().types().get(k.index()).bytes();
    }

    private static long size(long bytes) {
        return Math.max(ALIGN, (bytes + ALIGN - 1) / ALIGN * ALIGN);
    }

    private Place.Temp allocate(TreeMap<Long, Long> free, long bytes) {
        long size = size(bytes);
        for (Map.Entry<Long, Long> e : free.entrySet()) {
            if (e.getValue() < size) continue;
            long at = e.getKey();
            long rest = e.getValue() - size;
            free.remove(at);
            if (rest > 0) free.put(at + size, rest);
            return new Place.Temp(at, bytes);
        }
        // Grow, swallowing a free piece at the end.
        long at = arenaBytes;
        Map.Entry<Long, Long> end = free.lastEntry();
        if (end != null && end.getKey() + end.getValue() == arenaBytes) {
            at = end.getKey();
            free.remove(at);
        }
        arenaBytes = at + size;
        return new Place.Temp(at, bytes);
    }

    private static void release(TreeMap<Long, Long> free, Place.Temp t) {
        long at = t.offset();
        long size = size(t.bytes());
        Map.Entry<Long, Long> before = free.lowerEntry(at);
        if (before != null && before.getKey() + before.getValue() == at) {
            free.remove(before.getKey());
            at = before.getKey();
            size += before.getValue();
        }
        Long after = free.remove(at + size);
        free.put(at, size + (after == null ? 0 : after));
    }

    // ---- steps

    private List<Plan.Step> steps(Draft d) {
        return switch (d) {
            case LaunchDraft l -> {
                List<List<SlotValue>> segments = new ArrayList<>();
                for (Params p : l.blocks())
                    segments.add(p.slots().stream().map(this::slot).toList());
                yield List.of(new Plan.Launch(l.kernel(), segments));
            }
            case LibraryDraft l -> {
                Node n = l.node();
                List<Place> out = new ArrayList<>();
                for (int i = 0; i < n.types().size(); i++) out.add(places.get(new BufferKey(n, i)));
                yield List.of(new Plan.LibraryCall(
                        n.op(),
                        n.inputs().stream().map(Node::type).toList(),
                        l.in().stream().map(places::get).toList(),
                        n.types(),
                        out));
            }
            case RepeatDraft r -> r.steps(places::get, arenas.get(r));
        };
    }

    /** Of the steps of a draft (copies stand beside a loop) the one that computes. */
    private void tell(Draft d, List<Plan.Step> made) {
        for (Plan.Step s : made) {
            if (s instanceof Plan.Copy) continue;
            List<Provenance.Part> parts =
                    switch (d) {
                        case LaunchDraft l ->
                            l.blocks().stream().map(this::part).toList();
                        case LibraryDraft l -> List.of(part(l.node(), d));
                        case RepeatDraft r -> List.of(part(r.node(), d));
                    };
            watch.step(new Provenance(graph, s, parts));
        }
    }

    private Provenance.Part part(Params p) {
        List<Provenance.Access> accesses = new ArrayList<>();
        p.inputs().forEach((k, b) -> accesses.add(access(k, b.slot(), false)));
        p.outputs().forEach((k, b) -> accesses.add(access(k, b.slot(), true)));
        return new Provenance.Part(p.members(), accesses);
    }

    private Provenance.Part part(Node member, Draft d) {
        List<Provenance.Access> accesses = new ArrayList<>();
        for (BufferKey k : d.reads()) accesses.add(access(k, -1, false));
        for (BufferKey k : d.writes()) accesses.add(access(k, -1, true));
        return new Provenance.Part(List.of(member), accesses);
    }

    private Provenance.Access access(BufferKey k, int slot, boolean written) {
        return new Provenance.Access(k.node(), k.index(), places.get(k), slot, written);
    }

    private SlotValue slot(Params.Content c) {
        return switch (c) {
            case Params.Content.Fixed f -> f.value();
            case Params.Content.Memory m -> {
                Place p = places.get(m.value());
                if (p == null)
                    throw new IllegalStateException(m.value().node().op().name() + " was never computed");
                yield new SlotValue.Address(p);
            }
        };
    }
}
