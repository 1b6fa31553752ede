// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Graph;
import io.sinter.ir.GraphBuilder;
import io.sinter.ir.Node;
import io.sinter.ir.op.Op;
import io.sinter.ir.op.Sample;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.ir.ref.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Holds operators' samples, run as programs of a session, against the operators' own reference evaluation: whether a device computes right. */
public final class OperatorTable {
    static final int GRADIENT_SAMPLES = 3;

    private final Session session;
    private final int most;
    private long checked;
    private boolean faulted;

    /**
     * @param session whose device and backend are checked
     * @param most samples of an operator that are taken, the first ones
     */
    public OperatorTable(Session session, int most) {
        this.session = session;
        this.most = most;
    }

    /** How many samples have been checked, gradients too. */
    public long checked() {
        return checked;
    }

    /** Whether the device has had a fault, after which it computes nothing for this process any more. */
    public boolean faulted() {
        return faulted;
    }

    /** What is wrong with the samples of {@code op}; empty if nothing. */
    public List<String> problems(Op op) {
        return problems(op.samples().stream().limit(most).toList(), this::compare);
    }

    /** What is wrong with the gradient rule as a program, at the first few smooth samples of {@code op}; empty if nothing. */
    public List<String> gradientProblems(Op op) {
        List<Sample> some = op.samples().stream()
                .filter(Sample::smooth)
                .limit(Math.min(most, GRADIENT_SAMPLES))
                .toList();
        return problems(some, this::compareGradients);
    }

    private List<String> problems(List<Sample> samples, Consumer<Sample> check) {
        List<String> problems = new ArrayList<>();
        for (Sample sample : samples) {
            if (faulted) break;
            checked++;
            try {
                check.accept(sample);
            } catch (RuntimeException e) {
                faulted = e instanceof GpuFaultException;
                problems.add(sample + ": " + e);
            }
        }
        return problems;
    }

    /** The program of a sample. */
    static Graph graph(Sample sample) {
        GraphBuilder g = new GraphBuilder();
        List<Node> inputs = new ArrayList<>();
        for (RefArray a : sample.inputs()) inputs.add(g.input(a.type()));
        return g.build(g.emit(sample.op(), inputs).toArray(Node[]::new));
    }

    /** The program of a sample's gradient; after the sample's inputs it takes a seed for each result of floats. */
    static Graph gradientGraph(Sample sample) {
        GraphBuilder g = new GraphBuilder();
        Tape<Node> tape = new Tape<>(g);
        List<Tape.Var<Node>> inputs = new ArrayList<>();
        for (RefArray a : sample.inputs()) inputs.add(tape.leaf(g.input(a.type())));
        List<Tape.Var<Node>> results = new ArrayList<>();
        List<Tape.Var<Node>> seeds = new ArrayList<>();
        for (Tape.Var<Node> r : tape.emit(sample.op(), inputs)) {
            if (!tape.type(r).dtype().isFloat()) continue;
            results.add(r);
            seeds.add(tape.leaf(g.input(tape.type(r))));
        }
        List<Tape.Var<Node>> of =
                inputs.stream().filter(v -> tape.type(v).dtype().isFloat()).toList();
        List<Tape.Var<Node>> grads = tape.gradients(results, seeds, of);
        return g.build(grads.stream().map(Tape.Var::value).toArray(Node[]::new));
    }

    private void compareGradients(Sample sample) {
        Graph graph = gradientGraph(sample);
        List<RefArray> args = new ArrayList<>(sample.inputs());
        for (Node seed : graph.inputs().subList(args.size(), graph.inputs().size()))
            args.add(Sample.uniform(seed.type(), 0.5, 1.5, 5));
        List<RefArray> want = RefEvaluator.run(graph, args);
        List<Buffer> buffers = new ArrayList<>();
        for (RefArray a : args) {
            Buffer b = session.allocator().allocate(a.type().bytes());
            Elements.store(a, b);
            buffers.add(b);
        }
        Run run = Executable.compile(graph, CompileContext.of(session)).run(buffers);
        for (int i = 0; i < want.size(); i++) {
            compare("gradient " + i, want.get(i), Elements.load(want.get(i).type(), run.result(i)));
        }
    }

    private void compare(Sample sample) {
        List<Buffer> args = new ArrayList<>();
        for (RefArray a : sample.inputs()) {
            Buffer b = session.allocator().allocate(a.type().bytes());
            Elements.store(a, b);
            args.add(b);
        }
        Executable program = Executable.compile(graph(sample), CompileContext.of(session));
        List<RefArray> want;
        try {
            want = sample.op().evaluate(sample.inputs());
        } catch (IndexOutOfBoundsException e) {
            try {
                program.run(args);
            } catch (IndexOutOfBoundsException _) {
                return;
            }
            throw new IllegalStateException("the reference reports " + e.getMessage() + ", generated code nothing");
        }
        Run run = program.run(args);
        for (int i = 0; i < want.size(); i++) {
            RefArray got = Elements.load(want.get(i).type(), run.result(i));
            compare("result " + i, want.get(i), got);
        }
    }

    private static void compare(String what, RefArray want, RefArray got) {
        double tolerance =
                switch (want.dtype()) {
                    case F64 -> 1e-10;
                    case F32 -> 2e-5;
                    case F16 -> 4e-3;
                    case BF16 -> 3e-2;
                    case I64, I32, I16, I8, U8, BOOL -> 0;
                };
        for (int i = 0; i < want.size(); i++) {
            boolean same;
            if (want.dtype().isFloat()) {
                double w = want.getDouble(i);
                double v = got.getDouble(i);
                same = Double.isNaN(w)
                        ? Double.isNaN(v)
                        : w == v || Math.abs(w - v) <= tolerance * Math.max(1, Math.abs(w));
            } else {
                same = want.getLong(i) == got.getLong(i);
            }
            if (same) continue;
            boolean f = want.dtype().isFloat();
            throw new IllegalStateException(what + " element " + i + ": "
                    + (f ? String.valueOf(got.getDouble(i)) : String.valueOf(got.getLong(i))) + ", expected "
                    + (f ? String.valueOf(want.getDouble(i)) : String.valueOf(want.getLong(i))));
        }
    }
}
