// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.jvm.MethodTooLargeException;
import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.ir.Compiler;
import io.sinter.ir.CompilerWatch;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Type;
import io.sinter.ir.fuse.Fusion;
import io.sinter.ir.op.Op;
import io.sinter.ir.plan.Plan;
import io.sinter.runtime.dump.Dumps;
import io.sinter.runtime.dump.ProgramDump;
import io.sinter.runtime.dump.Sources;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Predicate;

/** A compiled program. May be run by many threads at once. */
public interface Executable {
    /** Compiles {@code graph}; counted in the session. */
    static Executable compile(Graph graph, CompileContext context) {
        return compile(graph, context, Sources.NONE);
    }

    /**
     * As {@link #compile(Graph, CompileContext)}.
     *
     * @param sources where the nodes come from, for the session's dump
     */
    static Executable compile(Graph graph, CompileContext context, Sources sources) {
        Session session = context.session().checkOpen();
        if (RoundTrip.ON) RoundTrip.check(graph);
        Dumps dumps = session.dumps();
        ProgramDump dump = dumps == null ? null : new ProgramDump(graph, sources, context.target());

        long start = System.nanoTime();
        Events.Compile event = new Events.Compile();
        event.begin();
        Executable compiled =
                switch (context.backend()) {
                    case GENERATED -> generated(graph, context, dump);
                    case INTERPRETED ->
                        new InterpretedExecutable(plan(graph, Fusion.MAX_WEIGHT, Compiler::keptWhole, dump), session);
                    case REFERENCE -> new ReferenceExecutable(graph, session);
                };
        if (dump != null) dumps.write(dump);
        Counters counters = session.counters();
        counters.compiled.increment();
        counters.compileNanos.add(System.nanoTime() - start);
        if (event.shouldCommit()) {
            event.backend = context.backend().name();
            event.operators = graph.nodes().size();
            event.kernels = compiled.kernels();
            event.commit();
        }
        return compiled;
    }

    /**
     * Fusion estimates how much code a kernel is. Where the estimate was too low and a method exceeds what HotSpot compiles, the program is fused into
     * smaller kernels: a function of the graph alone, like everything in a plan.
     */
    private static Executable generated(Graph graph, CompileContext context, ProgramDump dump) {
        Session session = context.session();
        switch (context.device().kind()) {
            case CUDA, PTX_SIM -> {
                return new PtxExecutable(
                        plan(graph, Fusion.MAX_WEIGHT, PtxCodegen::hasTemplate, dump), session, context.precision());
            }
            case JVM -> {}
        }
        for (int weight = Fusion.MAX_WEIGHT; ; weight /= 2) {
            try {
                Plan plan = plan(graph, weight, Compiler::keptWhole, dump);
                return new JvmExecutable(plan, session, session.jvmKernels());
            } catch (MethodTooLargeException e) {
                if (weight < 16) throw e;
            }
        }
    }

    private static Plan plan(Graph graph, int weight, Predicate<Op> keep, ProgramDump dump) {
        Plan plan = Compiler.plan(graph, weight, keep, dump == null ? CompilerWatch.NONE : dump.begin());
        if (dump != null) dump.end(plan);
        return plan;
    }

    /**
     * Runs the program. All memory is allocated before the first kernel is launched, so running out of it leaves everything as it was.
     *
     * @param args one per input of the graph: a {@link Buffer} of at least the input's size, or {@link Arg.Scalar} for scalar inputs
     * @param tags who holds the result of a number: the {@linkplain Allocator#allocate(long, Object) tag} of its memory
     * @throws IndexError if an index was out of range; donated arguments may have been overwritten then
     * @throws OutOfDeviceMemoryException before anything ran
     * @throws IllegalArgumentException if the arguments do not fit the program
     */
    Run run(List<? extends Arg> args, IntFunction<?> tags);

    /** As {@link #run(List, IntFunction)}, with results that name no source line. */
    default Run run(List<? extends Arg> args) {
        return run(args, i -> "result " + i + " of a program");
    }

    /** Number of kernels that a run launches, library calls among them. */
    int kernels();

    /** Types of the arguments. */
    List<Type> argTypes();

    /** Types of the results. */
    List<Type> resultTypes();
}
