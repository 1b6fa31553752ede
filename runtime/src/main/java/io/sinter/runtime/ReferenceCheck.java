// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Concat;
import io.sinter.ir.op.Input;
import io.sinter.ir.op.Project;
import io.sinter.ir.op.View;
import io.sinter.ir.op.Where;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.ref.Closeness;
import io.sinter.ir.ref.Conditioning;
import io.sinter.ir.ref.RefArray;
import io.sinter.ir.ref.RefEvaluator;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.KernelCut;
import io.sinter.runtime.dump.ProgramDump;
import io.sinter.runtime.dump.ProgramInputs;
import io.sinter.runtime.dump.Sources;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares a run of a program with the reference evaluator. Where they differ, each kernel is run by itself on the reference evaluator's values:
 * the first one that differs is the one that is wrong. If none is, and the kernels together give what the program gave, only rounding is left,
 * unless a pass has changed the program's meaning.
 *
 * <p>Rounding that the program itself magnifies is no fault ({@link Conditioning}).
 */
final class ReferenceCheck {
    private static final System.Logger LOG = System.getLogger("io.sinter.check");

    private final Graph graph;
    private final ProgramDump dump;
    private final CompileContext context;
    private final Sources sources;
    private final Path dumped;
    private final List<RefArray> args;
    /** Of the graph that was fused and the bodies of its loops, all values, once a step. */
    private final Map<Graph, List<Map<Node, List<RefArray>>>> values = new IdentityHashMap<>();

    /**
     * @param dump what was seen when the program was compiled
     * @param sources of this run
     * @param dumped the program's folder, if it was dumped; else null
     * @param args what the program was given
     */
    ReferenceCheck(
            Graph graph, ProgramDump dump, CompileContext context, Sources sources, Path dumped, List<RefArray> args) {
        this.graph = graph;
        this.dump = dump;
        this.context = context;
        this.sources = sources;
        this.dumped = dumped;
        this.args = args;
    }

    /**
     * Compares the program's results.
     *
     * @throws MiscompiledException if the program is wrong
     */
    void check(List<RefArray> got) {
        List<RefArray> want = RefEvaluator.run(graph, args);
        Closeness.Difference worst = Closeness.worst(got, want);
        if (worst == null) return;
        RefEvaluator.run(dump.plan().graph(), args, (g, all) -> values.computeIfAbsent(g, _ -> new ArrayList<>())
                .add(all));
        List<KernelCut> kernels = dump.kernels();
        for (KernelCut k : kernels) check(k);
        List<RefArray> together = oneByOne(kernels);
        if (together != null) {
            for (int i = 0; i < got.size(); i++)
                if (!together.get(i).sameAs(got.get(i))) throw together(i, got.get(i), together.get(i));
        }
        if (!Conditioning.explains(graph, args, want, worst)) pass(worst, want);
        Sources.Source line = sources.of(graph.outputs().get(worst.result()));
        LOG.log(
                System.Logger.Level.WARNING,
                "{0}{1}: every kernel agrees with the reference evaluator; the program magnifies rounding",
                worst,
                line == null ? "" : " (" + line + ")");
    }

    // ---- kernels

    private void check(KernelCut k) {
        Executable kernel = Executable.of(k.plan(), context);
        boolean exact = k.members().stream()
                .allMatch(n -> n.op() instanceof View || n.op() instanceof Concat || n.op() instanceof Where);
        List<Map<Node, List<RefArray>>> steps = values.get(k.within());
        for (int step = 0; step < steps.size(); step++) {
            List<RefArray> in = k.arguments(steps.get(step));
            List<RefArray> want = RefEvaluator.run(k.graph(), in);
            List<RefArray> got = run(k, kernel, in);
            Closeness.Difference d = Closeness.worst(got, want, exact ? 0 : 1);
            if (d != null && !Conditioning.explains(k.graph(), in, want, d)) throw wrong(k, step, d, in);
        }
    }

    private List<RefArray> run(KernelCut k, Executable kernel, List<RefArray> in) {
        return ArrayRun.run(kernel, k.graph(), in, context.session());
    }

    /** What the kernels give one after the other, each in memory of its own; null if that cannot be told. */
    private List<RefArray> oneByOne(List<KernelCut> kernels) {
        for (Plan.Step s : dump.plan().steps()) if (s instanceof Plan.Repeat) return null;
        Map<Node, RefArray[]> made = new IdentityHashMap<>();
        for (KernelCut k : kernels) {
            List<RefArray> in = new ArrayList<>();
            for (KernelCut.Operand o : k.arguments()) in.add(value(made, o.node(), o.result()));
            if (in.contains(null)) return null;
            List<RefArray> out = run(k, Executable.of(k.plan(), context), in);
            for (int i = 0; i < out.size(); i++) {
                KernelCut.Operand o = k.results().get(i);
                made.computeIfAbsent(o.node(), n -> new RefArray[n.types().size()])[o.result()] = out.get(i);
            }
        }
        List<RefArray> results = new ArrayList<>();
        for (Node n : dump.plan().graph().outputs()) results.add(value(made, n, 0));
        return results.contains(null) ? null : results;
    }

    private RefArray value(Map<Node, RefArray[]> made, Node n, int result) {
        RefArray[] known = made.get(n);
        if (known != null) return known[result];
        if (n.op() instanceof Input in) return args.get(in.number());
        if (n.op() instanceof Project p) return value(made, n.input(0), p.index());
        if (!(n.op() instanceof View)) return null;
        List<RefArray> in = new ArrayList<>();
        for (Node x : n.inputs()) in.add(value(made, x, 0));
        return in.contains(null) ? null : n.op().evaluate(in).getFirst();
    }

    // ---- what is said

    private MiscompiledException wrong(KernelCut k, int step, Closeness.Difference d, List<RefArray> in) {
        KernelCut.Operand o = k.results().get(d.result());
        Type type = o.node().types().get(o.result());
        String value = o.node().op().name();
        StringBuilder what = differs("kernel " + k.name() + " is wrong", value, type, d.element(), d.got(), d.want())
                .append(" by the reference evaluator");
        if (k.within() != k.program()) what.append(", in run ").append(step).append(" of its loop's body");
        line(what, o.node());
        for (int i = 0; i < in.size(); i++)
            what.append("\n    ")
                    .append(k.arguments().get(i).name())
                    .append(": ")
                    .append(in.get(i).describe());
        Path folder = folder(what, k.name().substring(0, k.name().indexOf('-')));
        return new MiscompiledException(what.toString(), o.node().origin(), k.name(), folder);
    }

    private MiscompiledException together(int result, RefArray got, RefArray want) {
        int e = 0;
        while (Double.compare(got.getDouble(e), want.getDouble(e)) == 0 && got.getLong(e) == want.getLong(e)) e++;
        return program(
                "the program is wrong, though each of its kernels is right by itself",
                new Closeness.Difference(result, e, got.getDouble(e), want.getDouble(e), Double.NaN),
                "if they run one by one, each in memory of its own; memory.txt says who shares memory");
    }

    /** Blames the first pass that changes what the program computes, if there is one. */
    private void pass(Closeness.Difference worst, List<RefArray> want) {
        for (Map.Entry<String, Graph> e : dump.passes().entrySet()) {
            if (Closeness.worst(RefEvaluator.run(e.getValue(), args), want) == null) continue;
            throw program(
                    "pass " + e.getKey() + " has changed what the program computes",
                    worst,
                    "by the reference evaluator");
        }
    }

    /** A fault of which no kernel is to blame. */
    private MiscompiledException program(String fault, Closeness.Difference d, String by) {
        Node n = graph.outputs().get(d.result());
        StringBuilder what = differs(fault, "result " + d.result(), n.type(), d.element(), d.got(), d.want())
                .append(' ')
                .append(by);
        line(what, n);
        Path folder = folder(what, null);
        return new MiscompiledException(what.toString(), n.origin(), "", folder);
    }

    private static StringBuilder differs(String fault, String value, Type type, int element, double got, double want) {
        return new StringBuilder(fault + ": " + value + ", element " + RefArray.index(type.shape(), element) + " of "
                + type + ", is " + got + ", and " + want);
    }

    private void line(StringBuilder what, Node n) {
        Sources.Source s = sources.of(n);
        if (s != null) what.append("\n  at ").append(s);
        String gradient = sources.gradientOf(n.origin());
        if (gradient != null) what.append(", in the gradient of ").append(gradient);
    }

    private Path dumped() throws IOException {
        Dumps own = new Dumps(Files.createTempDirectory("sinter-check-"));
        Path folder = own.write(dump, null);
        own.await();
        return folder;
    }

    /**
     * Writes the program and its arguments, and says where they are and what to do with them.
     *
     * @param kernel number of the one to blame; null if none is
     */
    private Path folder(StringBuilder what, String kernel) {
        Path folder;
        try {
            folder = dumped != null ? dumped : dumped();
            context.session().awaitDumps();
            ProgramInputs.write(
                    folder,
                    graph,
                    args,
                    Math.max(ProgramInputs.DEFAULT_BYTES, context.session().dumpedInputs()));
        } catch (IOException e) {
            throw new UncheckedIOException(what + "\n  and it cannot be dumped: " + Reason.of(e), e);
        } catch (UncheckedIOException e) {
            throw new UncheckedIOException(what + "\n  and it cannot be dumped: " + e.getMessage(), e.getCause());
        }
        String device = context.device().kind() == Device.Kind.JVM ? "" : " --device " + context.device();
        what.append("\n  the program and its arguments are in ").append(folder).append("; look closer with");
        if (kernel != null)
            what.append("\n    ./sinter dump replay ")
                    .append(folder)
                    .append(" --kernel ")
                    .append(kernel)
                    .append(device);
        what.append("\n    ./sinter dump minimize ").append(folder).append(device);
        return folder;
    }
}
