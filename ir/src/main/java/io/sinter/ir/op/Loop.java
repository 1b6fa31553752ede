// SPDX-License-Identifier: Apache-2.0
package io.sinter.ir.op;

import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.OpException;
import io.sinter.ir.Shape;
import io.sinter.ir.Type;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * Runs a body {@link #steps} times, one after another: recurrent layers, scans ({@code jax.lax.scan}).
 *
 * <p>The body's inputs are <em>carried</em> values, then <em>slices</em>, then <em>invariants</em>; its outputs are the next carried values, then
 * outputs of the step. The operator's operands are
 *
 * <ul>
 *   <li>for each carried value what it begins with, of the body's type;
 *   <li>for each slice a sequence [steps, …]: step t reads element t of axis 0;
 *   <li>the invariants as they are.
 * </ul>
 *
 * Its results are
 *
 * <ul>
 *   <li>for each carried value what it is after the last step; or, where it is <em>kept</em>, its whole history [steps + 1, …]: what step t gives
 *       is element t + 1, what it is given is element t;
 *   <li>for each output of the step all of them, [steps, …].
 * </ul>
 *
 * With {@link #reverse} the steps run from the last to the first; step t still reads element t and gives element t, and of a history it gives
 * element t and is given element t + 1.
 *
 * <p>The body is part of the operator: two loops are equal if their canonical forms are.
 */
public final class Loop implements Op {
    /** Operands and results together: tapes keep a bit for each. */
    private static final int MAX_VALUES = 62;

    private final Graph body;
    private final long steps;
    private final int carried;
    private final int sliced;
    private final Set<Integer> kept;
    private final boolean reverse;

    private final List<Type> operandTypes;
    private final List<Type> resultTypes;

    private Canonical.Attributes form;
    private final Map<Long, LoopGradient> gradients = new ConcurrentHashMap<>();
    private final Map<Long, Long> gradientReads = new ConcurrentHashMap<>();

    /**
     * @param carried number of carried values
     * @param sliced number of slices; the body's other inputs are invariants
     * @param kept the carried values whose history is a result
     * @throws OpException if the body's inputs and outputs do not fit together
     */
    public Loop(Graph body, long steps, int carried, int sliced, Set<Integer> kept, boolean reverse) {
        this.body = body;
        this.steps = steps;
        this.carried = carried;
        this.sliced = sliced;
        this.kept = Collections.unmodifiableSortedSet(new TreeSet<>(kept));
        this.reverse = reverse;
        check();
        List<Type> operands = new ArrayList<>();
        for (int i = 0; i < body.inputs().size(); i++) operands.add(isSlice(i) ? stacked(input(i), steps) : input(i));
        List<Type> results = new ArrayList<>();
        for (int i = 0; i < body.outputs().size(); i++) {
            Type t = body.outputs().get(i).type();
            results.add(i >= carried ? stacked(t, steps) : kept.contains(i) ? stacked(t, steps + 1) : t);
        }
        operandTypes = List.copyOf(operands);
        resultTypes = List.copyOf(results);
    }

    private void check() {
        if (steps < 0) throw problem("%s steps; give 0 or more", steps);
        int inputs = body.inputs().size();
        if (carried < 0 || sliced < 0 || carried + sliced > inputs)
            throw problem("%s carried values and %s slices, but the body has %s inputs", carried, sliced, inputs);
        if (body.outputs().size() < Math.max(1, carried))
            throw problem(
                    "the body gives %s values, %s are carried", body.outputs().size(), carried);
        if (inputs + body.outputs().size() > MAX_VALUES) {
            throw problem(
                    "%s operands and %s results, more than %s together; join some of them in one tensor",
                    inputs, body.outputs().size(), MAX_VALUES);
        }
        for (int k : kept)
            if (k < 0 || k >= carried) throw problem("%s is kept, but %s values are carried", k, carried);
        for (int i = 0; i < carried; i++) {
            Type begins = input(i);
            Type next = body.outputs().get(i).type();
            if (!begins.equals(next)) {
                throw problem(
                        "carried value %s is %s, but the body makes it %s; a step must give what it was given",
                        i, begins, next);
            }
        }
        for (Node n : body.inputs()) if (((Input) n.op()).scalar()) throw problem("a body takes no host scalars");
        for (int d : body.donations()) if (d >= 0) throw problem("a body gives away no memory");
    }

    private static OpException problem(String format, Object... arguments) {
        return new OpException("loop: " + String.format(java.util.Locale.ROOT, format, arguments));
    }

    public Graph body() {
        return body;
    }

    public long steps() {
        return steps;
    }

    /** Number of carried values. */
    public int carried() {
        return carried;
    }

    /** Number of slices. */
    public int sliced() {
        return sliced;
    }

    /** Carried values whose history is a result. */
    public Set<Integer> kept() {
        return kept;
    }

    /** The steps run from the last to the first. */
    public boolean reverse() {
        return reverse;
    }

    /** Number of outputs of a step. */
    public int outputs() {
        return body.outputs().size() - carried;
    }

    /** Type of the body's input {@code i}. */
    public Type input(int i) {
        return body.inputs().get(i).type();
    }

    /** The same loop with another body of the same inputs and outputs. */
    public Loop with(Graph other) {
        return new Loop(other, steps, carried, sliced, kept, reverse);
    }

    /** {@code type} for every step: [steps, …]. */
    private Type stacked(Type type, long n) {
        return type.with(type.shape().insert(0, n));
    }

    @Override
    public String name() {
        return "loop";
    }

    @Override
    public void attributes(Attrs out) {
        out.put("steps", steps);
        out.put("carried", carried);
        out.put("sliced", sliced);
        out.put("kept", kept.stream().mapToInt(Integer::intValue).toArray());
        out.put("reverse", reverse);
        out.put("body", body);
    }

    static Loop parse(Attrs.Source a) {
        Set<Integer> kept = new TreeSet<>();
        for (int k : a.getInts("kept")) kept.add(k);
        return new Loop(
                a.getGraph("body"),
                a.getLong("steps"),
                a.getInt("carried"),
                a.getInt("sliced"),
                kept,
                a.getBoolean("reverse"));
    }

    @Override
    public List<Type> infer(List<Type> in) {
        int inputs = operandTypes.size();
        Rule.arity(this, in, inputs);
        for (int i = 0; i < inputs; i++) {
            Type wanted = operandTypes.get(i);
            if (in.get(i).equals(wanted)) continue;
            String what = i < carried ? "carried value " + i : isSlice(i) ? "slice " + (i - carried) : "invariant";
            throw OpException.of(
                    name(),
                    in,
                    "operand %s (%s) must be %s for the body, got %s; cast or reshape it",
                    i,
                    what,
                    wanted,
                    in.get(i));
        }
        return resultTypes;
    }

    /**
     * A loop backwards over the steps, see {@link LoopGradient}. What it needs of the steps are results of this loop if it was made by {@link
     * #withResiduals}; otherwise the steps are run again to get them.
     */
    @Override
    public <V> List<V> gradient(GradCall<V> call) {
        boolean[] needs = new boolean[body.inputs().size()];
        boolean[] flows = new boolean[body.outputs().size()];
        for (int i = 0; i < needs.length; i++)
            needs[i] = call.needs(i) && input(i).dtype().isFloat();
        for (int i = 0; i < flows.length; i++) flows[i] = call.flows(i);
        return gradient(needs, flows).apply(call);
    }

    private LoopGradient gradient(boolean[] needs, boolean[] flows) {
        long key = 0;
        for (boolean b : needs) key = key << 1 | (b ? 1 : 0);
        for (boolean b : flows) key = key << 1 | (b ? 1 : 0);
        LoopGradient known = gradients.get(key);
        return known != null ? known : gradients.computeIfAbsent(key, _ -> new LoopGradient(this, needs, flows));
    }

    /**
     * This loop with what its gradient will need among its results: more values are kept, and more outputs of a step follow the present ones.
     *
     * @param needs for each operand, whether its gradient will be wanted
     */
    public Loop withResiduals(boolean... needs) {
        boolean[] floats = new boolean[needs.length];
        for (int i = 0; i < needs.length; i++)
            floats[i] = needs[i] && input(i).dtype().isFloat();
        boolean[] flows = new boolean[body.outputs().size()];
        Arrays.fill(flows, true);
        return gradient(floats, flows).forward();
    }

    /**
     * What the gradient computes with, a bit per operand, then one per result, as {@link GradientReads} finds it.
     *
     * @param needs a bit per operand: whether its gradient is wanted
     */
    public long gradientReads(long needs) {
        return gradientReads.computeIfAbsent(
                needs,
                _ -> GradientReads.bits(
                        GradientReads.of(this, operandTypes, resultTypes, i -> (needs >> i & 1) != 0, _ -> true)));
    }

    private boolean isSlice(int operand) {
        return operand >= carried && operand < carried + sliced;
    }

    @Override
    public List<RefArray> evaluate(List<RefArray> in) {
        return evaluate(in, args -> RefEvaluator.run(body, args));
    }

    /**
     * Evaluates with another way to run the body.
     *
     * @param step gives the body's outputs for its inputs
     */
    public List<RefArray> evaluate(List<RefArray> in, UnaryOperator<List<RefArray>> step) {
        List<Type> types = infer(in.stream().map(RefArray::type).toList());
        List<RefArray> results =
                new ArrayList<>(types.stream().map(RefArray::zeros).toList());
        List<RefArray> args = new ArrayList<>(in);
        for (int i : kept) put(results.get(i), reverse ? steps : 0, in.get(i));
        for (long k = 0; k < steps; k++) {
            long t = reverse ? steps - 1 - k : k;
            for (int s = carried; s < carried + sliced; s++) args.set(s, element(in.get(s), t, input(s)));
            List<RefArray> out = step.apply(args);
            for (int i = 0; i < out.size(); i++) {
                if (i < carried) args.set(i, out.get(i));
                if (i >= carried) put(results.get(i), t, out.get(i));
                else if (kept.contains(i)) put(results.get(i), reverse ? t : t + 1, out.get(i));
            }
        }
        for (int i = 0; i < carried; i++) if (!kept.contains(i)) results.set(i, args.get(i));
        return results;
    }

    private static RefArray element(RefArray sequence, long t, Type type) {
        RefArray r = RefArray.zeros(type);
        int n = r.size();
        for (int i = 0; i < n; i++) r.copy(i, sequence, Math.toIntExact(t * n + i));
        return r;
    }

    private static void put(RefArray sequence, long t, RefArray value) {
        int n = value.size();
        for (int i = 0; i < n; i++) sequence.copy(Math.toIntExact(t * n + i), value, i);
    }

    @Override
    public List<Sample> samples() {
        return LoopSamples.all();
    }

    /** The canonical form of the attributes, the body among them; made once, as bodies are long. */
    public Canonical.Attributes form() {
        if (form == null) form = Canonical.attributes(this);
        return form;
    }

    @Override
    public boolean equals(Object o) {
        return o == this || o instanceof Loop l && form().equals(l.form());
    }

    @Override
    public int hashCode() {
        return form().hashCode();
    }

    @Override
    public String toString() {
        return OpText.format(this);
    }

    /** The shape of all elements of a history but the last ({@code first = 0}) or the first ({@code first = 1}), as a view. */
    <V> V elements(Emitter<V> e, V history, long first) {
        return e.slice(history, 0, first, steps, 1);
    }

    /** One element of a history, of the carried value's shape. */
    <V> V element(Emitter<V> e, V history, long position) {
        Shape s = e.type(history).shape();
        return e.reshape(e.slice(history, 0, position, 1, 1), s.without(0));
    }
}
