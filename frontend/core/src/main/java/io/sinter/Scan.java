// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.op.Loop;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;

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
 *
 * <p>A step is traced whenever it is run. Where that is too long (it takes some microseconds an operator), it can be a {@link Cell}.
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
     * One step of a loop that depends on nothing but its arguments: neither on other tensors nor on anything of Java that may have changed when it is
     * run again (a switch of a network, a field that is not final). It is traced once for all operands of the same types, where a {@link Step} is traced
     * whenever it is run. Cells that are {@code equal} are one: a lambda should be kept in a field, as it is equal to itself alone; parameters of a cell
     * make it a record.
     *
     * <p>A cell that makes tensors or takes numbers that are no constants of the operators (0, 1 and −1 are) works as any step does: it is traced each
     * time.
     */
    @FunctionalInterface
    public interface Cell {
        /**
         * @param state the state before the step
         * @param slices the step's element of each sequence, without the sequence's first axis
         * @param weights what is the same at every step
         */
        Next apply(List<Tensor> state, List<Tensor> slices, List<Tensor> weights);
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
        Cell cell = (given, slices, _) -> step.apply(given, slices);
        return run(
                state,
                sequences,
                List.of(),
                true,
                (t, steps) -> trace(t, steps, state, sequences, List.of(), reverse, cell));
    }

    static Result run(List<Tensor> state, List<Tensor> sequences, List<Tensor> weights, boolean reverse, Cell cell) {
        return run(state, sequences, weights, true, cells(state, sequences, weights, reverse, cell));
    }

    /** As {@link F#scan(List, List, List, Cell)} or its reverse, for who wants no state: the outputs. */
    public static List<Tensor> outputs(
            List<Tensor> state, List<Tensor> sequences, List<Tensor> weights, boolean reverse, Cell cell) {
        return run(state, sequences, weights, false, cells(state, sequences, weights, reverse, cell)).outputs;
    }

    private static BiFunction<Trace, Long, Traced> cells(
            List<Tensor> state, List<Tensor> sequences, List<Tensor> weights, boolean reverse, Cell cell) {
        return (t, steps) -> {
            Signature signature = new Signature(cell, types(state), types(sequences), types(weights), reverse);
            Known known = known();
            Traced traced = known.cell(signature);
            if (traced != null) return traced;
            traced = trace(t, steps, state, sequences, weights, reverse, cell);
            if (traced.invariants.isEmpty()) known.add(signature, traced);
            return traced;
        };
    }

    private static List<Type> types(List<Tensor> tensors) {
        List<Type> types = new ArrayList<>(tensors.size());
        for (Tensor x : tensors) types.add(x.type());
        return types;
    }

    /**
     * @param wantsLast whether the state after the last step is wanted: where a history is kept it is a view, to be traced
     * @param tracing gives the loop for the trace that it will be part of and the number of steps
     */
    private static Result run(
            List<Tensor> state,
            List<Tensor> sequences,
            List<Tensor> weights,
            boolean wantsLast,
            BiFunction<Trace, Long, Traced> tracing) {
        long steps = steps(sequences);
        Trace t = Trace.current();
        t.calls++;
        Result r;
        try {
            Traced traced = tracing.apply(t, steps);
            List<Tensor> operands = new ArrayList<>(state);
            operands.addAll(sequences);
            operands.addAll(weights);
            operands.addAll(traced.invariants);
            r = results(t, traced, operands, wantsLast);
        } catch (OpException e) {
            throw Errors.wrap(e);
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

    /**
     * A loop made of a step.
     *
     * @param outputs for each output of the step, its place among the outputs of the loop's body
     * @param invariants what the step uses besides its arguments
     */
    private record Traced(Loop loop, List<Integer> outputs, List<Tensor> invariants) {}

    private static Traced trace(
            Trace t,
            long steps,
            List<Tensor> state,
            List<Tensor> sequences,
            List<Tensor> weights,
            boolean reverse,
            Cell step) {
        LoopBody body = new LoopBody(t);
        List<Tensor> given = state.stream().map(x -> body.argument(x.type())).toList();
        List<Tensor> slices = sequences.stream()
                .map(x -> body.argument(x.type().with(x.type().shape().without(0))))
                .toList();
        List<Tensor> same = weights.stream().map(x -> body.argument(x.type())).toList();
        Next next = body.trace(() -> step.apply(given, slices, same));
        if (next.state.size() != state.size()) {
            throw Errors.argument("scan: the step was given a state of " + state.size() + " tensors and gives "
                    + next.state.size() + "; it must give as many");
        }
        List<Value> roots = new ArrayList<>(body.values(next.state));
        // What is an output and the next state is read from the state's history.
        Set<Integer> kept = new TreeSet<>();
        List<Integer> outputs = new ArrayList<>();
        for (Value v : body.values(next.outputs)) {
            if (!roots.contains(v)) roots.add(v);
            int place = roots.indexOf(v);
            outputs.add(place);
            if (place < state.size()) kept.add(place);
        }
        Loop loop = new Loop(body.graph(roots), steps, state.size(), sequences.size(), kept, reverse);
        return new Traced(known().of(loop), outputs, body.invariants());
    }

    private static Result results(Trace t, Traced traced, List<Tensor> operands, boolean wantsLast) {
        Loop loop = traced.loop;
        List<Tensor> results = emit(t, loop, operands);
        List<Tensor> last = new ArrayList<>();
        for (int i = 0; wantsLast && i < loop.carried(); i++) {
            Tensor r = results.get(i);
            boolean history = r.rank() > operands.get(i).rank();
            last.add(history ? element(r, loop.reverse() ? 0 : loop.steps()) : r);
        }
        List<Tensor> outputs = new ArrayList<>();
        for (int i : traced.outputs) {
            Tensor r = results.get(i);
            boolean history = i < loop.carried();
            outputs.add(history ? Operators.E.slice(r, 0, loop.reverse() ? 0 : 1, loop.steps(), 1) : r);
        }
        return new Result(last, outputs);
    }

    private static Tensor element(Tensor history, long i) {
        return Operators.E.reshape(
                Operators.E.slice(history, 0, i, 1, 1), history.type().shape().without(0));
    }

    private static List<Tensor> emit(Trace t, Loop loop, List<Tensor> operands) {
        boolean[] needs = new boolean[operands.size()];
        boolean any = false;
        for (int i = 0; i < needs.length; i++) any |= needs[i] = operands.get(i).requiresGrad();
        Loop made = t.gradMode && any ? loop.withResiduals(needs) : loop;
        return Dispatch.emitAll(made, operands.toArray(Tensor[]::new));
    }

    private static Known known() {
        return Session.current().attached(Known.class, _ -> new Known());
    }

    /** What a cell's loop depends on. The sequences' types say how many steps there are. */
    private record Signature(Cell cell, List<Type> state, List<Type> sequences, List<Type> weights, boolean reverse) {
        // By hand, as each call of a recurrent layer asks: see Type.

        @Override
        public boolean equals(Object o) {
            return o instanceof Signature s
                    && reverse == s.reverse
                    && cell.equals(s.cell)
                    && state.equals(s.state)
                    && sequences.equals(s.sequences)
                    && weights.equals(s.weights);
        }

        @Override
        public int hashCode() {
            int types = 31 * (31 * state.hashCode() + sequences.hashCode()) + weights.hashCode();
            return 31 * types + cell.hashCode() + (reverse ? 1 : 0);
        }
    }

    /** The loops that were traced lately: one that is traced again has its gradient, and what its tape saves, made already. */
    private static final class Known {
        private final Map<Loop, Loop> loops = new Lately<>();
        private final Map<Signature, Traced> cells = new Lately<>();

        synchronized Loop of(Loop loop) {
            Loop known = loops.putIfAbsent(loop, loop);
            return known == null ? loop : known;
        }

        synchronized Traced cell(Signature signature) {
            return cells.get(signature);
        }

        synchronized void add(Signature signature, Traced traced) {
            cells.put(signature, traced);
        }
    }

    /** Forgets what has not been asked for the longest. */
    private static final class Lately<K, V> extends LinkedHashMap<K, V> {
        private static final long serialVersionUID = 1L;
        private static final int CAPACITY = 256;

        Lately() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > CAPACITY;
        }
    }
}
