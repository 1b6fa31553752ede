// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.MethodTooLargeException;
import io.sinter.ir.Canonical;
import io.sinter.ir.Capabilities;
import io.sinter.ir.Compiler;
import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Graph;
import io.sinter.ir.Node;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.plan.Origins;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.FormatException;
import io.sinter.ir.store.StoredPlan;
import io.sinter.ir.text.GraphPrinter;
import io.sinter.ir.text.RoundTrip;
import io.sinter.runtime.cache.CacheKey;
import io.sinter.runtime.cache.DiskCache;
import io.sinter.runtime.cache.Entry;
import io.sinter.runtime.cache.Tuning;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.ProgramDump;
import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.Profile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;

/** Makes programs executable: from the cache on disk, or by the compiler. */
final class Programs {
    private static final System.Logger LOG = System.getLogger("io.sinter.cache");

    private Programs() {}

    static Executable get(Canonical.Key key, Graph graph, CompileContext context, Sources sources) {
        Session session = context.session();
        DiskCache disk = session.disk();
        if (disk == null || session.dumps() != null || session.watches())
            return compile(graph, context, sources).executable;
        session.checkOpen();
        CacheKey stored = Targets.plan(key, context);
        Executable made;
        if (stored == null) {
            made = compile(graph, context, sources).executable;
        } else if (context.tunes()) {
            made = tuned(key, graph, context, sources, disk);
        } else {
            String line = line(graph, sources);
            made = disk.get(stored, line, entry -> load(entry, graph, context, sources), () -> {
                Compiled now = compile(graph, context, sources);
                String name = name(graph, now.executable.kernels());
                return new DiskCache.Made<>(now.executable, entry(stored, now.plan, name, graph, line));
            });
        }
        for (CrossCompiler c : session.crossCompilers()) cross(c, key, graph, context, sources);
        return made;
    }

    /** First what was measured, which says which plan it is; of several processes one measures, and the others wait. */
    private static Executable tuned(
            Canonical.Key key, Graph graph, CompileContext context, Sources sources, DiskCache disk) {
        CacheKey measured = Targets.tuning(key, context);
        AtomicReference<Compiled> now = new AtomicReference<>();
        Tuning tuning = disk.get(measured, null, entry -> Tuning.read(entry.payload()), () -> {
            now.set(compile(graph, context, sources));
            Tuning t = now.get().tuning;
            byte[] text = Entry.compress(GraphPrinter.print(graph, _ -> null));
            return new DiskCache.Made<>(t, new Entry(measured, t.summary(), line(graph, sources), text, t.toBytes()));
        });
        CacheKey plan = Targets.tunedPlan(key, context, tuning);
        String line = line(graph, sources);
        return disk.get(plan, line, entry -> load(entry, graph, context, sources), () -> {
            Compiled made = now.get() != null ? now.get() : compile(graph, context, sources, tuning);
            // Not if the stored choice was of no use, and another was made.
            boolean asAsked = Targets.tunedPlan(key, context, made.tuning).equals(plan);
            String name = name(graph, made.executable.kernels());
            return new DiskCache.Made<>(made.executable, asAsked ? entry(plan, made.plan, name, graph, line) : null);
        });
    }

    /** A program that cannot be compiled for another GPU still runs here. */
    private static void cross(
            CrossCompiler compiler, Canonical.Key key, Graph graph, CompileContext context, Sources sources) {
        Counters counters = context.session().counters();
        try {
            if (context.tunes())
                throw new UnsupportedOperationException(
                        "its kernels' forms are to be measured, on a device that is there");
            boolean made = compiler.compile(key, graph, context.numerics(), sources);
            counters.crossed(made);
        } catch (RuntimeException e) {
            counters.crossFailures.increment();
            LOG.log(
                    System.Logger.Level.WARNING,
                    "a program at " + line(graph, sources) + " cannot be compiled for " + compiler.target(),
                    e);
        }
    }

    /**
     * A plan from the cache, or else one that {@code make} makes, which is stored then. A miss is not logged: nobody waits for the program.
     *
     * @param graph what it is the plan of
     */
    static StoredPlan plan(DiskCache disk, CacheKey key, Graph graph, Sources sources, Supplier<StoredPlan> make) {
        String line = line(graph, sources);
        return disk.get(key, null, entry -> plan(entry, graph), () -> {
            StoredPlan plan = make.get();
            String name = name(graph, StoredPlan.kernels(plan.plan()).size());
            return new DiskCache.Made<>(plan, entry(key, plan, name, graph, line));
        });
    }

    private static String name(Graph graph, int kernels) {
        return graph.nodes().size() + " operators, " + kernels + " kernels";
    }

    private static Entry entry(CacheKey key, StoredPlan plan, String name, Graph graph, String line) {
        byte[] bytes;
        try {
            bytes = plan.toBytes();
        } catch (FormatException e) {
            LOG.log(System.Logger.Level.INFO, "not stored: {0}", e.getMessage());
            return null;
        }
        return new Entry(key, name, line, Entry.compress(GraphPrinter.print(graph, _ -> null)), bytes);
    }

    /** @throws FormatException if the entry is no plan of this graph */
    private static StoredPlan plan(Entry entry, Graph graph) {
        StoredPlan stored = StoredPlan.read(entry.payload());
        Plan plan = stored.plan();
        if (!areOf(plan.argTypes(), graph.inputs()) || !areOf(plan.resultTypes(), graph.outputs()))
            throw new FormatException("the plan of a program with other arguments or results");
        return stored;
    }

    private static boolean areOf(List<Type> types, List<Node> nodes) {
        if (types.size() != nodes.size()) return false;
        for (int i = 0; i < types.size(); i++)
            if (!types.get(i).equals(nodes.get(i).type())) return false;
        return true;
    }

    private static Executable load(Entry entry, Graph graph, CompileContext context, Sources sources) {
        long start = System.nanoTime();
        Events.Load event = FlightRecorder.isInitialized() ? new Events.Load() : null;
        if (event != null) event.begin();
        Executable linked;
        long read;
        try (JvmKernels.Ahead code = ahead(entry, context)) {
            StoredPlan stored = plan(entry, graph);
            read = System.nanoTime() - start;
            linked = code == null ? link(stored, context) : new JvmExecutable(stored, context.session(), code);
        }
        if (event != null && event.shouldCommit()) {
            event.kernels = linked.kernels();
            event.bytes = entry.payload().length;
            event.read = read;
            event.commit();
        }
        Counters counters = context.session().counters();
        counters.loaded.increment();
        RecompileLog log = context.session().recompileLog();
        if (log != null) log.loaded(graph, sources);
        long nanos = System.nanoTime() - start;
        counters.cache.spent(nanos);
        Profile profile = context.session().profile();
        if (profile != null) profile.compiled(start, nanos, linked.kernels(), true);
        return linked;
    }

    /** Code that is loaded while the plan is read; null where the plan's device has none that is known by the names of its kernels alone. */
    private static JvmKernels.Ahead ahead(Entry entry, CompileContext context) {
        if (context.backend() != Options.Backend.GENERATED || context.device().kind() != Device.Kind.JVM) return null;
        return context.session().jvmKernels().ahead(StoredPlan.codeNames(entry.payload()));
    }

    private static Executable link(StoredPlan stored, CompileContext context) {
        Session session = context.session();
        return switch (context.backend()) {
            case INTERPRETED -> new InterpretedExecutable(stored.plan(), session);
            case GENERATED ->
                switch (context.device().kind()) {
                    case JVM -> new JvmExecutable(stored, session, session.jvmKernels());
                    case PTX_SIM, CUDA -> new PtxExecutable(stored, session, context.numerics());
                };
            case REFERENCE -> throw new UnsupportedOperationException("the reference evaluator runs graphs, not plans");
        };
    }

    /** A program and the plan that it runs; no plan if it has none. With what was measured of it, or null. */
    record Compiled(Executable executable, StoredPlan plan, Tuning tuning) {}

    /** The user's line, or an empty text. */
    private static String line(Graph graph, Sources sources) {
        if (graph.outputs().isEmpty()) return "";
        Sources.Source source = sources.of(graph.outputs().getFirst());
        return source == null ? "" : source.line();
    }

    static Compiled compile(Graph graph, CompileContext context, Sources sources) {
        return compile(graph, context, sources, null);
    }

    /** @param known what was measured of this program before; null if nothing, which is done now if the context says so */
    private static Compiled compile(Graph graph, CompileContext context, Sources sources, Tuning known) {
        Session session = context.session().checkOpen();
        Dumps dumps = session.dumps();
        if (dumps == null) return compile(graph, context, sources, known, null);
        dumps.compiling();
        try {
            return compile(graph, context, sources, known, dumps);
        } finally {
            dumps.compiled();
        }
    }

    private static Compiled compile(Graph graph, CompileContext context, Sources sources, Tuning known, Dumps dumps) {
        Session session = context.session();
        boolean watched = session.watches();
        ProgramDump dump = dumps == null && !watched ? null : new ProgramDump(graph, sources, context.target());

        long start = System.nanoTime();
        Events.Compile event = FlightRecorder.isInitialized() ? new Events.Compile() : null;
        if (event != null) event.begin();
        Compiled compiled =
                switch (context.backend()) {
                    case GENERATED -> generated(graph, context, dump);
                    case INTERPRETED -> linked(plan(graph, Fusion.MAX_WEIGHT, Capabilities.ALL, dump), context);
                    case REFERENCE -> {
                        RoundTrip.checkIfAsked(graph);
                        yield new Compiled(new ReferenceExecutable(graph, session), null, null);
                    }
                };
        if (context.tunes()) compiled = tuned(compiled, context, known, dump);
        Path folder = dumps == null ? null : dumps.write(dump, compiled.executable.sites());
        RecompileLog log = session.recompileLog();
        String reason = log == null ? "" : log.compiled(graph, sources);
        Counters counters = session.counters();
        counters.compiled.increment();
        long nanos = System.nanoTime() - start;
        counters.compileNanos.add(nanos);
        Profile profile = session.profile();
        if (profile != null) profile.compiled(start, nanos, compiled.executable.kernels(), false);
        if (event != null && event.shouldCommit()) {
            event.backend = context.backend().name();
            event.operators = graph.nodes().size();
            event.kernels = compiled.executable.kernels();
            event.reason = reason;
            event.commit();
        }
        if (!watched) return compiled;
        return new Compiled(
                new WatchedExecutable(compiled.executable, graph, dump, folder, context),
                compiled.plan,
                compiled.tuning);
    }

    /** The program with its kernels in the forms that were, or now are, measured to be the best. */
    private static Compiled tuned(Compiled compiled, CompileContext context, Tuning known, ProgramDump dump) {
        Tuning tuning = known != null ? known : Tuner.tune(compiled.plan, context);
        StoredPlan plan;
        Executable executable;
        try {
            plan = compiled.plan.withForms(tuning.forms());
            executable = tuning.isTable() ? compiled.executable : link(plan, context);
        } catch (FormatException e) {
            if (known == null) throw e;
            LOG.log(
                    System.Logger.Level.WARNING,
                    "stored choices are of no use, and are made again: {0}",
                    e.getMessage());
            return tuned(compiled, context, null, dump);
        }
        if (dump != null) dump.tuned(plan, tuning);
        return new Compiled(executable, plan, tuning);
    }

    /**
     * Fusion estimates how much code a kernel is. Where the estimate was too low and a method exceeds what HotSpot compiles, the program is fused into
     * smaller kernels: a function of the graph alone, like everything in a plan.
     */
    private static Compiled generated(Graph graph, CompileContext context, ProgramDump dump) {
        switch (context.device().kind()) {
            case CUDA, PTX_SIM -> {
                return linked(plan(graph, Fusion.MAX_WEIGHT, Executable.capabilities(context.device()), dump), context);
            }
            case JVM -> {}
        }
        for (int weight = Fusion.MAX_WEIGHT; ; weight = Fusion.less(weight)) {
            try {
                return linked(plan(graph, weight, Capabilities.ALL, dump), context);
            } catch (MethodTooLargeException e) {
                if (Fusion.less(weight) == 0) throw e;
            }
        }
    }

    /** @param dump watches; or null */
    static StoredPlan plan(Graph graph, int weight, Capabilities capabilities, ProgramDump dump) {
        Origins origins = new Origins(dump == null ? CompilerWatch.NONE : dump.begin());
        Plan plan = Compiler.plan(graph, weight, capabilities, origins);
        if (dump != null) dump.end(plan);
        return StoredPlan.of(plan, origins.bySteps());
    }

    static Compiled linked(StoredPlan plan, CompileContext context) {
        return new Compiled(link(plan, context), plan, null);
    }
}
