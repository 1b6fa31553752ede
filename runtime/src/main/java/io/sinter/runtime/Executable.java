// SPDX-License-Identifier: Apache-2.0
package io.sinter.runtime;

import io.sinter.codegen.ptx.PtxCodegen;
import io.sinter.ir.Canonical;
import io.sinter.ir.Capabilities;
import io.sinter.ir.Graph;
import io.sinter.ir.IndexError;
import io.sinter.ir.Type;
import io.sinter.ir.plan.Plan;
import io.sinter.ir.store.StoredPlan;
import io.sinter.runtime.dump.Sources;
import io.sinter.runtime.profile.ProgramSites;
import java.util.List;
import java.util.function.IntFunction;

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
        return Programs.compile(graph, context, sources).executable();
    }

    /**
     * The program of this key from the session's cache on disk, if that holds it; compiled from {@code graph}, and stored there, if not. A session
     * that dumps its programs compiles them, because a dump shows how.
     *
     * @param key what {@link Canonical} says of {@code graph}
     * @param sources where the nodes come from, for dumps and for {@code sinter cache}
     */
    static Executable get(Canonical.Key key, Graph graph, CompileContext context, Sources sources) {
        return Programs.get(key, graph, context, sources);
    }

    /**
     * A program whose plan is there already. Of the backends, the reference has no use for a plan.
     *
     * @throws UnsupportedOperationException if the device has no code for one of the plan's kernels
     */
    static Executable of(Plan plan, CompileContext context) {
        context.session().checkOpen();
        return Programs.linked(StoredPlan.of(plan), context).executable();
    }

    /** What a device's generator can do: what a plan for the device may hold. */
    static Capabilities capabilities(Device device) {
        return device.kind() == Device.Kind.JVM ? Capabilities.ALL : PtxCodegen.CAPABILITIES;
    }

    /**
     * Runs the program. All memory is allocated before the first kernel is launched, so running out of it leaves everything as it was.
     *
     * @param args one per input of the graph: a {@link Buffer} of at least the input's size, or {@link Arg.Scalar} for scalar inputs
     * @param tags who holds the result of a number: the {@linkplain Allocator#allocate(long, Object) tag} of its memory
     * @param sources where the nodes come from in this run, for checks and profiles
     * @throws IndexError if an index was out of range; donated arguments may have been overwritten then. A GPU's run that had one returns like any
     *     other, and whoever waits for it gets the error, as does every use of what it has computed
     * @throws OutOfDeviceMemoryException before anything ran
     * @throws IllegalArgumentException if the arguments do not fit the program
     */
    Run run(List<? extends Arg> args, IntFunction<?> tags, Sources sources);

    /** As {@link #run(List, IntFunction, Sources)}, of a program whose nodes come from nowhere. */
    default Run run(List<? extends Arg> args, IntFunction<?> tags) {
        return run(args, tags, Sources.NONE);
    }

    /** As {@link #run(List, IntFunction)}, with results that name no source line. */
    default Run run(List<? extends Arg> args) {
        return run(args, i -> "result " + i + " of a program");
    }

    /** Whether {@link #begin} may be of use. */
    default boolean begins() {
        return false;
    }

    /**
     * Begins a run whose arguments are not all known yet.
     *
     * @param tags as {@link #run(List, IntFunction, Sources)} has them
     * @return null where that is not possible, or not now
     */
    default Begun begin(IntFunction<?> tags) {
        return null;
    }

    /** Number of kernels that a run launches, library calls among them. */
    int kernels();

    /** What it runs, for profiles and dumps; null if its device runs no kernels. */
    default ProgramSites sites() {
        return null;
    }

    /** Types of the arguments. */
    List<Type> argTypes();

    /** Types of the results. */
    List<Type> resultTypes();
}
