// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.OpException;
import io.sinter.ir.op.Loop;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Loops in the compiled program, by {@link F#scan}: the step is traced once, and run for every element of the sequences without going back to
 * Java. It takes the state and the sequences' elements of one step, and gives the next state and outputs:
 *
 * <pre>{@code
 * // A running average, and all of its values.
 * Scan.Result r = F.scan(List.of(start), List.of(x), (state, now) -> {
 *     Tensor mean = state.get(0).mul(0.9).add(now.get(0).mul(0.1));
 *     return Scan.next(List.of(mean), List.of(mean));
 * });
 * }</pre>
 *
 * <p>Tensors from outside may be used in the step (weights). They are the same at every step, and gradients flow to them. In the step nothing can
 * be read, drawn or written outside; {@code if}s on Java values decide for all steps.
 */
public final class Scan {
    private Scan() {}

    /** One step of a loop. */
    @FunctionalInterface
    public interface Step {
        /**
         * @param state the state before the step
         * @param slices the step's element of each sequence, without the sequence's first axis
         */
        Next apply(List<Tensor> state, List<Tensor> slices);
    }

    /**
     * What a step gives.
     *
     * @param state the state after the step, of the types of the state before it
     * @param outputs what is wanted of every step
     */
    public record Next(List<Tensor> state, List<Tensor> outputs) {}

    /**
     * What a loop gives.
     *
     * @param state the state after the last step
     * @param outputs [steps, …] each, in the order of the sequences
     */
    public record Result(List<Tensor> state, List<Tensor> outputs) {}

    /** What a step gives. */
    public static Next next(List<Tensor> state, List<Tensor> outputs) {
        return new Next(state, outputs);
    }

    static Result run(List<Tensor> state, List<Tensor> sequences, boolean reverse, Step step) {
        long steps = steps(sequences);
        Trace t = Trace.current();
        t.calls++;
        Result r;
        try {
            r = trace(t, steps, state, sequences, reverse, step);
        } finally {
            t.calls--;
        }
        if (t.calls == 0 && t.depth == 0) {
            for (Tensor x : r.state) x.value().flags |= Value.TOP;
            for (Tensor x : r.outputs) x.value().flags |= Value.TOP;
        }
        return r;
    }

    private static long steps(List<Tensor> sequences) {
        if (sequences.isEmpty()) throw Errors.argument("scan: no sequence; the first axis of one says how many steps");
        for (Tensor x : sequences) {
            if (x.rank() == 0) throw Errors.argument("scan", x, "a sequence has a first axis, of the steps");
            if (x.size(0) != sequences.getFirst().size(0)) {
                throw Errors.argument(
                        "scan",
                        sequences.stream().map(Tensor::type).toList(),
                        "sequences of " + sequences.getFirst().size(0) + " and " + x.size(0)
                                + " steps; they need one length");
            }
        }
        return sequences.getFirst().size(0);
    }

    private static Result trace(
            Trace t, long steps, List<Tensor> state, List<Tensor> sequences, boolean reverse, Step step) {
        LoopBody body = new LoopBody(t);
        List<Tensor> given = state.stream().map(x -> body.argument(x.type())).toList();
        List<Tensor> slices = sequences.stream()
                .map(x -> body.argument(x.type().with(x.type().shape().without(0))))
                .toList();
        Next next = body.trace(() -> step.apply(given, slices));
        if (next.state.size() != state.size()) {
            throw Errors.argument("scan: the step was given a state of " + state.size() + " tensors and gives "
                    + next.state.size() + "; it must give as many");
        }
        List<Value> states = body.values(next.state);
        List<Value> wanted = body.values(next.outputs);
        // What is an output and the next state is read from the state's history.
        Set<Integer> kept = new TreeSet<>();
        List<Value> roots = new ArrayList<>(states);
        for (Value v : wanted) {
            if (states.contains(v)) kept.add(states.indexOf(v));
            else if (!roots.contains(v)) roots.add(v);
        }
        List<Tensor> results;
        try {
            Loop loop = new Loop(body.graph(roots), steps, state.size(), sequences.size(), kept, reverse);
            List<Tensor> operands = new ArrayList<>(state);
            operands.addAll(sequences);
            operands.addAll(body.invariants());
            results = emit(t, loop, operands);
        } catch (OpException e) {
            throw Errors.wrap(e);
        }
        List<Tensor> last = new ArrayList<>();
        for (int i = 0; i < states.size(); i++) {
            boolean history = results.get(i).rank() > state.get(i).rank();
            last.add(history ? element(results.get(i), reverse ? 0 : steps) : results.get(i));
        }
        List<Tensor> outputs = new ArrayList<>();
        for (Value v : wanted) {
            int i = states.indexOf(v);
            outputs.add(
                    i < 0
                            ? results.get(roots.indexOf(v))
                            : Operators.E.slice(results.get(i), 0, reverse ? 0 : 1, steps, 1));
        }
        return new Result(last, outputs);
    }

    private static Tensor element(Tensor history, long i) {
        return Operators.E.reshape(
                Operators.E.slice(history, 0, i, 1, 1), history.type().shape().without(0));
    }

    private static List<Tensor> emit(Trace t, Loop loop, List<Tensor> operands) {
        Loop made = Session.current().attached(Known.class, _ -> new Known()).of(loop);
        boolean[] needs = new boolean[operands.size()];
        boolean any = false;
        for (int i = 0; i < needs.length; i++) any |= needs[i] = operands.get(i).requiresGrad();
        if (t.gradMode && any) made = made.withResiduals(needs);
        return Dispatch.emitAll(made, operands.toArray(Tensor[]::new));
    }

    /** The loops that were traced lately: one that is traced again has its gradient, and what its tape saves, made already. */
    private static final class Known {
        private static final int CAPACITY = 256;

        private final Map<Loop, Loop> loops = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Loop, Loop> eldest) {
                return size() > CAPACITY;
            }
        };

        synchronized Loop of(Loop loop) {
            Loop known = loops.putIfAbsent(loop, loop);
            return known == null ? loop : known;
        }
    }
}
