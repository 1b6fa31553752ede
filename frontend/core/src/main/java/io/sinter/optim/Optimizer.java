// SPDX-License-Identifier: Apache-2.0
package io.sinter.optim;

import io.sinter.Tensor;
import io.sinter.Trace;
import io.sinter.ir.DType;
import io.sinter.ir.op.Op;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.DoubleSupplier;
import java.util.function.LongToDoubleFunction;
import java.util.function.Supplier;

/**
 * Base class of optimizers ({@code torch.optim.Optimizer}).
 *
 * <p>{@link #step} is a step boundary: one program computes the gradients, the losses, the new parameters and
 * the new state of the optimizer. Parameters without a gradient are left alone. Settings (learning rate,
 * weight decay, …) are numbers that the program reads at every step.
 */
public abstract class Optimizer {
    static final String LR = "lr";
    static final String MAXIMIZE = "maximize";

    private final List<ParamGroup> groups = new ArrayList<>();
    private final Map<String, Double> defaults = new TreeMap<>();
    private final Map<Tensor, ParamState> states = new IdentityHashMap<>();

    /** What an optimizer remembers of one parameter. */
    static final class ParamState {
        /** Steps made with this parameter. */
        long steps;

        final Map<String, Tensor> tensors = new LinkedHashMap<>();
    }

    Optimizer(Collection<Tensor> parameters, Map<String, Double> defaults) {
        this.defaults.putAll(defaults);
        for (var d : defaults.entrySet()) {
            if (!(d.getValue() >= 0)) {
                throw new IllegalArgumentException("optimizer setting " + d.getKey() + " cannot be " + d.getValue());
            }
        }
        addGroup(parameters);
    }

    // ---- settings

    /**
     * Adds parameters with settings of their own, which begin as this optimizer's defaults.
     *
     * @throws IllegalArgumentException if there is none, one is no leaf that requires a gradient, or one is
     *     in a group already
     */
    public final ParamGroup addGroup(Collection<Tensor> parameters) {
        if (parameters.isEmpty())
            throw new IllegalArgumentException("an optimizer without parameters has nothing to do");
        Set<Tensor> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (ParamGroup g : groups) seen.addAll(g.parameters());
        for (Tensor p : parameters) {
            if (!p.isLeaf()) {
                throw new IllegalArgumentException(
                        "cannot optimize " + p.type() + ", which was computed from other tensors: not a leaf");
            }
            if (!seen.add(p)) throw new IllegalArgumentException("parameter " + p.type() + " is given twice");
        }
        ParamGroup group = new ParamGroup(parameters, defaults);
        groups.add(group);
        return group;
    }

    public final List<ParamGroup> groups() {
        return Collections.unmodifiableList(groups);
    }

    /** Sets a setting of all groups, and of those to come. */
    final void setAll(String name, double value) {
        for (ParamGroup g : groups) g.set(name, value);
        defaults.put(name, value);
    }

    /** The learning rate of the first group. */
    public final double lr() {
        return groups.getFirst().lr();
    }

    /** Sets the learning rate of all groups. */
    public final void lr(double value) {
        setAll(LR, value);
    }

    // ---- steps

    /** Forgets the gradients of all parameters. */
    public final void zeroGrad() {
        for (ParamGroup g : groups) for (Tensor p : g.parameters()) p.zeroGrad();
    }

    /** Updates the parameters from their gradients. */
    public final void step() {
        Trace.boundary(() -> {
            for (ParamGroup g : groups) {
                check(g);
                Scalars scalars = new Scalars(g);
                for (Tensor p : g.parameters()) {
                    Tensor gradient = Trace.gradient(p);
                    if (gradient == null) continue;
                    ParamState state = states.computeIfAbsent(p, _ -> new ParamState());
                    scalars.begin(state);
                    update(g, p, g.is(MAXIMIZE) ? gradient.neg() : gradient, state, scalars);
                    scalars.end();
                }
            }
        });
    }

    /** Refuses settings that do not go together, before a step is made with them. */
    abstract void check(ParamGroup group);

    /** One parameter's update: writes {@code p} and its state in place. Gradients are off. */
    abstract void update(ParamGroup group, Tensor p, Tensor gradient, ParamState state, Scalars scalars);

    /**
     * Has one operator make a parameter's step: of the arrays that it writes, the gradient and the numbers it makes their next values.
     *
     * @param written the parameter, then its state
     */
    static void update(Op step, Tensor[] written, Tensor gradient, Tensor[] numbers) {
        Tensor[] operands = new Tensor[written.length + 1 + numbers.length];
        operands[0] = written[0];
        operands[1] = gradient;
        System.arraycopy(written, 1, operands, 2, written.length - 1);
        System.arraycopy(numbers, 0, operands, written.length + 1, numbers.length);
        List<Tensor> results = Trace.apply(step, operands);
        for (int i = 0; i < written.length; i++) written[i].copy_(results.get(i));
    }

    /**
     * The named state of a parameter, zeros at first: memory from the start, so that the first step is the
     * program of all steps.
     */
    static Tensor state(ParamState state, String name, Tensor p) {
        return state.tensors.computeIfAbsent(name, _ -> zeros(p));
    }

    /** In memory, not a pending value: a constant would be folded into the first step's program. */
    private static Tensor zeros(Tensor p) {
        return Tensor.fromBytes(
                MemorySegment.ofArray(new byte[Math.toIntExact(p.type().bytes())]), p.dtype(), p.shape());
    }

    /**
     * The numbers of one group's step as 0-dimensional tensors, one for all parameters that share it, read
     * anew when a compiled function is replayed.
     */
    static final class Scalars {
        private final ParamGroup group;
        private final Map<DType, Map<String, Tensor>> made = new EnumMap<>(DType.class);
        /** By the number of steps that its parameters have made before. */
        private final Map<Long, Clock> clocks = new HashMap<>();

        private ParamState state;
        private long steps;

        /** What {@link #once} was asked for last: the numbers of a step number and a dtype. */
        private Tensor[] last;

        private DType lastDtype;
        private long lastSteps;

        Scalars(ParamGroup group) {
            this.group = group;
        }

        /** A function of the group's settings, named so that equal names mean equal functions. */
        Tensor of(DType dtype, String name, DoubleSupplier value) {
            return made.computeIfAbsent(dtype, _ -> new LinkedHashMap<>())
                    .computeIfAbsent(name, _ -> Trace.live(dtype, value));
        }

        /** A setting itself. */
        Tensor of(DType dtype, String setting) {
            return of(dtype, setting, () -> group.get(setting));
        }

        /**
         * A function of the number (from 1) of the parameter's step; shared by parameters that are at the
         * same step.
         */
        Tensor ofStep(DType dtype, String name, LongToDoubleFunction value) {
            return of(dtype, name + "@" + steps, clock().number(value));
        }

        /** What counts the steps of all parameters that are at this one's step; of this one, too, from now on. */
        private Clock clock() {
            Clock clock = clocks.computeIfAbsent(steps, _ -> new Clock());
            clock.states.add(state);
            return clock;
        }

        /**
         * All numbers of the parameter's update, which must be the same for all parameters of its dtype that are at the same step: made once for
         * neighbours that are. An update calls this once.
         */
        Tensor[] once(DType dtype, Supplier<Tensor[]> make) {
            if (last == null || lastDtype != dtype || lastSteps != steps) {
                last = make.get();
                lastDtype = dtype;
                lastSteps = steps;
            }
            clock(); // which the parameter may not have met
            return last;
        }

        private void begin(ParamState s) {
            state = s;
            steps = s.steps;
        }

        private void end() {
            state.steps = steps + 1;
        }
    }

    /**
     * Counts steps where the optimizer's own code does not run: each replay of a compiled function draws the numbers again, the first of which begins a
     * step. The count is the parameters' own, because other programs (another batch size, a step that is traced) make steps in between.
     */
    private static final class Clock {
        private final Set<ParamState> states = Collections.newSetFromMap(new IdentityHashMap<>());
        private DoubleSupplier first;
        private long step;

        DoubleSupplier number(LongToDoubleFunction value) {
            return new DoubleSupplier() {
                @Override
                public double getAsDouble() {
                    if (first == null) first = this;
                    if (first == this) begin();
                    return value.applyAsDouble(step);
                }
            };
        }

        private void begin() {
            long made = 0;
            for (ParamState s : states) made = Math.max(made, s.steps);
            step = made + 1;
            for (ParamState s : states) s.steps = step;
        }
    }

    // ---- state

    /**
     * The optimizer's whole state as tensors by name: {@code groups.G.SETTING} and {@code state.N.step} as
     * f64 numbers, {@code state.N.NAME} as they are, N counting the parameters of all groups. To be given to
     * {@link #loadStateDict} of an optimizer over the same parameters, or to be saved.
     */
    public final Map<String, Tensor> stateDict() {
        Map<String, Tensor> out = new LinkedHashMap<>();
        int n = 0;
        for (int g = 0; g < groups.size(); g++) {
            for (String s : groups.get(g).names()) {
                out.put("groups." + g + "." + s, number(groups.get(g).get(s)));
            }
            for (Tensor p : groups.get(g).parameters()) {
                ParamState state = states.get(p);
                if (state != null) {
                    String prefix = "state." + n + ".";
                    out.put(prefix + "step", number(state.steps));
                    state.tensors.forEach((name, t) -> out.put(prefix + name, t.detach()));
                }
                n++;
            }
        }
        return out;
    }

    private static Tensor number(double value) {
        return Tensor.from(new double[] {value}, new long[0]);
    }

    /**
     * Continues from {@link #stateDict()} of an optimizer of the same kind over parameters of the same shapes
     * in the same order.
     *
     * @throws IllegalArgumentException if names, settings or shapes do not fit; nothing has changed then
     */
    public final void loadStateDict(Map<String, Tensor> saved) {
        Set<String> unused = new HashSet<>(saved.keySet());
        List<Runnable> changes = new ArrayList<>();
        int n = 0;
        for (int g = 0; g < groups.size(); g++) {
            ParamGroup group = groups.get(g);
            for (String setting : group.names()) {
                String name = "groups." + g + "." + setting;
                Tensor value = saved.get(name);
                if (value == null)
                    throw new IllegalArgumentException("the saved state of the optimizer has no " + name);
                unused.remove(name);
                double v = value.item();
                changes.add(() -> group.set(setting, v));
            }
            for (Tensor p : group.parameters()) {
                ParamState state = savedState("state." + n++ + ".", p, saved, unused);
                changes.add(state == null ? () -> states.remove(p) : () -> states.put(p, state));
            }
        }
        if (!unused.isEmpty()) {
            throw new IllegalArgumentException(
                    "the saved state does not fit this optimizer: it also has " + new TreeSet<>(unused));
        }
        changes.forEach(Runnable::run);
    }

    private static ParamState savedState(String prefix, Tensor p, Map<String, Tensor> saved, Set<String> unused) {
        ParamState state = null;
        for (var e : saved.entrySet()) {
            if (!e.getKey().startsWith(prefix)) continue;
            if (state == null) state = new ParamState();
            unused.remove(e.getKey());
            String name = e.getKey().substring(prefix.length());
            if (name.equals("step")) {
                state.steps = (long) e.getValue().item();
                continue;
            }
            if (!e.getValue().type().equals(p.type())) {
                throw new IllegalArgumentException(
                        "the saved state " + e.getKey() + " is " + e.getValue().type() + ", its parameter " + p.type());
            }
            Tensor copy = zeros(p);
            copy.copy_(e.getValue());
            state.tensors.put(name, copy);
        }
        return state;
    }
}
