// SPDX-License-Identifier: Apache-2.0
package io.sinter;

import io.sinter.ir.Canonical;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Node;
import io.sinter.ir.OpException;
import io.sinter.ir.Type;
import io.sinter.ir.op.BlockReduce;
import io.sinter.ir.op.Composite;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Elementwise;
import io.sinter.ir.op.Indexed;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Leaf;
import io.sinter.ir.op.Loop;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.Reduce;
import io.sinter.ir.op.Routine;
import io.sinter.ir.op.Scan;
import io.sinter.ir.op.View;
import io.sinter.runtime.Arg;
import io.sinter.runtime.Buffer;
import io.sinter.runtime.Device;
import io.sinter.runtime.OutOfDeviceMemoryException;
import io.sinter.runtime.ProgramCheckException;
import io.sinter.runtime.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Cuts a program out of the trace and runs it: visits what the roots need, operands first, writing the
 * canonical form on the way; adds the values that every run computes when it passes through them; looks the
 * form up; binds the results.
 *
 * <p>What a run computes on the way is not kept: it may be fused away, and most of it is never asked for again. But if a later operator has such a value for an operand,
 * and more than elementwise operators made it, the second run keeps it, so that a loop around code that uses it does not compute it at each turn.
 * Elementwise operators are computed again: storing would make other programs of the first two turns, which costs more than most of them.
 */
final class Cut {
    private static final int PASSING = Value.MODULE | Value.WRITTEN | Value.KEPT;
    /** Guards the scratch fields of values, which leaves of several threads' programs share. */
    private static final Object NUMBERING = new Object();

    private static int epochs;

    private final Trace trace;
    private final Canonical canonical = new Canonical();
    private int epoch;
    /** Entries by number: arguments and nodes. */
    private Value[] order = new Value[256];

    private int count;
    private final List<Value> roots = new ArrayList<>();
    private final List<Value> arguments = new ArrayList<>();
    /** Compute nothing but what was asked for. */
    private boolean exact;

    private boolean begun;

    private Value[] stack = new Value[64];
    private int[] next = new int[64];

    Cut(Trace trace) {
        this.trace = trace;
    }

    /**
     * Computes {@code wanted} (pending) and what stands on the way.
     *
     * @param donors storages whose overwritten values give their memory to the storages' new values, or null
     * @return bytes of the results
     */
    long run(Collection<Value> wanted, List<Storage> donors) {
        return run(wanted, donors, false, true).bytes();
    }

    /**
     * What ran.
     *
     * @param arguments its arguments in order
     * @param givers storages whose memory was given to their new values
     * @param lines source lines of its entries
     * @param key of the program
     */
    record Trail(
            Program program,
            List<Value> arguments,
            List<Storage> givers,
            List<SourceLine> lines,
            long bytes,
            String key) {}

    /** As {@link #run(Collection, List)}, of {@code wanted} only; the trail is kept. */
    Trail runExactly(Collection<Value> wanted, List<Storage> donors) {
        return run(wanted, donors, true, true);
    }

    /** The program that computes exactly {@code wanted}, which stays pending. */
    Trail compile(Collection<Value> wanted) {
        return run(wanted, null, true, false);
    }

    private Trail run(Collection<Value> wanted, List<Storage> donors, boolean exactly, boolean executes) {
        exact = exactly;
        begun = false;
        try {
            List<Storage> giving;
            Program program;
            Canonical.Key key = null;
            String name = null;
            Graph graph = null;
            synchronized (NUMBERING) {
                collect(wanted);
                int[] donated = new int[roots.size()];
                Arrays.fill(donated, -1);
                giving = donors == null ? List.of() : donate(donors, donated);
                canonical.roots(roots.size());
                for (int i = 0; i < donated.length; i++) canonical.root(roots.get(i).number, donated[i]);
                if (exactly) name = canonical.lookup().hex();
                program = Program.find(canonical);
                if (program == null) {
                    key = canonical.key();
                    graph = graph(donated);
                }
            }
            begun = true;
            // Other threads may trace and run meanwhile.
            if (program == null) program = Program.compile(key, graph, new Program.Lines(this::line), trace.autotune());
            if (executes) execute(program, giving);
            long bytes = 0;
            for (Value r : roots) bytes += r.type.bytes();
            if (!exactly) return new Trail(program, null, null, null, bytes, null);
            List<SourceLine> lines = new ArrayList<>();
            for (int i = 0; i < count; i++) lines.add(order[i].line);
            return new Trail(program, List.copyOf(arguments), giving, lines, bytes, name);
        } finally {
            Arrays.fill(order, 0, count, null);
            roots.clear();
            arguments.clear();
        }
    }

    /** Has the last run found all that it needed? If not, nothing has changed. */
    boolean hasBegun() {
        return begun;
    }

    /** The key of the program that computes {@code wanted}, and what stands on the way. */
    Canonical.Key key(Collection<Value> wanted) {
        try {
            synchronized (NUMBERING) {
                collect(wanted);
                canonical.roots(roots.size());
                for (Value r : roots) canonical.root(r.number, -1);
                return canonical.lookup();
            }
        } finally {
            Arrays.fill(order, 0, count, null);
            roots.clear();
            arguments.clear();
        }
    }

    /** Numbers everything that the roots need, and writes its canonical form. */
    private void collect(Collection<Value> wanted) {
        epoch = ++epochs;
        count = 0;
        canonical.begin().numerics(Session.current().numerics()).tuned(trace.autotune() != null);
        roots.addAll(wanted);
        for (Value r : wanted) visit(r);
        // Roots found on the way stand behind those asked for; projections may add more, so this list grows
        // while it is walked.
        for (int i = 0; i < count && !exact; i++) {
            Value v = order[i];
            if (v.projections == null) continue;
            for (Value p : v.projections) if (p.epoch != epoch && passing(p)) visit(p);
        }
        if (roots.size() > wanted.size()) {
            java.util.Set<Value> seen = java.util.Collections.newSetFromMap(new IdentityHashMap<>());
            roots.removeIf(r -> !seen.add(r));
        }
    }

    private static boolean passing(Value v) {
        return v.pending() && ((v.flags & PASSING) != 0 || v.saved > 0);
    }

    /**
     * A value on the way must be kept. Of a view that only a tape wants, what it looks at is kept: looking
     * again costs nothing.
     */
    private void passed(Value v) {
        while ((v.flags & PASSING) == 0 && v.op instanceof View && v.in.length == 1) v = v.in[0];
        if (v.pending()) roots.add(v);
    }

    private void visit(Value root) {
        if (root.epoch == epoch) return;
        int depth = 0;
        push(0, root);
        while (depth >= 0) {
            Value v = stack[depth];
            if (v.epoch == epoch) {
                depth--;
                continue;
            }
            if (v.op == null) {
                leaf(v);
                depth--;
                continue;
            }
            int k = next[depth];
            if (k < v.in.length) {
                next[depth] = k + 1;
                Value in = v.in[k];
                if (in.epoch != epoch) push(++depth, in);
                continue;
            }
            number(v, canonical.node(v.op, v.in.length));
            boolean isNew = (v.flags & Value.REPEATED) == 0;
            for (Value in : v.in) {
                canonical.operand(in.number);
                if (!exact && isNew && (in.flags & Value.REPEATED) != 0 && in.type != null) passed(in);
            }
            if (!exact && v.type != null && passing(v)) passed(v);
            depth--;
        }
    }

    /** Can {@code v} be computed, or is something that it needs lost, released or failed? */
    static boolean computable(Value v) {
        java.util.Set<Value> seen = java.util.Collections.newSetFromMap(new IdentityHashMap<>());
        java.util.ArrayDeque<Value> todo = new java.util.ArrayDeque<>(List.of(v));
        while (!todo.isEmpty()) {
            Value x = todo.pop();
            if (!seen.add(x)) continue;
            if (x.op == null && !x.present()) return false;
            for (Value in : x.in) todo.push(in);
        }
        return true;
    }

    private void push(int depth, Value v) {
        if (depth == stack.length) {
            stack = Arrays.copyOf(stack, 2 * depth);
            next = Arrays.copyOf(next, 2 * depth);
        }
        stack[depth] = v;
        next[depth] = 0;
    }

    private void number(Value v, int number) {
        if (count == order.length) order = Arrays.copyOf(order, 2 * count);
        order[count++] = v;
        v.epoch = epoch;
        v.number = number;
    }

    private void leaf(Value v) {
        if (!v.present()) throw unreadable(v);
        number(v, canonical.argument(v.type, v.scalar));
        arguments.add(v);
    }

    static RuntimeException unreadable(Value v) {
        if (v.poison instanceof IndexError e) return e;
        if (v.poison instanceof ProgramCheckException e) return e;
        if (v.poison != null) {
            return new IllegalStateException(
                    "this " + v.type + " was lost when a step failed after its memory had been given to its new value: "
                            + v.poison.getMessage(),
                    v.poison);
        }
        return Errors.state(
                v.dead != null
                        ? v.whyDead()
                        : "a value " + v.type + " that is not in memory: released, or its session was closed");
    }

    private List<Storage> donate(List<Storage> donors, int[] donated) {
        Map<Value, Integer> place = new IdentityHashMap<>();
        for (int i = 0; i < roots.size(); i++) place.put(roots.get(i), i);
        List<Storage> giving = new ArrayList<>();
        for (Storage s : donors) {
            Integer i = place.get(s.value);
            if (i == null || donated[i] >= 0 || s.overwritten.epoch != epoch) continue;
            donated[i] = s.overwritten.number;
            giving.add(s);
        }
        return giving;
    }

    private void execute(Program program, List<Storage> giving) {
        checkDevices(Session.current().device());
        List<Arg> args = new ArrayList<>(arguments.size());
        for (Value v : arguments) args.add(v.scalar ? new Arg.Scalar(v.bits) : v.data);
        List<Buffer> results;
        try {
            results = program.run(trace, args, arguments, i -> roots.get(i).line, this::line);
        } catch (RuntimeException | Error e) {
            if (e instanceof IndexError x && x.origin() >= 0) order[x.origin()].failed(x);
            if (e instanceof ProgramCheckException x && x.origin() >= 0 && order[x.origin()].pending())
                order[x.origin()].failed(x);
            if (!leavesArguments(e)) {
                for (Storage s : giving) s.overwritten.lost(e);
            }
            throw e;
        }
        for (int i = 0; i < results.size(); i++) roots.get(i).computed(results.get(i));
        if (trace.scope != null) roots.forEach(trace.scope::add);
        if (!exact) markRepeated();
        markShared(giving);
        for (Storage s : giving) s.overwritten.overwritten();
    }

    /** What is still pending would be computed again by a run that needs it. */
    private void markRepeated() {
        for (int i = 0; i < count; i++) {
            Value v = order[i];
            if (!v.pending()) continue;
            boolean repeated = isCostly(v.op);
            for (Value in : v.in) repeated |= in.pending() && (in.flags & Value.REPEATED) != 0;
            if (repeated) v.flags |= Value.REPEATED;
        }
    }

    private static boolean isCostly(Op op) {
        return switch (op) {
            case Leaf _, Elementwise _, View _, Concat _, Project _ -> false;
            case Reduce _, BlockReduce _, Scan _, Indexed _, Routine _, Loop _, Composite _ -> true;
        };
    }

    /** Whether a program that failed so has left its arguments as they were, those that were given to its results, too. */
    static boolean leavesArguments(Throwable e) {
        return e instanceof OutOfDeviceMemoryException || e instanceof ProgramCheckException;
    }

    /** Operators were called in one session, and run in another. */
    private void checkDevices(Device here) {
        for (Value v : arguments) {
            if (v.scalar || v.data.device().equals(here)) continue;
            for (int i = 0; i < count; i++) {
                if (order[i].op == null || !Arrays.asList(order[i].in).contains(v)) continue;
                List<Type> types = Arrays.stream(order[i].in).map(x -> x.type).toList();
                OpException e = OpException.of(order[i].op.name(), types, Dispatch.elsewhere(v, here));
                throw new TensorException(e.getMessage() + "\n    at " + order[i].line, e);
            }
        }
    }

    /**
     * Results that were found to be an argument, or one another, are one piece of memory: it must not be
     * given away.
     */
    private void markShared(List<Storage> giving) {
        Map<Buffer, Value> holders = new IdentityHashMap<>();
        for (Value a : arguments) if (a.data != null) holders.put(a.data, a);
        for (Storage s : giving) holders.remove(s.overwritten.data);
        for (Value r : roots) r.heldBeside(holders);
    }

    /** The line of an entry of the cut that is being run; null for none. */
    private SourceLine line(int entry) {
        return entry < 0 || entry >= count ? null : order[entry].line;
    }

    /** The program for the compiler. A node's origin is its entry's number. */
    private Graph graph(int[] donated) {
        Node[] nodes = new Node[count];
        List<Node> inputs = new ArrayList<>();
        List<Node> body = new ArrayList<>();
        int[] argument = new int[count];
        for (int i = 0; i < count; i++) {
            Value v = order[i];
            if (v.op == null) {
                argument[i] = inputs.size();
                nodes[i] = new Node(new Input(inputs.size(), v.type, v.scalar), List.of(), List.of(v.type), i);
                inputs.add(nodes[i]);
                continue;
            }
            Node[] in = new Node[v.in.length];
            for (int k = 0; k < in.length; k++) in[k] = nodes[v.in[k].number];
            List<Type> types = v.type != null
                    ? List.of(v.type)
                    : Arrays.stream(v.projections).map(p -> p.type).toList();
            nodes[i] = new Node(v.op, List.of(in), types, i);
            body.add(nodes[i]);
        }
        List<Node> outputs = new ArrayList<>();
        List<Integer> donations = new ArrayList<>();
        for (int i = 0; i < donated.length; i++) {
            outputs.add(nodes[roots.get(i).number]);
            donations.add(donated[i] < 0 ? -1 : argument[donated[i]]);
        }
        return new Graph(inputs, body, outputs, donations);
    }
}
