// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.MethodTooLargeException;
import io.sinter.ir.Canonical;
import io.sinter.ir.Compiler;
import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.op.Op;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.Sha256;
import io.sinter.ir.store.StoredPlan;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.ProgramDump;
import io.sinter.runtime.dump.Sources;
import java.util.function.Predicate;

/** Makes programs executable: from the cache on disk, or by the compiler. */
final class Programs {
    private Programs() {}

    static Executable get(Canonical.Key key, Graph graph, CompileContext context, Sources sources) {
        DiskCache disk = context.session().disk();
        String target = Targets.of(context);
        if (disk == null
                || target == null
                || context.session().dumps() != null
                || context.session().watches()) {
            return compile(graph, context, sources).executable;
        }
        context.session().checkOpen();
        String line = line(graph, sources);
        CacheKey stored = new CacheKey(
                CacheKey.Kind.PLAN, Targets.build(context), target, Targets.numerics(context), Sha256.hex(key.form()));
        return disk.get(stored, line, entry -> load(entry, graph, context), () -> {
            Compiled made = compile(graph, context, sources);
            return new DiskCache.Made<>(made.executable, entry(stored, made, graph, line));
        });
    }

    private static Entry entry(CacheKey key, Compiled made, Graph graph, String line) {
        byte[] plan;
        try {
            plan = made.plan.toBytes();
        } catch (FormatException e) {
            System.getLogger("io.sinter.cache").log(System.Logger.Level.INFO, "not stored: {0}", e.getMessage());
            return null;
        }
        String name = graph.nodes().size() + " operators, " + made.executable.kernels() + " kernels";
        return new Entry(key, name, line, Entry.compress(GraphPrinter.print(graph, _ -> null)), plan);
    }

    private static Executable load(Entry entry, Graph graph, CompileContext context) {
        long start = System.nanoTime();
        Events.Load event = new Events.Load();
        event.begin();
        StoredPlan stored = StoredPlan.read(entry.payload());
        Plan plan = stored.plan();
        if (!plan.argTypes().equals(graph.inputs().stream().map(Node::type).toList())
                || !plan.resultTypes()
                        .equals(graph.outputs().stream().map(Node::type).toList())) {
            throw new FormatException("the plan of a program with other arguments or results");
        }
        long read = System.nanoTime() - start;
        Executable linked = link(stored, context);
        if (event.shouldCommit()) {
            event.kernels = linked.kernels();
            event.bytes = entry.payload().length;
            event.read = read;
            event.commit();
        }
        Counters counters = context.session().counters();
        counters.loaded.increment();
        counters.cache.spent(System.nanoTime() - start);
        return linked;
    }

    private static Executable link(StoredPlan stored, CompileContext context) {
        Session session = context.session();
        return switch (context.backend()) {
            case INTERPRETED -> new InterpretedExecutable(stored.plan(), session);
            case GENERATED ->
                switch (context.device().kind()) {
                    case JVM -> new JvmExecutable(stored, session, session.jvmKernels());
                    case PTX_SIM, CUDA -> new PtxExecutable(stored, session, context.precision());
                };
            case REFERENCE -> throw new UnsupportedOperationException("the reference evaluator runs graphs, not plans");
        };
    }

    /** A program and the plan that it runs; no plan if it has none. */
    record Compiled(Executable executable, StoredPlan plan) {}

    /** The user's line, or an empty text. */
    private static String line(Graph graph, Sources sources) {
        if (graph.outputs().isEmpty()) return "";
        Sources.Source source = sources.at(graph.outputs().getFirst().origin());
        return source == null ? "" : source.line();
    }

    static Compiled compile(Graph graph, CompileContext context, Sources sources) {
        Session session = context.session().checkOpen();
        if (RoundTrip.ON) RoundTrip.check(graph);
        Dumps dumps = session.dumps();
        boolean watched = session.watches();
        ProgramDump dump = dumps == null && !watched ? null : new ProgramDump(graph, sources, context.target());

        long start = System.nanoTime();
        Events.Compile event = new Events.Compile();
        event.begin();
        Compiled compiled =
                switch (context.backend()) {
                    case GENERATED -> generated(graph, context, dump);
                    case INTERPRETED -> linked(plan(graph, Fusion.MAX_WEIGHT, Compiler::keptWhole, dump), context);
                    case REFERENCE -> new Compiled(new ReferenceExecutable(graph, session), null);
                };
        if (dumps != null) dumps.write(dump);
        Counters counters = session.counters();
        counters.compiled.increment();
        counters.compileNanos.add(System.nanoTime() - start);
        if (event.shouldCommit()) {
            event.backend = context.backend().name();
            event.operators = graph.nodes().size();
            event.kernels = compiled.executable.kernels();
            event.commit();
        }
        if (!watched) return compiled;
        return new Compiled(new WatchedExecutable(compiled.executable, graph, dump, context), compiled.plan);
    }

    /**
     * Fusion estimates how much code a kernel is. Where the estimate was too low and a method exceeds what HotSpot compiles, the program is fused into
     * smaller kernels: a function of the graph alone, like everything in a plan.
     */
    private static Compiled generated(Graph graph, CompileContext context, ProgramDump dump) {
        switch (context.device().kind()) {
            case CUDA, PTX_SIM -> {
                return linked(plan(graph, Fusion.MAX_WEIGHT, Executable.keptWhole(context.device()), dump), context);
            }
            case JVM -> {}
        }
        for (int weight = Fusion.MAX_WEIGHT; ; weight = Fusion.less(weight)) {
            try {
                return linked(plan(graph, weight, Compiler::keptWhole, dump), context);
            } catch (MethodTooLargeException e) {
                if (Fusion.less(weight) == 0) throw e;
            }
        }
    }

    private static Plan plan(Graph graph, int weight, Predicate<Op> keep, ProgramDump dump) {
        Plan plan = Compiler.plan(graph, weight, keep, dump == null ? CompilerWatch.NONE : dump.begin());
        if (dump != null) dump.end(plan);
        return plan;
    }

    static Compiled linked(Plan plan, CompileContext context) {
        StoredPlan stored = StoredPlan.of(plan);
        return new Compiled(link(stored, context), stored);
    }
}
