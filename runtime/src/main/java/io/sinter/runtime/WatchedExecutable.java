// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.op.Input;
import io.sinter.ir.ref.RefArray;
import io.sinter.runtime.dump.ProgramDump;
import io.sinter.runtime.dump.ProgramInputs;
import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.ProgramSites;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * A program whose runs are looked at, as the session's {@link Checks} say when it runs. The program itself runs as ever; what it found and what it gave
 * is then looked at from outside, and only if something is wrong is anything computed again.
 */
final class WatchedExecutable implements Executable {
    private final Executable program;
    private final Graph graph;
    private final ProgramDump dump;
    private final CompileContext context;
    /** The program's dump, or null. */
    private final Path folder;
    /** Whose elements must be finite. */
    private final BitSet results;

    private final AtomicBoolean compared = new AtomicBoolean();
    private final AtomicBoolean stored = new AtomicBoolean();

    /**
     * @param dump what was seen when the program was compiled
     * @param folder where it was dumped; null if it was not
     */
    WatchedExecutable(Executable program, Graph graph, ProgramDump dump, Path folder, CompileContext context) {
        this.program = program;
        this.graph = graph;
        this.dump = dump;
        this.context = context;
        this.folder = folder;
        results = counting(graph);
    }

    /**
     * The results that a NaN trap looks at: state, and what nothing else in the program reads. What is read has done its harm where it has led to;
     * a {@code where} that throws it away has seen to it.
     */
    private static BitSet counting(Graph graph) {
        Map<Node, List<Node>> users = graph.users();
        BitSet counting = new BitSet();
        for (int i = 0; i < graph.outputs().size(); i++) {
            Node n = graph.outputs().get(i);
            boolean end = !users.containsKey(n) || graph.donations().get(i) >= 0;
            if (end && !(n.op() instanceof Input) && n.dtype().isFloat()) counting.set(i);
        }
        return counting;
    }

    @Override
    public Run run(List<? extends Arg> args, IntFunction<?> tags, Sources sources) {
        Checks checks = context.session().checks();
        boolean compare = checks.reference() && dump.plan() != null && compared.compareAndSet(false, true);
        long store = folder == null ? 0 : context.session().dumpedInputs();
        boolean first = store > 0 && stored.compareAndSet(false, true);
        if (!checks.nan() && !compare && !first) return program.run(args, tags, sources);
        try (Snapshot before = new Snapshot(graph, args)) {
            if (first) store(before.arrays(), store);
            Run run = program.run(args, tags, sources);
            try {
                if (compare) {
                    List<RefArray> got = IntStream.range(0, run.results().size())
                            .mapToObj(i -> loaded(run, i))
                            .toList();
                    new ReferenceCheck(graph, dump, context, sources, folder, before.arrays()).check(got);
                    context.session().counters().compared.increment();
                }
                if (checks.nan()) {
                    BitSet bad = nonFinite(run);
                    if (!bad.isEmpty())
                        NonFiniteCheck.check(graph, before.arrays(), results, bad, i -> loaded(run, i), dump, sources);
                }
            } catch (ProgramCheckException e) {
                if (compare) compared.set(false);
                for (Buffer b : run.results()) if (!args.contains(b) && !b.isReleased()) b.release();
                before.restore();
                throw e;
            }
            return run;
        }
    }

    private void store(List<RefArray> arguments, long bytes) {
        try {
            ProgramInputs.write(folder, graph, arguments, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a program's arguments to " + folder + ": " + Reason.of(e), e);
        }
    }

    /** The results, of those that count, with elements that are not finite. */
    private BitSet nonFinite(Run run) {
        BitSet bad = new BitSet();
        for (int i = results.nextSetBit(0); i >= 0; i = results.nextSetBit(i + 1))
            if (!Elements.allFinite(program.resultTypes().get(i), run.result(i))) bad.set(i);
        return bad;
    }

    private RefArray loaded(Run run, int result) {
        return Elements.load(program.resultTypes().get(result), run.result(result));
    }

    @Override
    public ProgramSites sites() {
        return program.sites();
    }

    @Override
    public int kernels() {
        return program.kernels();
    }

    @Override
    public List<Type> argTypes() {
        return program.argTypes();
    }

    @Override
    public List<Type> resultTypes() {
        return program.resultTypes();
    }
}
