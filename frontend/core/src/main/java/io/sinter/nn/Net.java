// SPDX-License-Identifier: Apache-2.0
package io.sinter.nn;

import io.sinter.Sinter;
import io.sinter.Tensor;
import io.sinter.Trace;
import io.sinter.runtime.Device;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Base class of networks and of their layers ({@code torch.nn.Module}).
 *
 * <p>Parts are found in fields, of superclasses too, whatever their visibility:
 *
 * <ul>
 *   <li>a {@code Net}, or a list, map or array of them (nested too), is a sub-net;
 *   <li>a tensor made by {@link #parameter}, or any leaf tensor that requires a gradient, is a parameter;
 *   <li>a tensor made by {@link #buffer} is a buffer: state that is saved and moved, but not trained;
 *   <li>any other field, and any {@code transient} one, is the program's own affair.
 * </ul>
 *
 * Their names are the fields' names, joined with dots and with the place or key in lists and maps ({@code
 * blocks.0.weight}); their order is that of construction. A field that reflection may not read is an error
 * and never a silently untrained layer.
 *
 * <pre>{@code
 * final class Mlp extends Net {
 *     private final Linear hidden = new Linear(784, 128);
 *     private final Linear out = new Linear(128, 10);
 *
 *     @Override
 *     public Tensor forward(Tensor x) {
 *         return out.call(hidden.call(x).relu());
 *     }
 * }
 * }</pre>
 */
public abstract class Net {
    private static final AtomicLong SERIAL = new AtomicLong();

    /** What {@link #parameter} and {@link #buffer} say of a tensor. */
    record Mark(boolean parameter, boolean persistent, long serial) {}

    /** A part that no field holds. */
    record Registered(Object part, long serial) {}

    /** Names of nets by identity, as they were when a profile had begun. */
    private record Paths(long profile, Map<Net, String> names) {}

    /** Rank in construction order: a net is older than the parts that its constructor makes. */
    final long serial = SERIAL.getAndIncrement();

    final Map<Tensor, Mark> marks = new IdentityHashMap<>();
    final Map<String, Registered> registered = new LinkedHashMap<>();
    private boolean training = true;
    /** What a compiled function that asks for the mode depends on. */
    private final BooleanSupplier mode = () -> training;
    /** See {@link #paths}; null before somebody asks. */
    private Paths paths;

    protected Net() {}

    // ---- computing

    /**
     * What the network computes. Callers use {@link #call}. Networks of several inputs declare a method of
     * their own and wrap its body in {@link #scope}.
     *
     * @throws UnsupportedOperationException unless overridden
     */
    public Tensor forward(Tensor x) {
        throw new UnsupportedOperationException(
                getClass().getName() + " has no forward(Tensor): it takes other inputs, or override it");
    }

    /**
     * Calls the network: {@link #forward}, with the values inside as temporaries that may be fused away, and
     * the outermost call's result readable even after an optimizer step.
     */
    public final Tensor call(Tensor x) {
        return Trace.module(this, this::paths, () -> forward(x));
    }

    /** Runs {@code body} as a call of this network, for networks with other inputs than one tensor. */
    protected final <T> T scope(Supplier<T> body) {
        return Trace.module(this, this::paths, body);
    }

    /** The names of this net (empty) and of all nets in it, by identity. Finding them takes as long as a small step: for a profile it is done once. */
    private Map<Net, String> paths() {
        long profile = Session.profiles();
        Paths known = paths;
        if (known != null && known.profile == profile && !Session.tracksSources()) return known.names;
        Map<Net, String> names = new IdentityHashMap<>();
        visit((name, net) -> names.put(net, name));
        paths = new Paths(profile, names);
        return names;
    }

    // ---- declaring parts

    /** Makes a leaf tensor a parameter of this net: it will require a gradient. Keep it in a field. */
    protected final Tensor parameter(Tensor initial) {
        Tensor p = initial.detach().requiresGrad_(true);
        marks.put(p, new Mark(true, true, SERIAL.getAndIncrement()));
        return p;
    }

    /** Makes a tensor a buffer of this net: part of its state, not trained. Keep it in a field. */
    protected final Tensor buffer(Tensor initial) {
        return buffer(initial, true);
    }

    /**
     * The same; a buffer that is not {@code persistent} is moved with the net but no part of its state dict.
     */
    protected final Tensor buffer(Tensor initial, boolean persistent) {
        Tensor b = initial.detach();
        marks.put(b, new Mark(false, persistent, SERIAL.getAndIncrement()));
        return b;
    }

    /**
     * Adds a part that no field holds: a {@code Net}, or a tensor made by {@link #parameter} or {@link
     * #buffer}; null is a part that is absent.
     *
     * @throws IllegalArgumentException if the name is empty, has a dot or is taken
     */
    protected final void register(String name, Object part) {
        if (name.isEmpty() || name.contains("."))
            throw new IllegalArgumentException("bad name for a part: '" + name + "'");
        if (registered.containsKey(name))
            throw new IllegalArgumentException("there is already a part named '" + name + "'");
        registered.put(name, new Registered(part, SERIAL.getAndIncrement()));
    }

    // ---- parts by name

    /** This net's direct sub-nets by name. */
    public final Map<String, Net> children() {
        Map<String, Net> out = new LinkedHashMap<>();
        for (Parts.Part p : Parts.of(this)) if (p.value() instanceof Net n) out.put(p.name(), n);
        return out;
    }

    /** This net (named "") and all nets in it, each once, parents before their parts. */
    public final Map<String, Net> namedNets() {
        Map<String, Net> out = new LinkedHashMap<>();
        visit((name, net) -> out.put(name, net));
        return out;
    }

    /** All parameters, each once, by the first of their names. */
    public final Map<String, Tensor> namedParameters() {
        return tensors(true, true);
    }

    /** All parameters, each once, in the order of {@link #namedParameters}. */
    public final List<Tensor> parameters() {
        return new ArrayList<>(namedParameters().values());
    }

    /** All buffers, each once, by the first of their names. */
    public final Map<String, Tensor> namedBuffers() {
        return tensors(false, true);
    }

    /** Number of trained and frozen values: the elements of all parameters. */
    public final long parameterCount() {
        return parameters().stream().mapToLong(Tensor::numel).sum();
    }

    private Map<String, Tensor> tensors(boolean parameters, boolean alsoTransient) {
        Map<String, Tensor> out = new LinkedHashMap<>();
        Set<Tensor> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        visit((name, net) -> {
            for (Parts.Part p : Parts.of(net)) {
                if (p.value() instanceof Tensor t
                        && p.isParameter() == parameters
                        && (alsoTransient || p.isPersistent())
                        && seen.add(t)) {
                    out.put(join(name, p.name()), t);
                }
            }
        });
        return out;
    }

    private void visit(BiConsumer<String, Net> visitor) {
        visit("", visitor, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    private void visit(String name, BiConsumer<String, Net> visitor, Set<Net> seen) {
        if (!seen.add(this)) return;
        visitor.accept(name, this);
        children().forEach((child, net) -> net.visit(join(name, child), visitor, seen));
    }

    private static String join(String prefix, String name) {
        return prefix.isEmpty() ? name : prefix + "." + name;
    }

    /**
     * Gives every net in this one to {@code action}, parts before the net that holds them, and this one last.
     */
    public final void apply(Consumer<Net> action) {
        apply(action, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    private void apply(Consumer<Net> action, Set<Net> seen) {
        if (!seen.add(this)) return;
        for (Net child : children().values()) child.apply(action, seen);
        action.accept(this);
    }

    // ---- mode, gradients, place

    /** Whether this net trains (dropout drops, batch norms use and update statistics); true when made. */
    public final boolean isTraining() {
        return Trace.observe(mode);
    }

    /** Sets the mode of this net and of all in it. */
    public final void train(boolean on) {
        visit((_, net) -> net.training = on);
    }

    public final void train() {
        train(true);
    }

    public final void eval() {
        train(false);
    }

    /** Forgets the gradients of all parameters. */
    public final void zeroGrad() {
        for (Tensor p : parameters()) p.zeroGrad();
    }

    /** Sets whether all parameters require gradients; false freezes the net. */
    public final void requiresGrad(boolean on) {
        for (Tensor p : parameters()) p.requiresGrad_(on);
    }

    /**
     * Moves all parameters and buffers to {@code device}. Returns this net.
     *
     * @throws IllegalArgumentException if the session runs on another device
     */
    public final Net to(Device device) {
        for (Tensor t : namedParameters().values()) t.to(device);
        for (Tensor t : namedBuffers().values()) t.to(device);
        return this;
    }

    // ---- state

    /**
     * Parameters and persistent buffers by name: the tensors themselves, without their gradients' history. A
     * part that has several names is there under the first.
     */
    public final Map<String, Tensor> stateDict() {
        Map<String, Tensor> out = new LinkedHashMap<>();
        visit((name, net) -> {
            for (Parts.Part p : Parts.of(net)) {
                if (p.value() instanceof Tensor t && p.isParameter()) out.put(join(name, p.name()), t.detach());
            }
            for (Parts.Part p : Parts.of(net)) {
                if (p.value() instanceof Tensor t && !p.isParameter() && p.isPersistent()) {
                    out.put(join(name, p.name()), t.detach());
                }
            }
        });
        return out;
    }

    /**
     * Copies a state into this net's parameters and buffers; they keep their dtype and device.
     *
     * @throws IllegalArgumentException listing every name that is missing or unexpected and every shape that
     *     differs; nothing has been copied then
     */
    public final void loadStateDict(Map<String, Tensor> state) {
        loadStateDict(state, true);
    }

    /**
     * The same; unless {@code strict}, missing and unexpected names are left alone (shapes must fit all the
     * same).
     */
    public final void loadStateDict(Map<String, Tensor> state, boolean strict) {
        Map<String, Tensor> own = stateDict();
        List<String> problems = new ArrayList<>();
        own.forEach((name, mine) -> {
            Tensor given = state.get(name);
            if (given == null) {
                if (strict) problems.add("missing: " + name + " " + mine.type());
            } else if (!Arrays.equals(given.shape(), mine.shape())) {
                problems.add("other shape: " + name + " is " + mine.type() + " here, " + given.type() + " there");
            }
        });
        if (strict) {
            for (String name : state.keySet()) if (!own.containsKey(name)) problems.add("unexpected: " + name);
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(
                    "this state does not fit " + getClass().getSimpleName() + ":\n  " + String.join("\n  ", problems));
        }
        try (var _ = Sinter.noGrad()) {
            own.forEach((name, mine) -> {
                Tensor given = state.get(name);
                if (given != null) mine.copy_(given);
            });
        }
    }

    // ---- text

    /** The layer's settings, as they stand in its {@link #toString()}; empty by default. */
    protected String describe() {
        return "";
    }

    /** The tree of nets, as PyTorch prints it. */
    @Override
    public final String toString() {
        StringBuilder b = new StringBuilder();
        print(b, "", Collections.newSetFromMap(new IdentityHashMap<>()));
        return b.toString();
    }

    private void print(StringBuilder b, String indent, Set<Net> above) {
        b.append(getClass().getSimpleName()).append('(').append(describe());
        if (above.add(this)) {
            Map<String, Net> children = children();
            children.forEach((name, net) -> {
                b.append('\n').append(indent).append("  (").append(name).append("): ");
                net.print(b, indent + "  ", above);
            });
            if (!children.isEmpty()) b.append('\n').append(indent);
            above.remove(this);
        } else {
            b.append("…");
        }
        b.append(')');
    }
}
