// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The gradient of a {@link Loop}: a loop over its steps from the last to the first, whose carried values are the gradients of the loop's carried
 * values.
 *
 * <p>Its body is the vector-Jacobian product of the loop's body, taken once, symbolically. Whatever that reads of a step is read as a slice:
 * operands' slices, histories of carried values, and values of the body that are kept as further outputs of the loop ({@link #forward}); views and
 * constants are made again.
 *
 * <p>The gradient of an invariant is a sum over the steps. {@link StepSums} moves the sum out of the loop where it can: a weight's Σ xₜᵀ gₜ is one
 * product over all steps, after the loop.
 *
 * <p>Everything here depends on the loop and on which gradients are wanted and given, not on values: it is made once per loop.
 */
final class LoopGradient {
    /** What the reverse body reads of step t. */
    sealed interface Source {
        /** Carried value {@code index} as the step was given it. */
        record Given(int index) implements Source {}

        /** Carried value {@code index} as the step gave it. */
        record Gave(int index) implements Source {}

        /** The loop's slice {@code index}. */
        record Slice(int index) implements Source {}

        /** A value of the loop's body. */
        record Inside(Node value) implements Source {}

        /** Gradient of the history of carried value {@code index}, of what the step gave. */
        record OfHistory(int index) implements Source {}

        /** Gradient of output {@code index} of the step. */
        record OfOutput(int index) implements Source {}
    }

    private final Loop loop;
    private final boolean[] needs;
    private final boolean[] flows;

    /** Forward values of the body in the joint graph, and which node of the body they are. */
    private final Map<Node, Node> inside = new IdentityHashMap<>();
    /** Inputs of the joint graph that are slices of the reverse loop. */
    private final Map<Node, Source> inputs = new IdentityHashMap<>();
    /** Inputs of the joint graph that are the loop's invariants. */
    private final Map<Node, Integer> invariants = new IdentityHashMap<>();
    /** Inputs of the joint graph that are the gradients carried backwards, by carried value. */
    private final Map<Integer, Node> carriedGradients = new LinkedHashMap<>();
    /** All nodes of the joint graph, in order. */
    private final List<Node> nodes = new ArrayList<>();

    /** For each operand of the loop its gradient in one step, or null. */
    private final List<Node> stepGradients;

    private final Map<Integer, StepSums.Sum> sums = new LinkedHashMap<>();
    private final StepSums stepSums;
    private final List<Source> slices = new ArrayList<>();
    private final List<Integer> read = new ArrayList<>();
    private final Loop forward;
    /** The reverse loop; null if no gradient flows anywhere. */
    private final Loop backward;

    LoopGradient(Loop loop, boolean[] needs, boolean[] flows) {
        this.loop = loop;
        this.needs = needs;
        this.flows = flows;
        stepGradients = differentiate();
        stepSums = new StepSums(this::source);
        for (int s = 0; s < loop.sliced(); s++) {
            Node g = stepGradients.get(loop.carried() + s);
            if (g != null) stepSums.addOutput(g);
        }
        int first = loop.carried() + loop.sliced();
        for (int i = first; i < needs.length; i++)
            if (stepGradients.get(i) != null) stepSums.factors(stepGradients.get(i));
        for (int i = first; i < needs.length; i++) {
            if (stepGradients.get(i) != null) sums.put(i, stepSums.of(stepGradients.get(i)));
        }
        Graph body = body();
        forward = withReads();
        int count = carriedGradients.size() + stepSums.accumulated().size();
        backward = body == null ? null : new Loop(body, loop.steps(), count, slices.size(), Set.of(), !loop.reverse());
    }

    /** The loop with all that this gradient reads among its results. */
    Loop forward() {
        return forward;
    }

    // ---- the body's gradient

    /** Records what is emitted; the body's own nodes first. */
    private final class Joint implements Emitter<Node> {
        private final GraphBuilder builder = new GraphBuilder();
        private final List<Node> own = loop.body().nodes().stream()
                .filter(n -> !(n.op() instanceof Project))
                .toList();
        private final Map<Node, List<Node>> results = new IdentityHashMap<>();
        private int emitted;

        @Override
        public List<Node> emit(Op op, List<Node> operands) {
            List<Node> made = builder.emit(op, operands);
            if (made.size() > 1) nodes.add(made.getFirst().input(0));
            nodes.addAll(made);
            if (emitted < own.size()) results.put(own.get(emitted++), made);
            return made;
        }

        @Override
        public Type type(Node value) {
            return value.type();
        }

        void nameInside() {
            for (Node n : loop.body().nodes()) {
                if (n.op() instanceof Project p)
                    inside.put(results.get(n.input(0)).get(p.index()), n);
                else if (n.types().size() == 1) inside.put(results.get(n).getFirst(), n);
            }
        }
    }

    /** The body as a function of any values. */
    private record Body(Graph graph) implements Vjp.Function {
        @Override
        public <V> List<V> apply(Emitter<V> e, List<V> in) {
            return Replay.apply(e, graph, in);
        }
    }

    private List<Node> differentiate() {
        Joint joint = new Joint();
        List<Node> in = new ArrayList<>();
        for (int i = 0; i < needs.length; i++) {
            Node n = joint.builder.input(loop.input(i));
            in.add(n);
            if (i < loop.carried()) inputs.put(n, new Source.Given(i));
            else if (i < loop.carried() + loop.sliced()) inputs.put(n, new Source.Slice(i - loop.carried()));
            else invariants.put(n, i);
        }
        List<Node> given = new ArrayList<>();
        for (int k = 0; k < flows.length; k++) {
            Type t = loop.body().outputs().get(k).type();
            Node g = null;
            if (k < loop.carried() && t.dtype().isFloat()) {
                g = joint.builder.input(t);
                carriedGradients.put(k, g);
            }
            if (flows[k]
                    && t.dtype().isFloat()
                    && (k >= loop.carried() || loop.kept().contains(k))) {
                Node more = joint.builder.input(t);
                inputs.put(
                        more, k < loop.carried() ? new Source.OfHistory(k) : new Source.OfOutput(k - loop.carried()));
                // Added below, once the body's own nodes are there.
                g = g == null ? more : sum(joint, g, more);
            }
            given.add(g);
        }
        List<Node> gradients =
                Vjp.gradient(joint, new Body(loop.body()), in, given, i -> needs[i] || i < loop.carried());
        joint.nameInside();
        List<Node> all = new ArrayList<>(gradients);
        for (int i : carriedGradients.keySet()) {
            if (all.get(i) == null) all.set(i, joint.zerosLike(in.get(i)));
        }
        return all;
    }

    /** {@code a + b}, emitted before the body and so not one of its nodes. */
    private Node sum(Joint joint, Node a, Node b) {
        Node n = joint.builder.add(a, b);
        nodes.add(n);
        return n;
    }

    /** Where the reverse loop has {@code n} from, if it is read as a slice rather than computed; else null. */
    private Source source(Node n) {
        Source s = inputs.get(n);
        if (s != null) return s;
        Node own = inside.get(n);
        if (own == null || own.op() instanceof View || own.op() instanceof Leaf) return null;
        int next = loop.body().outputs().subList(0, loop.carried()).indexOf(own);
        return next >= 0 ? new Source.Gave(next) : new Source.Inside(own);
    }

    // ---- the reverse body

    private Graph body() {
        List<Node> results = new ArrayList<>();
        for (int i : carriedGradients.keySet()) results.add(stepGradients.get(i));
        for (Node n : stepSums.accumulated()) results.add(n);
        results.addAll(stepSums.outputs());
        if (results.isEmpty()) return null;
        // What the results need, down to what is read.
        Set<Node> needed = Collections.newSetFromMap(new IdentityHashMap<>());
        needed.addAll(results);
        for (Node n : nodes.reversed()) if (needed.contains(n) && source(n) == null) needed.addAll(n.inputs());
        List<Node> reads = new ArrayList<>();
        for (Node n : needed) if (source(n) != null) reads.add(n);
        Map<Node, Integer> place = new IdentityHashMap<>();
        for (Node n : inputs.keySet()) place.put(n, number(inputs.get(n)));
        for (int i = 0; i < nodes.size(); i++) place.put(nodes.get(i), 1_000_000 + i);
        reads.sort(java.util.Comparator.comparingInt(place::get));

        GraphBuilder b = new GraphBuilder();
        Map<Node, Node> now = new IdentityHashMap<>();
        for (Node g : carriedGradients.values()) now.put(g, b.input(g.type()));
        List<Node> accumulators = new ArrayList<>();
        for (Node n : stepSums.accumulated()) accumulators.add(b.input(StepSums.accumulator(n.type())));
        for (Node n : reads) {
            slices.add(source(n));
            now.put(n, b.input(n.type()));
        }
        List<Node> weights = new ArrayList<>(invariants.keySet());
        weights.sort(java.util.Comparator.comparing(invariants::get));
        for (Node w : weights) {
            if (!needed.contains(w)) continue;
            read.add(invariants.get(w));
            now.put(w, b.input(w.type()));
        }
        for (Node n : nodes) {
            if (!needed.contains(n) || now.containsKey(n)) continue;
            now.put(n, new Node(n.op(), n.inputs().stream().map(now::get).toList(), n.types(), -1));
        }
        List<Node> outs = new ArrayList<>();
        int c = carriedGradients.size();
        for (int i = 0; i < results.size(); i++) {
            Node r = now.get(results.get(i));
            int a = i - c;
            boolean adds = a >= 0 && a < accumulators.size();
            outs.add(
                    adds
                            ? b.add(
                                    accumulators.get(a),
                                    b.cast(r, accumulators.get(a).dtype()))
                            : r);
        }
        return b.build(outs.toArray(Node[]::new));
    }

    private static int number(Source s) {
        return switch (s) {
            case Source.Given g -> g.index();
            case Source.Slice x -> 1_000 + x.index();
            case Source.OfHistory g -> 2_000 + g.index();
            case Source.OfOutput g -> 3_000 + g.index();
            case Source.Gave _, Source.Inside _ -> throw new IllegalStateException("no input: " + s);
        };
    }

    /** The loop with what is read of it and missing among its results. */
    private Loop withReads() {
        Loop l = loop;
        Set<Integer> kept = new TreeSet<>(l.kept());
        List<Node> outs = new ArrayList<>(l.body().outputs());
        List<Source> all = new ArrayList<>(slices);
        all.addAll(stepSums.read());
        for (Source s : all) {
            if (s instanceof Source.Given g) kept.add(g.index());
            if (s instanceof Source.Gave g) kept.add(g.index());
            if (s instanceof Source.Inside v && output(outs, v.value()) < 0) outs.add(v.value());
        }
        if (kept.equals(l.kept()) && outs.size() == l.body().outputs().size()) return l;
        Graph body = Graph.of(l.body().inputs(), outs, Collections.nCopies(outs.size(), -1));
        return new Loop(body, l.steps(), l.carried(), l.sliced(), kept, l.reverse());
    }

    /** Which output of a step the value is; -1 if it is none. */
    private int output(List<Node> outs, Node value) {
        for (int k = loop.carried(); k < outs.size(); k++) if (outs.get(k) == value) return k;
        return -1;
    }

    // ---- the call

    <V> List<V> apply(GradCall<V> call) {
        List<V> gradients = new ArrayList<>(Collections.nCopies(needs.length, null));
        if (backward == null) return gradients;
        Emitter<V> e = call.e();
        List<V> again = forward == loop ? null : e.emit(forward, call.inputs());
        Sequences<V> sequences = source -> sequence(call, again, source);
        List<V> operands = new ArrayList<>();
        for (int i : carriedGradients.keySet()) {
            boolean begins = flows[i] && !loop.kept().contains(i);
            operands.add(begins ? call.grad(i) : zeros(e, loop.input(i)));
        }
        for (Node n : stepSums.accumulated()) operands.add(zeros(e, StepSums.accumulator(n.type())));
        for (Source s : slices) operands.add(sequences.of(s));
        for (int i : read) operands.add(call.in(i));
        List<V> results = e.emit(backward, operands);

        int at = 0;
        for (int i : carriedGradients.keySet()) {
            V g = results.get(at++);
            if (!needs[i]) continue;
            if (flows[i] && loop.kept().contains(i)) {
                g = e.add(g, loop.element(e, call.grad(i), loop.reverse() ? loop.steps() : 0));
            }
            gradients.set(i, g);
        }
        int accumulated = at;
        int first = at + stepSums.accumulated().size();
        for (int s = 0; s < loop.sliced(); s++) {
            Node g = stepGradients.get(loop.carried() + s);
            if (g != null && needs[loop.carried() + s])
                gradients.set(
                        loop.carried() + s,
                        results.get(first + stepSums.outputs().indexOf(g)));
        }
        StepSums.Outside<V> outside = new StepSums.Outside<>(
                e,
                loop.steps(),
                sequences,
                n -> results.get(first + stepSums.outputs().indexOf(n)),
                n -> results.get(accumulated + stepSums.accumulated().indexOf(n)));
        sums.forEach((i, sum) -> {
            if (needs[i])
                gradients.set(i, e.cast(outside.value(sum), loop.input(i).dtype()));
        });
        return gradients;
    }

    /** Gives what a source was at all steps, [steps, …]. */
    @FunctionalInterface
    interface Sequences<V> {
        V of(Source source);
    }

    private <V> V sequence(GradCall<V> call, List<V> again, Source source) {
        Emitter<V> e = call.e();
        return switch (source) {
            case Source.Given g -> loop.elements(e, history(call, again, g.index()), loop.reverse() ? 1 : 0);
            case Source.Gave g -> loop.elements(e, history(call, again, g.index()), loop.reverse() ? 0 : 1);
            case Source.Slice s -> call.in(loop.carried() + s.index());
            case Source.Inside v -> {
                int k = output(forward.body().outputs(), v.value());
                yield again == null ? call.out(k) : again.get(k);
            }
            case Source.OfHistory g -> loop.elements(e, call.grad(g.index()), loop.reverse() ? 0 : 1);
            case Source.OfOutput g -> call.grad(loop.carried() + g.index());
        };
    }

    private static <V> V history(GradCall<V> call, List<V> again, int carried) {
        return again == null ? call.out(carried) : again.get(carried);
    }

    private static <V> V zeros(Emitter<V> e, Type type) {
        V zero = e.emit(Constant.of(type.dtype(), 0), List.of()).getFirst();
        return e.expand(zero, type.shape());
    }
}
